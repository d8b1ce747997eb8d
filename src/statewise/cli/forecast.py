"""``statewise forecast``: from a table to a forecast, its errors and its picture."""

from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.data import read_data
from statewise.cli.refusal import check_environment, make_folder, refusals


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@shared.columns
@click.option("--horizon", type=shared.COUNT, help="Steps to forecast; by default two seasons.")
@shared.network
@shared.level
@shared.output
@shared.report
@click.option("--no-holdout", is_flag=True, help="Learn from everything, forecast beyond the end.")
@click.option(
    "--future-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --no-holdout and --future: the inputs of the steps to forecast.",
)
@click.option(
    "--short",
    type=click.Choice(["raise", "drop"]),
    default="raise",
    show_default=True,
    help="Many series: refuse those with too few steps, or go on without them.",
)
@click.option(
    "--one-step", is_flag=True, help="Forecast one step ahead, the truth before it given."
)
@click.option(
    "--train-fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="With --one-step: the part to learn from; by default 0.67.",
)
@shared.missing
def forecast(file, key, time, target, future, past, static, calendar, missing, output, **options):
    """Forecast the series in the CSV or Parquet FILE, and measure the forecast.

    The last steps are held out, a recurrent network learns from those before, and its forecast
    stands beside the naive ones. With --key (or a column unique_id) the file holds many series, and
    one network learns from all of them. Without FILE: the airline passengers, 1949 to 1960.
    """
    _check_together(options, future)
    # The engine takes seconds to load: what is wrong with the data is told before that.
    from statewise.cli.printer import Printer, as_notes
    from statewise.sequences import DataError, Panel

    printer = Printer()
    parts = {"future": future, "past": past, "static": static, "calendar": calendar}
    with refusals(DataError), as_notes(printer):
        with refusals(ValueError):
            data = read_data(file, key=key, time=time, target=target, missing=missing, **parts)
        many = isinstance(data, Panel)
        if many and options["one_step"]:
            raise click.UsageError("--one-step is for one series, but FILE holds a panel")
        make_folder(output, "--output")
        if options["report"]:
            make_folder(options["report"].parent, "--report")
        with printer.busy("Loading the engine"):
            from statewise.cli.forecast_panel import forecast_panel
            from statewise.cli.forecast_series import forecast_series
        check_environment()
        if many:
            del options["one_step"], options["train_fraction"]
            forecast_panel(data, output, printer, **options)
        else:
            del options["future_file"], options["short"]
            forecast_series(data, output, printer, **options)


def _check_together(options, future) -> None:
    one_step = options["one_step"]
    if one_step and options["no_holdout"]:
        raise click.UsageError("--one-step needs held-out steps, so it can't go with --no-holdout")
    if one_step and options["horizon"] not in (None, 1):
        raise click.UsageError("--one-step has a horizon of 1: leave --horizon out")
    if one_step and (options["level"] or options["report"]):
        raise click.UsageError("--level and --report are for a closed loop, not for --one-step")
    if options["train_fraction"] is not None and not one_step:
        raise click.UsageError("--train-fraction goes with --one-step only")
    if future and options["no_holdout"] and not options["future_file"]:
        raise click.UsageError(
            "--future and --no-holdout need the inputs of the steps to forecast: --future-file"
        )
    if options["future_file"] and not (future and options["no_holdout"]):
        raise click.UsageError("--future-file goes with --future and --no-holdout only")
