"""The work of ``statewise backtest``, once the data are read: measure, print, write."""

from pathlib import Path

from statewise.cli.defaults import LEVELS, forecaster_for
from statewise.cli.forecast_found import backtest_json
from statewise.cli.printer import Printer
from statewise.cli.results import print_result, sentences_of, write_backtest
from statewise.cli.written_names import check_backtest_file
from statewise.sequences import Panel, TimeSeries
from statewise.sequences.layout import Layout
from statewise.tasks import backtest


def backtest_data(
    data: Panel | TimeSeries,
    output: Path,
    printer: Printer,
    *,
    windows: int,
    refit: bool,
    peers: tuple[str, ...],
    horizon: int | None,
    level: tuple[float, ...] | None,
    report: Path | None,
    layout: Layout | None = None,
    **options,
) -> None:
    """Backtest a series or a panel, print what came out, and write backtest.csv and the like.

    Args:
        data: the series, or the panel.
        output: an existing folder.
        printer: where to print.
        windows, refit: as in `backtest`.
        peers: statistical forecasts to stand beside.
        horizon: steps of a forecast; None to take what the calendar proposes.
        level: of the intervals, in percent.
        report: the file of the report.
        layout: which columns of the table held what.
        options: arguments of `Forecaster`; None for its default.
    """
    if isinstance(data, TimeSeries) and data.note:
        printer.line("Missing", data.note)
    if isinstance(data, Panel):
        check_backtest_file(data.columns)
    forecaster = forecaster_for(data, horizon, options, windows)
    with printer.training() as progress:
        result = backtest(
            forecaster, data, windows=windows, refit=refit, level=level or LEVELS, progress=progress
        )
    if peers:
        with printer.busy(f"Fitting {', '.join(peers)} to each series"):
            result = result.beside(*peers)
    print_result(result, printer)
    files = write_backtest(result, output, printer, report=report, layout=layout)
    printer.object(backtest_json(result, sentences_of(result), files, printer.notes))
