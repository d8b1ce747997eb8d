"""``statewise backtest``: how good forecasts are, measured from many origins."""

import click

from statewise.cli import options as shared
from statewise.cli.data import print_understood, read_data
from statewise.cli.refusal import check_environment, chosen_peers, refusals


@click.command()
@shared.files
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
@shared.peers
@shared.network
@shared.level
@shared.output
@shared.force
@shared.report
@shared.rows
@shared.written
@shared.said
def backtest(files, output, **options):
    """Measure forecasts of the series in FILE from many origins.

    Each series is forecast several times, each time from what was known then and nothing else, and
    the errors stand beside those of the naive forecasts: by series, by step ahead, and in words.
    Without FILE: the airline passengers.

    \b
    Example:
      statewise backtest --horizon 6 --windows 4
    """
    from statewise.cli.places import check_places
    from statewise.cli.printer import Printer, as_notes
    from statewise.sequences import DataError

    printer = Printer(quiet=options.pop("quiet"), for_json=options.pop("as_json"))
    reading = {name: options.pop(name) for name in shared.READING}
    with refusals(DataError), as_notes(printer):
        with refusals(ValueError):
            read = read_data(files, **reading)
        print_understood(read.understood, printer)
        force = options.pop("force")
        names = ("backtest.csv", "errors.csv", "backtest.png")
        check_places([output / name for name in names], "--output", force=force)
        if options["report"]:
            check_places([options["report"]], "--report", force=force)
        options["peers"] = chosen_peers(options.pop("all_peers"), options["peers"])
        with printer.busy("Loading the engine"):
            from statewise.cli.backtest_data import backtest_data
        check_environment()
        backtest_data(read.data, output, printer, layout=read.layout, **options)
