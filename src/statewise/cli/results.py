"""What a backtest found: printed, written, and drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from statewise.cli.files import command_line, write_page, write_picture, write_table
from statewise.cli.printer import Printer
from statewise.cli.written_names import as_written
from statewise.pictures import plot_forecast
from statewise.pictures.forecast_plot import in_reach
from statewise.pictures.report import report_of_backtest
from statewise.sequences.frames import format_stamp
from statewise.tasks import Backtest, Forecaster

_SHADE = "#D55E00"  # of the model's line in the picture


def print_result(result: Backtest, printer: Printer) -> None:
    """Print how the data were cut, the settings, the errors and the verdict."""
    panel, (series, windows, horizon) = result.origins.panel, result.truth.shape
    count = f"{series} series" if series > 1 else f"1 series ({panel.keys[0]})"
    lengths = panel.lengths
    steps = (
        f"{lengths[0]}" if (lengths == lengths[0]).all() else f"{lengths.min()} to {lengths.max()}"
    )
    way = "learned anew before each" if result.refit else "learned once, before the first"
    held = (
        f"the last {horizon} of each held out and forecast in closed loop"
        if windows == 1
        else f"the last {windows * horizon} of each held out, {windows} windows of {horizon}, {way}"
    )
    printer.line(
        "Data",
        f"{count} of {steps} {panel.calendar.phrase} steps ({span(panel.time.sort_values())}): "
        f"{held}.",
    )
    for note in result.notes:
        printer.line("Note", note + ".")
    print_settings(result.forecaster, printer)
    table = result.table[["MAE", "RMSE", "sMAPE", "MASE", "WQL"]]
    table = table.rename(columns={"sMAPE": "sMAPE %"})
    printer.table(table, best=f"{windows * horizon * series:,} held-out steps")
    for sentence in result.sentences():
        printer.sentence(sentence)


def print_settings(forecaster: Forecaster, printer: Printer) -> None:
    """Print the shape that was trained on, and what was chosen."""
    samples, steps, features = forecaster.training_shape_
    printer.line(
        "Network",
        f"trained on [samples, time steps, features] = [{samples}, {steps}, {features}]; level and "
        f"season: {forecaster.transform_}; all scaling fitted on what is known alone.",
    )
    printer.line(
        "Settings",
        f"horizon {forecaster.horizon}, season {forecaster.season_}, lookback "
        f"{forecaster.lookback_}, cell {forecaster.cell}, units {forecaster.units_}, layers "
        f"{forecaster.layers}, likelihood {forecaster.likelihood}, epochs {forecaster.epochs_}, "
        f"seed {forecaster.seed}.",
    )


def write_result(
    result: Backtest, name: str, output: Path, printer: Printer, report: Path | None
) -> None:
    """Write all forecasts, their errors, and the picture of a typical series."""
    frame = result.forecasts.rename(columns=as_written)
    if name == "forecast":
        frame = frame.drop(columns=["window", "step", "cutoff"])
        frame = frame.rename(columns={result.origins.panel.columns.target: "truth"})
    paths = [output / f"{name}.csv"]
    write_table(frame, paths[0])
    if name == "backtest":
        paths.append(output / "errors.csv")
        write_table(result.errors, paths[-1])
    paths.append(output / f"{name}.png")
    write_picture(_picture(result), paths[-1])
    *most, last = [str(path) for path in paths]
    printer.line("Written", f"{', '.join(most)} and {last}")
    if report:
        write_page(report_of_backtest(result, command=command_line()), report, printer)


def _picture(result: Backtest) -> Figure:
    """Draw the last window of the series whose error is the median."""
    panel, errors = result.origins.panel, result.by_series.loc["model", "MAE"].to_numpy()
    order = np.argsort(np.where(np.isnan(errors), np.inf, errors), kind="stable")
    i = int(order[len(order) // 2])
    key, begin, first = panel.keys[i], panel.offsets[i], result.origins.first[i, -1]
    rows = slice(begin + first, begin + first + result.origins.horizon)
    history = pd.Series(
        panel.values[begin : begin + first, 0], panel.time[begin : begin + first], name=str(key)
    )
    forecasts = pd.DataFrame(
        {name: one.points[i, -1] for name, one in result.arrays.items()}, panel.time[rows]
    )
    truth = pd.Series(panel.values[rows, 0], panel.time[rows])
    typical = f" (the median error of {len(errors)} series)" if len(errors) > 1 else ""
    title = f"Forecast of {key}{typical}: mean error {errors[i]:.3g}"
    figure = plot_forecast(history, forecasts, truth=truth, title=title)
    bands = {
        level: [end[i, -1] for end in ends] for level, ends in result.arrays["model"].bands.items()
    }
    shade(figure, forecasts.index, bands)
    return figure


def shade(figure: Figure, time: pd.Index, bands: Mapping[float, Sequence]) -> None:
    """Draw intervals into the picture of a forecast, the widest lightest.

    The axis stays as it is, for the lines' names stand where their ends were.
    """
    time, limits = in_reach(time, time[-1]), figure.axes[0].get_ylim()
    for level, (low, high) in bands.items():
        figure.axes[0].fill_between(
            time, low, high, color=_SHADE, alpha=0.22 if level < 90 else 0.12, linewidth=0
        )
    figure.axes[0].set_ylim(limits)


def span(time: pd.Index) -> str:
    """Say from when to when.

    >>> span(pd.Index([1, 2, 5]))
    '1 to 5'
    """
    return f"{format_stamp(time[0])} to {format_stamp(time[-1])}"
