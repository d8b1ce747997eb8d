"""The work of ``statewise forecast`` for one series, once it is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from statewise.cli.defaults import LEVEL, LEVELS, forecaster_for
from statewise.cli.forecast_found import Found
from statewise.cli.forecast_output import print_beyond, write_found
from statewise.cli.forecast_picture import short
from statewise.cli.printer import Printer
from statewise.cli.results import best_of, seasons_of, span
from statewise.cli.written_names import as_written, check_forecast_file
from statewise.pictures import plot_forecast
from statewise.sequences import DataError, TimeSeries
from statewise.sequences.reading.report import Understood
from statewise.sequences.tables import counted
from statewise.tasks import Backtest, Evaluation, Forecaster, evaluate_closed_loop
from statewise.tasks import evaluate_one_step as one_step_ahead
from statewise.tasks.evaluation.backtesting import from_evaluation
from statewise.tasks.evaluation.beyond import forecast_beyond
from statewise.tasks.evaluation.metrics import mae, mape, mase, rmse
from statewise.tasks.evaluation.verdict import covered
from statewise.tasks.forecasting.adapters import panel_of
from statewise.tasks.forecasting.engine import LEAST_LOOKBACK
from statewise.tasks.forecasting.parameters import fresh
from statewise.tasks.forecasting.result_names import MODEL, TIME


def forecast_series(
    series: TimeSeries,
    output: Path,
    printer: Printer,
    *,
    name: str,
    no_holdout: bool,
    level: tuple[float, ...] | None,
    horizon: int | None,
    peers: tuple[str, ...] = (),
    report: Path | None = None,
    save: Path | None = None,
    understood: Understood | None = None,
    **options,
) -> None:
    """Forecast ``series``, print what came out, and write forecast.csv and forecast.png.

    Args:
        series: the whole series.
        output: an existing folder.
        printer: where to print.
        name: what to call the series.
        no_holdout: whether to leave out the comparison with held-out steps.
        level: of the intervals, in percent; None for the usual ones.
        horizon: steps to forecast; None to take what the calendar proposes.
        peers: statistical forecasts to stand beside.
        report: the file of the report.
        save: the file of what learned from everything.
        understood: how the table was read.
        options: arguments of `Forecaster`; None for its default.
    """
    found = _begin(series, name, forecaster_for(series, horizon, options), printer)
    levels = level or (LEVELS if report else LEVEL)
    forecaster = found.forecaster
    if not no_holdout:
        with printer.training() as progress, _offers_no_holdout(forecaster, series):
            evaluation = evaluate_closed_loop(forecaster, series, progress=progress)
        held = from_evaluation(evaluation, level=levels)
        if peers:
            with printer.busy(f"Fitting {', '.join(peers)}"):
                held = held.beside(*peers)
        found = replace(found, held=held, forecaster=evaluation.forecaster)
        _compare(found, evaluation, held, printer)
    with printer.training() as progress:
        fitted = fresh(forecaster).fit(series, progress=progress)
    if no_holdout:
        found.forecaster = fitted
        cut = f"all of them ({span(series.time)}) to learn from, nothing held out."
        _print_settings(fitted, series, name, cut, len(series), printer)
    with printer.busy("Forecasting beyond the end"):
        found.beyond = forecast_beyond(fitted, series, levels=levels, peers=peers)
    print_beyond(found, printer)
    saved = None if save is None else (fitted, save)
    write_found(found, output, printer, report=report, save=saved, understood=understood)


@contextmanager
def _offers_no_holdout(forecaster: Forecaster, series: TimeSeries) -> Iterator[None]:
    """Say of a series that is too short to hold steps out that it isn't without, if it isn't."""
    try:
        yield
    except DataError as error:
        asked = forecaster.lookback
        least = LEAST_LOOKBACK if isinstance(asked, str) else asked
        steps = len(series)
        if not least + forecaster.horizon <= steps < least + 2 * forecaster.horizon:
            raise
        raise DataError(f"{error}; or leave the comparison out by --no-holdout") from None


def forecast_one_step(
    series: TimeSeries,
    output: Path,
    printer: Printer,
    *,
    name: str,
    train_fraction: float | None,
    understood: Understood | None = None,
    **options,
) -> None:
    """Forecast each later step from the true ones before it; see `forecast_series`."""
    found = _begin(series, name, forecaster_for(series, 1, options), printer)
    fraction = 0.67 if train_fraction is None else train_fraction
    with printer.training() as progress:
        result = one_step_ahead(
            found.forecaster, series, train_fraction=fraction, progress=progress
        )
    found.forecaster = result.forecaster
    _compare(found, result, None, printer)
    printer.note(
        "one step ahead there are neither intervals nor anything beyond the end: without "
        "--one-step there are both"
    )
    errors, steps = result.table["MAE"], len(result.forecasts)
    others = ", ".join(f"{one} {short(error)}" for one, error in errors.iloc[1:].items())
    title = (
        f"Forecast of {name} one step ahead: mean error {short(errors[MODEL])} over {steps} "
        f"held-out steps ({others})"
    )
    history = pd.Series(result.train.values[:, 0], result.train.time.rename(found.time), name=name)
    figure = plot_forecast(history, result.forecasts, truth=result.truth, title=title)
    columns: dict[str, Any] = {found.time: result.truth.index, "part": "held out"}
    columns["truth"] = result.truth.to_numpy()
    columns |= {as_written(one): result.forecasts[one].to_numpy() for one in result.forecasts}
    table = pd.DataFrame(columns)
    write_found(found, output, printer, understood=understood, table=table, figure=figure)


def _begin(series: TimeSeries, name: str, forecaster: Forecaster, printer: Printer) -> Found:
    time = str(
        series.time.name or ("time" if isinstance(series.time, pd.DatetimeIndex) else "step")
    )
    check_forecast_file({TIME: time})
    if series.note:
        printer.line("Missing", series.note)
    panel = panel_of(series)
    return Found(panel=panel, forecaster=forecaster, name=name, time=time, keyed=False)


def _compare(found: Found, result: Evaluation, held: Backtest | None, printer: Printer) -> None:
    """Print how forecasts of held-out steps compare, and keep that."""
    steps, train, series = len(result.forecasts), result.train, found.panel
    way = "in closed loop" if held is not None else "one step ahead, the true steps before it given"
    cut = (
        f"the first {len(train)} ({span(train.time)}) to learn from, the last {steps} "
        f"({span(result.truth.index)}) held out and forecast {way}."
    )
    _print_settings(result.forecaster, series, found.name, cut, len(train), printer)
    errors = pd.concat([result.table, _peers_errors(result, held)])
    printer.table(errors.rename(columns={"MAPE": "MAPE %"}), best=counted(steps, "held-out step"))
    found.steps, found.errors = steps, errors
    found.sentences = [result.verdict(), *best_of(errors["MAE"])]
    if held is not None:
        found.sentences.append(covered(held.truth, held.arrays[MODEL]))
    for sentence in found.sentences:
        printer.sentence(sentence)


def _peers_errors(result: Evaluation, held: Backtest | None) -> pd.DataFrame | None:
    """Return the errors of forecasts that stand beside the model's and the naive ones."""
    if held is None:
        return None
    truth = result.truth.to_numpy()
    known, rows = ~np.isnan(truth), {}
    for name, forecast in held.arrays.items():
        if name in result.table.index:
            continue
        y, f = truth[known], forecast.points[0, 0][known]
        scaled = mase(y, f, train=result.train.values[:, 0], season=held.season)
        rows[name] = {"MAE": mae(y, f), "RMSE": rmse(y, f), "MAPE": mape(y, f), "MASE": scaled}
    return pd.DataFrame.from_dict(rows, orient="index") if rows else None


def _print_settings(
    forecaster: Forecaster, series: Any, name: str, cut: str, learned: int, printer: Printer
) -> None:
    """Print how the data were cut (two lines) and what was chosen (one)."""
    samples, steps, features = forecaster.training_shape_
    count = len(series.values)
    printer.line("Data", f"{count} {series.calendar.phrase} steps of {name}: {cut}")
    transform = "" if forecaster.transform_ == "none" else f"{forecaster.transform_}, then "
    printer.line(
        "Network",
        f"trained on [samples, time steps, features] = [{samples}, {steps}, {features}]; "
        f"{transform}scaled to mean 0 and deviation 1, all fitted on the {learned} steps to learn "
        "from alone.",
    )
    printer.line(
        "Settings",
        f"horizon {forecaster.horizon}, season {seasons_of(forecaster)}, lookback "
        f"{forecaster.lookback_}, cell {forecaster.cell}, units {forecaster.units_}, epochs "
        f"{forecaster.epochs_}, seed {forecaster.seed}.",
    )
