"""Options that several commands share."""

from pathlib import Path

import click

COUNT = click.IntRange(min=1)
CALENDAR = ("minute", "hour", "weekday", "day", "week", "month", "quarter")
PEERS = ("AutoETS", "AutoARIMA", "AutoTheta")
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


class Seasons(click.ParamType):
    """Steps in a season, or in several that hold at once, separated by commas."""

    name = "integer"

    def convert(self, value, param, ctx):
        """Return a number, or a tuple where there are several."""
        if not isinstance(value, str):
            return value
        several = value.count(",") > 0
        steps = [
            click.IntRange(min=2 if several else 1).convert(part.strip(), param, ctx)
            for part in value.split(",")
        ]
        return tuple(dict.fromkeys(steps)) if several else steps[0]


def _all(*options):
    """Return one decorator for several options, listed in this order."""

    def decorate(command):
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _several(name: str, text: str, **kwargs):
    return click.option(name, multiple=True, metavar="COLUMN", help=text, **kwargs)


files = click.argument(
    "files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True)
)
columns = _all(
    click.option(
        "--key",
        "--id",
        "key",
        multiple=True,
        metavar="COLUMN",
        help="Column of the series' keys, for many series; several with commas between. Found "
        "where text tells rows of the same time apart.",
    ),
    click.option(
        "--time",
        metavar="COLUMN",
        help="Column of the time stamps, or several that make them together, as date,hour; found "
        "if there is one. none: the rows are numbered.",
    ),
    click.option("--target", metavar="COLUMN", help="Column to forecast; found if there is one."),
    click.option(
        "--wide",
        is_flag=True,
        help="Each column of numbers is a series; found where there are several and no --target.",
    ),
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
    click.option(
        "--season",
        type=Seasons(),
        metavar="N[,N]",
        help="Steps in a season, 1 for none, or in several, as 24,168; by default found.",
    ),
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

rows = _all(
    click.option(
        "--every",
        metavar="STEP",
        help="Bring uneven rows to even steps: 15min, 1h, 1D, 1W, 1M.",
    ),
    click.option(
        "--aggregate",
        type=click.Choice(["mean", "sum", "median", "min", "max", "first", "last"]),
        help="What becomes of values in one step, or at one time stamp; by default the mean of "
        "steps, while repeated stamps are refused.",
    ),
    click.option(
        "--missing",
        type=click.Choice(["raise", "fill", "drop", "mask"]),
        help="Missing values: refuse them, fill them in by interpolation or drop their rows (one "
        "series), or mask them in the loss. By default a few of one series are filled in, others "
        "masked.",
    ),
)
written = _all(
    click.option(
        "--missing-value",
        multiple=True,
        metavar="VALUE",
        help="A number or word that stands for a missing value, as -200; several with commas "
        "between. none: no number does.",
    ),
    click.option(
        "--decimal", type=click.Choice([".", ","]), help="Decimal mark; by default found."
    ),
    click.option(
        "--dayfirst/--monthfirst",
        "dayfirst",
        default=None,
        help="Whether 1/2/2024 is the first of February; by default found.",
    ),
    click.option("--number-keys", is_flag=True, help="Keys are numbers: 001 and 1 are one."),
    click.option("--sheet", metavar="NAME", help="Sheet of a workbook; by default the first."),
)
READING = (
    *("key", "time", "target", "wide", "future", "past", "static", "calendar"),
    *("every", "aggregate", "missing"),
    *("missing_value", "decimal", "dayfirst", "number_keys", "sheet"),
)  # what `statewise.cli.data.read_data` takes
level = click.option(
    "--level",
    type=Levels(),
    metavar="PERCENT",
    help="Levels of the intervals, such as 80,95; by default 80 for one series, 80,95 for many.",
)
peers = _all(
    click.option(
        "--peers",
        "all_peers",
        is_flag=True,
        help="AutoETS, AutoARIMA and AutoTheta beside the model (they need statsforecast).",
    ),
    click.option(
        "--peer",
        "peers",
        multiple=True,
        type=click.Choice(PEERS),
        help="One of them; may be repeated.",
    ),
)
report = click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page that shows the forecasts, errors and settings; it needs no network.",
)
save = click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what learned from everything to a file, for Forecaster.load and statewise export.",
)
ray = click.option(
    "--ray",
    metavar="ADDRESS",
    help="Many series: forecast them on a Ray cluster, as host:port; auto for this machine's, "
    "local to start one here.",
)
output = click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Folder for the files written; by default this one.",
)
force = click.option("--force", is_flag=True, help="Write over files that are there.")
said = _all(
    click.option("--quiet", is_flag=True, help="Print nothing but what is wrong."),
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print one JSON object with all that came out, notes to stderr.",
    ),
)
