"""The work of ``statewise forecast`` for many series, once they are read."""

from pathlib import Path

from statewise.cli.defaults import LEVELS, forecaster_for
from statewise.cli.files import command_line, write_page, write_table
from statewise.cli.printer import Printer
from statewise.cli.refusal import Refusal
from statewise.cli.results import print_result, print_settings, span, write_result
from statewise.cli.written_names import as_written, check_forecast_file
from statewise.pictures.report import report_of_forecast
from statewise.sequences import Panel
from statewise.sequences.panel import format_keys
from statewise.tasks import Forecaster, backtest
from statewise.tasks.forecasting.engine import least_known
from statewise.tasks.forecasting.result_names import KEY, TIME


def forecast_panel(
    panel: Panel,
    output: Path,
    printer: Printer,
    *,
    no_holdout: bool,
    short: str,
    future_file: Path | None,
    horizon: int | None,
    level: tuple[float, ...] | None,
    report: Path | None,
    **options,
) -> None:
    """Forecast a panel, print what came out, and write forecast.csv, forecast.png and a report.

    Args:
        panel: all that is known.
        output: an existing folder.
        printer: where to print.
        no_holdout: whether to forecast beyond the end; else the last steps are held out.
        short: "raise", or "drop" to go on without series that have too few steps.
        future_file: the inputs of the steps beyond the end.
        horizon: steps to forecast; None to take what the calendar proposes.
        level: of the intervals, in percent.
        report: the file of the report.
        options: arguments of `Forecaster`; None for its default.
    """
    columns = panel.columns
    check_forecast_file({KEY: columns.key, TIME: columns.time})
    forecaster = forecaster_for(panel, horizon, options)
    if short == "raise":
        _refuse_short(panel, forecaster, 0 if no_holdout else forecaster.horizon)
    levels = level or LEVELS
    if no_holdout:
        _beyond(panel, forecaster, output, printer, levels, future_file, report, short)
        return
    with printer.training() as progress:
        result = backtest(forecaster, panel, windows=1, level=levels, progress=progress)
    print_result(result, printer)
    write_result(result, "forecast", output, printer, report)


def _refuse_short(panel: Panel, forecaster: Forecaster, held: int) -> None:
    asked = forecaster.lookback
    least = least_known(asked if isinstance(asked, int) else None)  # else it is "auto"
    need = least + forecaster.horizon + held
    few = panel.lengths < need
    if few.any():
        out = " and those held out" if held else ""
        raise Refusal(
            f"{few.sum()} of {len(panel)} series have too few time steps: "
            f"{format_keys(panel.keys[few])}; lookback {least} + horizon {forecaster.horizon}{out} "
            f"need {need}: take a shorter horizon or lookback"
            + ("" if few.all() else ", or go on without them by --short drop")
        )


def _beyond(panel, forecaster, output, printer, levels, future_file, report, short) -> None:
    """Forecast beyond the end of every series."""
    with printer.training() as progress:
        forecaster.fit(panel, short=short, progress=progress)
    frame = forecaster.predict(level=levels, future=future_file)
    count, horizon = len(forecaster.keys_), forecaster.horizon
    printer.line(
        "Data",
        f"{count} series of {panel.calendar.phrase} steps ({span(panel.time.sort_values())}): all "
        "of them to learn from, nothing held out.",
    )
    for note in forecaster.notes_:
        printer.line("Note", note + ".")
    print_settings(forecaster, printer)
    printer.sentence(
        f"{horizon} steps beyond the end of {count} series, with intervals of "
        f"{', '.join(f'{level:g}' for level in levels)} %. How good such forecasts are tells "
        "statewise backtest."
    )
    path = output / "forecast.csv"
    write_table(frame.rename(columns=as_written), path)
    printer.line("Written", str(path))
    if report:
        page = report_of_forecast(forecaster, panel, frame, command=command_line())
        write_page(page, report, printer)
