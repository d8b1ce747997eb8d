"""``statewise forecast``: from a table to a forecast, its errors and its picture."""

import warnings
from contextlib import contextmanager
from pathlib import Path

import click

from statewise.cli.refusal import Refusal

_COUNT = click.IntRange(min=1)


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--time", metavar="COLUMN", help="Column of the time stamps; found if there is one.")
@click.option("--target", metavar="COLUMN", help="Column to forecast; found if there is one.")
@click.option("--horizon", type=_COUNT, help="Steps to forecast; by default two seasons.")
@click.option("--season", type=_COUNT, help="Steps in a season, 1 for none; by default found.")
@click.option(
    "--lookback",
    type=click.IntRange(min=2),
    help="Steps to learn on at a time and to warm up over; by default all, or a few seasons.",
)
@click.option(
    "--cell",
    type=click.Choice(["lstm", "gru", "rnn"]),
    default="lstm",
    show_default=True,
    help="Kind of the recurrent layer.",
)
@click.option("--units", type=_COUNT, help="Units of each network; by default 8.")
@click.option("--epochs", type=_COUNT, help="Length of the training; by default chosen.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all draws."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Folder for forecast.csv and forecast.png; by default this one.",
)
@click.option("--no-holdout", is_flag=True, help="Learn from everything, forecast beyond the end.")
@click.option(
    "--one-step", is_flag=True, help="Forecast one step ahead, the truth before it given."
)
@click.option(
    "--train-fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="With --one-step: the part to learn from; by default 0.67.",
)
@click.option(
    "--missing",
    type=click.Choice(["fill", "drop"]),
    help="Fill missing values by interpolation, or drop their rows.",
)
def forecast(file, time, target, output, missing, **options):
    """Forecast a series from the CSV or Parquet FILE, and measure the forecast.

    The last steps are held out, a recurrent network learns from those before, and its forecast
    stands beside the naive ones. Without FILE: the airline passengers, 1949 to 1960.
    """
    _check_together(options)
    # The engine takes seconds to load: what is wrong with the data is told before that.
    from statewise.cli.printing import Printer
    from statewise.datasets import airline_path
    from statewise.sequences import DataError, read_series

    printer = Printer()
    with _refusals(DataError), _as_notes(printer):
        series = read_series(file or airline_path(), time=time, target=target, missing=missing)
        _make_folder(output)
        with printer.busy("Loading the engine"):
            from statewise.cli.running import run
        run(series, output, printer, **options)


def _check_together(options) -> None:
    one_step = options["one_step"]
    if one_step and options["no_holdout"]:
        raise click.UsageError("--one-step needs held-out steps, so it can't go with --no-holdout")
    if one_step and options["horizon"] not in (None, 1):
        raise click.UsageError("--one-step has a horizon of 1: leave --horizon out")
    if options["train_fraction"] is not None and not one_step:
        raise click.UsageError("--train-fraction goes with --one-step only")


@contextmanager
def _refusals(kind: type[Exception]):
    """Turn errors about the data into one line and exit code 2."""
    try:
        yield
    except kind as error:
        raise Refusal(str(error)) from None


@contextmanager
def _as_notes(printer):
    """Print warnings as notes of one line."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: printer.line("Note", str(message))
        yield


def _make_folder(folder: Path) -> None:
    """Make the output folder now: not to fail after the training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"--output {folder} is no folder to write to: {error.strerror}") from None
