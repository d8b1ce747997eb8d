"""``statewise backtest``: how good forecasts are, measured from many origins."""

from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.data import read_data
from statewise.cli.refusal import check_environment, make_folder, refusals


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@shared.columns
@click.option("--horizon", type=shared.COUNT, help="Steps of a forecast; by default two seasons.")
@click.option(
    "--windows",
    type=shared.COUNT,
    default=5,
    show_default=True,
    help="Forecasts of each series, one after the other, up to its end.",
)
@click.option("--refit", is_flag=True, help="Learn anew before each window; by default once.")
@click.option(
    "--peer",
    "peers",
    multiple=True,
    type=click.Choice(["AutoETS", "AutoARIMA", "AutoTheta"]),
    help="Statistical forecast to stand beside (needs statsforecast); may be repeated.",
)
@shared.network
@shared.level
@shared.output
@shared.report
@shared.missing
def backtest(file, key, time, target, future, past, static, calendar, missing, output, **options):
    """Measure forecasts of the CSV or Parquet FILE from many origins.

    Each series is forecast several times, each time from what was known then and nothing else, and
    the errors stand beside those of the naive forecasts: by series, by step ahead, and in words.
    Without FILE: the airline passengers.
    """
    from statewise.cli.printer import Printer, as_notes
    from statewise.sequences import DataError

    printer = Printer()
    parts = {"future": future, "past": past, "static": static, "calendar": calendar}
    with refusals(DataError), as_notes(printer):
        with refusals(ValueError):
            data = read_data(file, key=key, time=time, target=target, missing=missing, **parts)
        make_folder(output, "--output")
        if options["report"]:
            make_folder(options["report"].parent, "--report")
        if options["peers"]:
            from statewise.tasks.evaluation.reference_models import check_peers

            with refusals(ImportError):
                check_peers(options["peers"])
        with printer.busy("Loading the engine"):
            from statewise.cli.backtest_data import backtest_data
        check_environment()
        backtest_data(data, output, printer, **options)
