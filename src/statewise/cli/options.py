"""Options that several commands share."""

from pathlib import Path

import click

COUNT = click.IntRange(min=1)
CALENDAR = ("minute", "hour", "weekday", "day", "week", "month", "quarter")
LIKELIHOODS = ("gaussian", "student-t", "negative-binomial", "quantiles")


class Levels(click.ParamType):
    """Levels of intervals in percent, separated by commas."""

    name = "percent"

    def convert(self, value, param, ctx):
        """Return the levels in their order, each once."""
        if not isinstance(value, str):
            return value
        try:
            levels = sorted({float(part.strip().removesuffix("%")) for part in value.split(",")})
        except ValueError:
            self.fail(f"{value!r} is no list of numbers such as 80,95", param, ctx)
        for level in levels:
            if 0 < level < 1:
                percent = f"{100 * level:g}"
                self.fail(f"{level:g} is no percent: write {percent} for {percent} %", param, ctx)
            if not 0 < level < 100:
                self.fail(f"{level:g} is not between 0 and 100", param, ctx)
        return tuple(levels)


def _all(*options):
    """Return one decorator for several options, listed in this order."""

    def decorate(command):
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _several(name: str, text: str, **kwargs):
    return click.option(name, multiple=True, metavar="COLUMN", help=text, **kwargs)


columns = _all(
    click.option(
        "--key",
        "--id",
        "key",
        metavar="COLUMN",
        help="Column of the series' keys, for many series.",
    ),
    click.option(
        "--time", metavar="COLUMN", help="Column of the time stamps; found if there is one."
    ),
    click.option("--target", metavar="COLUMN", help="Column to forecast; found if there is one."),
    _several("--future", "Input that is known for the future; may be repeated."),
    _several("--past", "Input that is known for the past alone; may be repeated."),
    _several("--static", "Input that stays the same within a series; may be repeated."),
    click.option(
        "--calendar",
        multiple=True,
        type=click.Choice(CALENDAR),
        help="Feature of the time stamps as an input; may be repeated.",
    ),
)

network = _all(
    click.option("--season", type=COUNT, help="Steps in a season, 1 for none; by default found."),
    click.option(
        "--lookback",
        type=click.IntRange(min=2),
        help="Steps to learn on at a time and to warm up over; by default all, or a few seasons.",
    ),
    click.option(
        "--cell",
        type=click.Choice(["lstm", "gru", "rnn"]),
        default="lstm",
        show_default=True,
        help="Kind of the recurrent layer.",
    ),
    click.option("--units", type=COUNT, help="Units of a layer; by default 8, for panels 32."),
    click.option("--layers", type=COUNT, help="Recurrent layers; by default 1."),
    click.option(
        "--likelihood",
        type=click.Choice(LIKELIHOODS),
        help="Distribution to learn; by default points, with intervals from validation.",
    ),
    click.option("--epochs", type=COUNT, help="Length of the training; by default chosen."),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Seed of all draws.",
    ),
)

missing = click.option(
    "--missing",
    type=click.Choice(["raise", "fill", "drop", "mask"]),
    help="Missing values: refuse them, fill them in by interpolation or drop their rows (one "
    "series), or mask them in the loss (many). By default one series is refused, many are masked.",
)
level = click.option(
    "--level",
    type=Levels(),
    metavar="PERCENT",
    help="Levels of the intervals, such as 80,95; the default for many series.",
)
report = click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page that shows the forecasts, errors and settings; it needs no network.",
)
output = click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Folder for the files written; by default this one.",
)
