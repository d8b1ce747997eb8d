"""The work of ``statewise backtest``, and of ``statewise forecast`` for many series."""

from pathlib import Path

import numpy as np
import pandas as pd

from statewise._whole_files import written_whole
from statewise.cli.printing import Printer
from statewise.cli.refusal import Refusal
from statewise.cli.running import LEVELS, command_line, default_horizon, shade, span, written
from statewise.cli.written_names import as_written, check_backtest_file, check_forecast_file
from statewise.pictures import plot_forecast
from statewise.pictures.report import report_of_backtest, report_of_forecast
from statewise.sequences import Panel, TimeSeries
from statewise.sequences.frames import say_stamps
from statewise.sequences.panel import say_keys
from statewise.tasks import Backtest, Forecaster, backtest
from statewise.tasks.forecasting.local_model.model import LEAST_LOOKBACK
from statewise.tasks.forecasting.result_names import KEY, TIME

_CHOOSABLE = ("season", "lookback", "cell", "units", "layers", "likelihood", "epochs", "seed")


def forecast(
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
    forecaster = _forecaster(panel, horizon, options)
    if short == "raise":
        _refuse_short(panel, forecaster, 0 if no_holdout else forecaster.horizon)
    levels = level or LEVELS
    if no_holdout:
        _beyond(panel, forecaster, output, printer, levels, future_file, report, short)
        return
    with printer.training() as progress:
        result = backtest(forecaster, panel, windows=1, level=levels, progress=progress)
    _tell(result, printer)
    _write(result, "forecast", output, printer, report)


def measure(
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
        options: arguments of `Forecaster`; None for its default.
    """
    if isinstance(data, TimeSeries) and data.note:
        printer.line("Missing", data.note)
    if isinstance(data, Panel):
        check_backtest_file(data.columns)
    forecaster = _forecaster(data, horizon, options, windows)
    with printer.training() as progress:
        result = backtest(
            forecaster, data, windows=windows, refit=refit, level=level or LEVELS, progress=progress
        )
    if peers:
        with printer.busy(f"Fitting {', '.join(peers)} to each series"):
            result = result.beside(*peers)
    _tell(result, printer)
    _write(result, "backtest", output, printer, report)


def _forecaster(data, horizon: int | None, options: dict, windows: int = 1) -> Forecaster:
    given = {name: options[name] for name in _CHOOSABLE if options.get(name) is not None}
    if horizon is None:
        many = isinstance(data, Panel)
        frequency = data.calendar.frequency if many else data.frequency
        steps = int(np.median(data.lengths)) if many else len(data)
        # All windows together may take a third of the series.
        most = 6 * (steps // max(6, 3 * windows))
        horizon = default_horizon(frequency, most, given.get("season"))
    return Forecaster(horizon=horizon, **given)


def _refuse_short(panel: Panel, forecaster: Forecaster, held: int) -> None:
    auto = forecaster.lookback == "auto"
    least = LEAST_LOOKBACK if auto else min(LEAST_LOOKBACK, forecaster.lookback)
    need = least + forecaster.horizon + held
    few = panel.lengths < need
    if few.any():
        out = " and those held out" if held else ""
        raise Refusal(
            f"{few.sum()} of {len(panel)} series have too few time steps: "
            f"{say_keys(panel.keys[few])}; lookback {least} + horizon {forecaster.horizon}{out} "
            f"need {need}: take a shorter horizon or lookback"
            + ("" if few.all() else ", or go on without them by --short drop")
        )


def _tell(result: Backtest, printer: Printer) -> None:
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
    _say_settings(result.forecaster, printer)
    table = result.table[["MAE", "RMSE", "sMAPE", "MASE", "WQL"]]
    table = table.rename(columns={"sMAPE": "sMAPE %"})
    printer.table(table, best=f"{windows * horizon * series:,} held-out steps")
    for sentence in result.sentences():
        printer.sentence(sentence)


def _say_settings(forecaster: Forecaster, printer: Printer) -> None:
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
    _say_settings(forecaster, printer)
    printer.sentence(
        f"{horizon} steps beyond the end of {count} series, with intervals of "
        f"{', '.join(f'{level:g}' for level in levels)} %. How good such forecasts are tells "
        "statewise backtest."
    )
    path = output / "forecast.csv"
    _to_csv(frame.rename(columns=as_written), path)
    printer.line("Written", str(path))
    if report:
        page = report_of_forecast(forecaster, panel, frame, command=command_line())
        written(page, report, printer)


def _write(result: Backtest, name: str, output: Path, printer: Printer, report) -> None:
    """Write all forecasts, their errors, and the picture of a typical series."""
    frame = result.forecasts.rename(columns=as_written)
    if name == "forecast":
        frame = frame.drop(columns=["window", "step", "cutoff"])
        frame = frame.rename(columns={result.origins.panel.columns.target: "truth"})
    paths = [output / f"{name}.csv"]
    _to_csv(frame, paths[0])
    if name == "backtest":
        paths.append(output / "errors.csv")
        _to_csv(result.errors, paths[-1])
    paths.append(output / f"{name}.png")
    try:
        with written_whole(paths[-1]) as beside:
            _picture(result).savefig(beside, dpi=100)
    except OSError as error:
        raise Refusal(f"{output} can't be written to: {error.strerror or error}") from None
    *most, last = [str(path) for path in paths]
    printer.line("Written", f"{', '.join(most)} and {last}")
    if report:
        written(report_of_backtest(result, command=command_line()), report, printer)


def _picture(result: Backtest):
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
        {name: cast.points[i, -1] for name, cast in result.casts.items()}, panel.time[rows]
    )
    truth = pd.Series(panel.values[rows, 0], panel.time[rows])
    typical = f" (the median error of {len(errors)} series)" if len(errors) > 1 else ""
    title = f"Forecast of {key}{typical}: mean error {errors[i]:.3g}"
    figure = plot_forecast(history, forecasts, truth=truth, title=title)
    bands = {
        level: [end[i, -1] for end in ends] for level, ends in result.casts["model"].bands.items()
    }
    shade(figure, forecasts.index, bands)
    return figure


def _to_csv(frame: pd.DataFrame, path: Path) -> None:
    frame = frame.copy()
    for name in frame.columns:
        if isinstance(frame[name].dtype, (np.dtype, pd.DatetimeTZDtype)) and (
            frame[name].dtype.kind == "M"
        ):
            frame[name] = say_stamps(pd.Index(frame[name]))
    try:
        with written_whole(path) as beside:
            frame.to_csv(beside, index=False)
    except OSError as error:
        raise Refusal(f"{path.parent} can't be written to: {error.strerror or error}") from None
