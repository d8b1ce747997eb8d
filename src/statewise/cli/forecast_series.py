"""The work of ``statewise forecast`` for one series, once it is read."""

from pathlib import Path

import pandas as pd

from statewise.cli.defaults import LEVELS, default_horizon
from statewise.cli.files import command_line, write_page, write_picture, write_table
from statewise.cli.printer import Printer
from statewise.cli.results import shade, span
from statewise.cli.written_names import as_written, check_forecast_file
from statewise.pictures import plot_forecast
from statewise.pictures.report import Report, report_of_backtest, report_of_forecast
from statewise.sequences import TimeSeries
from statewise.sequences.frames import format_stamp, format_stamps
from statewise.tasks import (
    Evaluation,
    Forecaster,
    evaluate_closed_loop,
    evaluate_one_step,
    naive,
    seasonal_naive,
)
from statewise.tasks.evaluation.backtesting import from_evaluation
from statewise.tasks.forecasting.adapters import panel_of
from statewise.tasks.forecasting.result_names import TIME

_SHOWN = 12  # forecasts in the table of what lies beyond the end


def forecast_series(
    series: TimeSeries,
    output: Path,
    printer: Printer,
    *,
    one_step: bool,
    no_holdout: bool,
    train_fraction: float | None,
    level: tuple[float, ...] | None = None,
    report: Path | None = None,
    **options,
) -> None:
    """Forecast ``series``, print what came out, and write forecast.csv and forecast.png.

    Args:
        series: the whole series.
        output: an existing folder.
        printer: where to print.
        one_step: whether to forecast one step ahead.
        no_holdout: whether to forecast beyond the end.
        train_fraction: with ``one_step``, the part to train on; None for 0.67.
        level: of the intervals, in percent; None for no intervals, but with a report.
        report: the file of the report.
        options: arguments of `Forecaster`; None for its default.
    """
    check_forecast_file({TIME: _time_name(series)})
    given = {name: value for name, value in options.items() if value is not None}
    if one_step:
        given["horizon"] = 1
    elif "horizon" not in given:
        given["horizon"] = default_horizon(series.frequency, len(series), given.get("season"))
    forecaster = Forecaster(**given)
    levels = level or (LEVELS if report else ())
    if series.note:
        printer.line("Missing", series.note)
    with printer.training() as progress:
        if no_holdout:
            forecaster.fit(series, progress=progress)
        elif one_step:
            fraction = 0.67 if train_fraction is None else train_fraction
            result = evaluate_one_step(
                forecaster, series, train_fraction=fraction, progress=progress
            )
        else:
            result = evaluate_closed_loop(forecaster, series, progress=progress)
    if no_holdout:
        page: Report | None = _beyond(forecaster, series, output, printer, levels)
    else:
        page = _beside_truth(result, series, output, printer, levels, one_step=one_step)
    if report and page is not None:
        write_page(page, report, printer)


def _beside_truth(
    result: Evaluation,
    series: TimeSeries,
    output: Path,
    printer: Printer,
    levels: tuple[float, ...],
    *,
    one_step: bool,
) -> Report | None:
    """Print and write what came out; return the report, where one step ahead isn't asked for."""
    held_out = len(result.forecasts)
    way = "one step ahead, the true steps before it given" if one_step else "in closed loop"
    cut = (
        f"the first {len(result.train)} ({span(result.train.time)}) to learn from, the last "
        f"{held_out} ({span(result.truth.index)}) held out and forecast {way}."
    )
    _print_settings(result.forecaster, series, cut, len(result.train), printer)
    heading = f"{held_out} held-out steps"
    printer.table(result.table.rename(columns={"MAPE": "MAPE %"}), best=heading)
    printer.sentence(result.verdict())
    errors = result.table["MAE"]
    others = ", ".join(f"{name} {error:.3g}" for name, error in errors.iloc[1:].items())
    what = f"{series.names[0]}, {held_out} steps" + (" one step ahead" if one_step else "")
    title = f"Forecast of {what}: mean error {errors.iloc[0]:.3g}, {others}"
    frame = pd.concat([result.truth.rename("truth"), result.forecasts], axis=1)
    found = None if one_step else from_evaluation(result, level=levels)
    bands = {}
    if found is not None:
        ours = found.arrays["model"]
        bands = {level: [end[0, 0] for end in ends] for level, ends in ours.bands.items()}
    _write(result.train, frame, title, output, printer, name=_time_name(series), bands=bands)
    return None if found is None else report_of_backtest(found, command=command_line())


def _beyond(
    forecaster: Forecaster,
    series: TimeSeries,
    output: Path,
    printer: Printer,
    levels: tuple[float, ...],
) -> Report:
    """Print and write what lies beyond the end; return the report."""
    values, horizon = series.values[:, 0], forecaster.horizon
    cut = f"all of them ({span(series.time)}) to learn from, nothing held out."
    _print_settings(forecaster, series, cut, len(series), printer)
    forecast = forecaster.predict()
    frame = pd.DataFrame({"model": forecast, "naive": naive(values, horizon)}, forecast.index)
    if forecaster.season_ > 1:
        frame["seasonal naive"] = seasonal_naive(values, horizon, season=forecaster.season_)
    shown = frame.head(_SHOWN)
    shown = shown.set_axis([format_stamp(stamp) for stamp in shown.index])
    printer.table(shown.rename_axis(_time_name(series)))
    more = f" {horizon - _SHOWN} more are in the file." if horizon > _SHOWN else ""
    error = forecaster.validation_errors_[forecaster.transform_]
    printer.sentence(
        f"{horizon} steps beyond the end.{more} Validated at the end of the known steps, such "
        f"forecasts were {error:.4g} off on average."
    )
    title = f"Forecast of {series.names[0]}, {horizon} steps beyond the end"
    forecasts = forecaster.predict(level=levels or None) if levels else forecast.to_frame("model")
    bands = {
        level: [forecasts[f"model-{end}-{level:g}"].to_numpy() for end in ("lo", "hi")]
        for level in levels
    }
    _write(series, frame, title, output, printer, name=_time_name(series), bands=bands)
    return report_of_forecast(forecaster, panel_of(series), forecasts, command=command_line())


def _print_settings(
    forecaster: Forecaster, series: TimeSeries, cut: str, learned: int, printer: Printer
) -> None:
    """Print how the data were cut (two lines) and what was chosen (one)."""
    samples, steps, features = forecaster.training_shape_
    printer.line("Data", f"{len(series)} {series.phrase} steps of {series.names[0]}: {cut}")
    transform = "" if forecaster.transform_ == "none" else f"{forecaster.transform_}, then "
    printer.line(
        "Network",
        f"trained on [samples, time steps, features] = [{samples}, {steps}, {features}]; "
        f"{transform}scaled to mean 0 and deviation 1, all fitted on the {learned} steps to learn "
        "from alone.",
    )
    printer.line(
        "Settings",
        f"horizon {forecaster.horizon}, season {forecaster.season_}, lookback "
        f"{forecaster.lookback_}, cell {forecaster.cell}, units {forecaster.units_}, epochs "
        f"{forecaster.epochs_}, seed {forecaster.seed}.",
    )


def _write(
    train: TimeSeries,
    frame: pd.DataFrame,
    title: str,
    output: Path,
    printer: Printer,
    *,
    name: str,
    bands: dict[float, list],
) -> None:
    """Write the table and the picture, and say where."""
    table, picture = output / "forecast.csv", output / "forecast.png"
    history = pd.Series(train.values[:, 0], train.time.rename(name), name=train.names[0])
    truth = frame.get("truth")
    figure = plot_forecast(
        history, frame.drop(columns="truth", errors="ignore"), truth=truth, title=title
    )
    shade(figure, frame.index, bands)
    ends = {
        f"model-{end}-{level:g}": band[i]
        for level, band in bands.items()
        for i, end in enumerate(("lo", "hi"))
    }
    frame = frame.assign(**ends)
    written = frame.rename(columns=as_written).set_axis(format_stamps(frame.index))
    write_table(written, table, index=True, index_label=name)
    write_picture(figure, picture)
    printer.line("Written", f"{table} and {picture}")


def _time_name(series: TimeSeries) -> str:
    return str(
        series.time.name or ("time" if isinstance(series.time, pd.DatetimeIndex) else "step")
    )
