"""What ``statewise forecast`` found: printed, written, drawn, or given as JSON."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from statewise.cli.files import any_letters, command_line, write_page, write_picture, write_table
from statewise.cli.forecast_found import Found, as_json
from statewise.cli.forecast_picture import picture_of
from statewise.cli.forecast_table import forecast_table
from statewise.cli.places import unwritten
from statewise.cli.printer import Printer
from statewise.cli.results import span
from statewise.pictures.report import Report, report_of_backtest, report_of_forecast
from statewise.sequences.reading.report import Understood
from statewise.sequences.stamp_words import format_stamps
from statewise.sequences.tables import counted
from statewise.tasks.evaluation.beyond import Beyond
from statewise.tasks.forecasting.forecaster import Forecaster
from statewise.tasks.forecasting.result_names import MODEL

_SHOWN = 12  # rows in the table of what lies beyond the end


def print_beyond(found: Found, printer: Printer) -> None:
    """Print what lies beyond the end: the first steps of one series, or the first series."""
    beyond = found.beyond
    if beyond is None:
        return
    horizon, series, fitted = beyond.horizon, len(beyond.origins.panel), beyond.forecaster
    stamps = beyond.origins.panel.time[beyond.origins.rows().ravel()]
    if found.held is not None:
        printer.line(
            "Future",
            f"learned anew from all that is known ({fitted.transform_}; epochs {fitted.epochs_}), "
            f"and forecast beyond the end, {span(stamps.sort_values())}.",
        )
    said = f"{counted(horizon, 'step')} beyond the end"
    if series == 1:
        printer.table(_first_steps(beyond, found.time))
        rest, things = horizon - _SHOWN, ""
    else:
        printer.table(_first_series(beyond))
        levels = ", ".join(f"{level:g}" for level in beyond.arrays[MODEL].bands)
        said += f" of {series:,} series, with intervals of {levels} %"
        rest, things = series - _SHOWN, " series"
    more = f" {rest:,} more{things} are in the file." if rest > 0 else ""
    if found.held is not None:
        told = ""
    elif series == 1 and not found.keyed:
        error = fitted.validation_errors_[fitted.transform_]
        told = (
            " Validated at the end of the known steps, such forecasts were "
            f"{error:.4g} off on average."
        )
    else:
        told = " How good such forecasts are tells statewise backtest."
    printer.sentence(f"{said}.{more}{told}")


def _first_steps(beyond: Beyond, time: str) -> pd.DataFrame:
    """Return the first steps of one series: forecasts, and the ends of the narrowest interval."""
    frame = {}
    for name, one in beyond.arrays.items():
        frame[name] = one.points[0, 0]
        if name == MODEL and one.bands:
            level = min(one.bands)
            for word, end in zip(("from", "to"), one.bands[level], strict=True):
                frame[f"{word} ({level:g} %)"] = end[0, 0]
    stamps = beyond.origins.panel.time[beyond.origins.rows()[0, 0]]
    index = pd.Index(format_stamps(stamps), name=time)
    return pd.DataFrame(frame, index=index).head(_SHOWN)


def _first_series(beyond: Beyond) -> pd.DataFrame:
    """Return the first series: the last known value, and of the forecast both ends and the mean."""
    panel, points = beyond.origins.panel, beyond.arrays[MODEL].points[:, 0]
    known = pd.Series(panel.values[:, 0])
    filled = known.groupby(panel.series_of_rows()).ffill().to_numpy()
    last = filled[panel.offsets[1:] - beyond.horizon - 1]
    frame = {"last known": last, "step 1": points[:, 0]}
    if beyond.horizon > 1:
        frame[f"step {beyond.horizon}"] = points[:, -1]
        frame["mean of steps"] = points.mean(axis=1)
    index = pd.Index([str(key) for key in panel.keys], name=panel.columns.key)
    return pd.DataFrame(frame, index=index).head(_SHOWN)


def write_found(
    found: Found,
    output: Path,
    printer: Printer,
    *,
    report: Path | None = None,
    save: tuple[Forecaster, Path] | None = None,
    understood: Understood | None = None,
    table: pd.DataFrame | None = None,
    figure: Figure | None = None,
) -> None:
    """Write forecast.csv, forecast.png and what was asked for, and say where, or give all as JSON.

    Args:
        found: what there is to write.
        output: an existing folder.
        printer: where to say it.
        report: the file of the report; None for none.
        save: what learned from everything, and the file for it; None for none.
        understood: how the table was read.
        table, figure: others than those of ``found``.
    """
    if table is None:
        table = forecast_table(found.held, found.beyond, keyed=found.keyed, time=found.time)
    if found.layout is not None:
        table = found.layout.with_key_columns(table)
    paths = output / "forecast.csv", output / "forecast.png"
    write_table(table, paths[0])
    with any_letters(printer):
        if figure is None:
            figure = picture_of(found.held, found.beyond, found.name)
        write_picture(figure, paths[1])
    printer.line("Written", f"{paths[0]} and {paths[1]}")
    files = {"table": str(paths[0]), "picture": str(paths[1])}
    page = _page(found) if report else None
    if report and page is not None:
        write_page(page, report, printer)
        files["report"] = str(report)
    if save is not None:
        _save(*save, printer)
        files["forecaster"] = str(save[1])
    printer.object(as_json(found, table, files, understood, printer.notes))


def _save(forecaster: Forecaster, path: Path, printer: Printer) -> None:
    try:
        forecaster.save(path)
    except OSError as error:
        raise unwritten(path.parent, error) from None
    printer.line("Saved", str(path))


def _page(found: Found) -> Report | None:
    """Return the report: of what was held out, or else of what lies beyond the end."""
    if found.held is not None:
        return report_of_backtest(found.held, command=command_line())
    if found.beyond is None:
        return None
    model = found.beyond.arrays[MODEL]
    columns = {MODEL: model.points.ravel()}
    for level, ends in model.bands.items():
        for name, end in zip(("lo", "hi"), ends, strict=True):
            columns[f"{MODEL}-{name}-{level:g}"] = end.ravel()
    frame = pd.DataFrame(columns)
    return report_of_forecast(found.forecaster, found.panel, frame, command=command_line())
