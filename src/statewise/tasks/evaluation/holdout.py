"""A forecast beside the truth that was held out, and beside the forecasts that cost nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import DataError, TimeSeries, split
from statewise.tasks.evaluation.baselines import (
    baselines,
    compared_season,
    laid_out_by,
    naive_one_step,
    seasonal_naive_one_step,
)
from statewise.tasks.evaluation.metrics import mae, mape, mase, rmse
from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.evaluation.verdict import below, is_it, number, same, some, unit_of
from statewise.tasks.forecasting.adapters import as_time_series, take_in
from statewise.tasks.forecasting.forecaster import Forecaster
from statewise.tasks.forecasting.known_steps import on_calendar, places_of
from statewise.tasks.forecasting.parameters import fresh
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.result_names import MODEL, NAIVE, SEASONAL_NAIVE


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A forecaster's errors on held-out steps, beside those of the naive forecasts.

    Attributes:
        forecaster: fitted on the training part alone.
        train: the training part.
        truth: the held-out values by time; missing where the table had none.
        forecasts: by time, the columns "model", "naive" and (where the calendar offers a season,
            or one was given) "seasonal naive".
        table: a row for each of these forecasts; the columns MAE, RMSE, MAPE (in percent), MASE.
        origins: where the series was cut; None for forecasts of one step.
        season: steps in the season that the seasonal naive forecast repeats and the MASE goes by:
            of those that the calendar offers the one whose repetition errs least at the end of the
            training part, whether the model looks at it or not; 1 where there is none.
    """

    forecaster: Forecaster
    train: TimeSeries
    truth: pd.Series
    forecasts: pd.DataFrame
    table: pd.DataFrame
    origins: Origins | None = None
    season: int = 1

    def verdict(self) -> str:
        """Say in a sentence whether the model beats the naive forecasts.

        >>> series = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 9)
        >>> evaluate_closed_loop(Forecaster(horizon=4, epochs=1), series).verdict()
        'The model ... naive forecast...'
        """
        errors = self.table["MAE"]
        others = errors.drop(MODEL)
        itself, unit = self._same_as(), unit_of(self.truth.name)
        if itself is not None:
            return is_it(itself, self.forecaster, errors, unit)
        names = " and the ".join(f"{name} forecast" for name in others.index)
        values = " and ".join(map(number, others))
        compared = f"mean absolute error {number(errors[MODEL])}{unit} against {values}"
        beaten = others.index[below(errors[MODEL], others)]
        if len(beaten) == len(others):
            percent = 100 * (1 - errors[MODEL] / others.min())
            best = "the better of them" if len(others) > 1 else "that"
            return f"The model beats the {names}: {compared}, {some(percent)} less than {best}."
        if len(beaten):
            rest = others.index.difference(beaten)[0]
            return (
                f"The model beats the {beaten[0]} forecast, but not the {rest} forecast: "
                f"{compared}."
            )
        return f"The model does not beat the {names}: {compared}."

    def _same_as(self) -> str | None:
        """Return the name of the naive forecast that the model's is; None where it is none."""
        step = float(np.nanmean(np.abs(np.diff(self.train.values[:, 0]))))
        points = self.forecasts[MODEL].to_numpy()
        for name in self.forecasts.columns.drop(MODEL):
            if same(points, self.forecasts[name].to_numpy(), step):
                return str(name)
        return None


def evaluate_closed_loop(
    forecaster: Forecaster, series: Any, *, progress: Progress | None = None
) -> Evaluation:
    """Hold out the last ``forecaster.horizon`` steps, and forecast them all in closed loop.

    Args:
        forecaster: its arguments are taken; a copy of it is fitted.
        series: what `Forecaster.fit` takes.
        progress: as in `Forecaster.fit`.

    Raises:
        DataError: where the series can't be learned from, or is too short.
        TypeError, ValueError: as `Forecaster.fit`.

    >>> series = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 9)
    >>> result = evaluate_closed_loop(Forecaster(horizon=4, season=4, epochs=1), series)
    >>> result.table.shape
    (3, 4)
    """
    series = as_time_series(series)
    horizon = forecaster.horizon
    if horizon >= len(series):
        raise DataError(
            f"the series has {len(series)} time steps, so {horizon} can't be held out: take a "
            "shorter horizon"
        )
    first = len(series) - horizon
    fitted, train = _fit(forecaster, series, first, progress)
    origins = Origins(take_in(series).known, np.array([[first]]), horizon)
    season = compared_season(fitted, origins.known(0))
    # Where a season counts days without a row, the held-out steps are further ahead than rows.
    ahead = origins.ahead(0, laid_out_by(fitted))[0]
    steps = int(ahead[-1]) + 1
    points = fitted.predict() if steps == horizon else fitted.predict(steps)
    forecasts = {MODEL: points.to_numpy()[ahead]}
    for name, forecast in baselines(origins, season=season).items():
        forecasts[name] = forecast.points[0, 0]
    return _compare(fitted, train, series, forecasts, season, origins)


def evaluate_one_step(
    forecaster: Forecaster,
    series: Any,
    *,
    train_fraction: float = 0.67,
    progress: Progress | None = None,
) -> Evaluation:
    """Train on the first part, and forecast each later step from the true steps before it.

    Args:
        forecaster: its arguments are taken, but for the horizon, which is 1; a copy of it is
            fitted.
        series: what `Forecaster.fit` takes.
        train_fraction: the part to train on, between 0 and 1.
        progress: as in `Forecaster.fit`.

    Raises:
        DataError: where the series can't be learned from, is too short, or the fraction leaves
            one part empty.
        TypeError, ValueError: as `Forecaster.fit`.

    >>> series = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 9)
    >>> result = evaluate_one_step(Forecaster(horizon=1, epochs=1), series, train_fraction=0.5)
    >>> len(result.forecasts)
    18
    """
    series = as_time_series(series)
    try:
        first = len(split(series.values, train_fraction=train_fraction).train)
    except ValueError as error:
        raise DataError(str(error)) from None
    one_step = fresh(forecaster, horizon=1)
    series = series.without_hindsight(first)
    fitted, train = _fit(one_step, series, first, progress)
    season = compared_season(fitted, take_in(train).known)
    panel = on_calendar(take_in(series).known, [season])
    places, values = places_of(panel, series), panel.values[:, 0]
    begin = places[first]
    forecasts = {NAIVE: naive_one_step(values, begin)}
    if season > 1:
        forecasts[SEASONAL_NAIVE] = seasonal_naive_one_step(values, begin, season=season)
    forecasts = {
        MODEL: fitted.predict_one_step(series, first=first),
        **{name: forecast[places[first:] - begin] for name, forecast in forecasts.items()},
    }
    return _compare(fitted, train, series, forecasts, season)


def _fit(
    forecaster: Forecaster, series: TimeSeries, first: int, progress: Progress | None
) -> tuple[Forecaster, TimeSeries]:
    """Fit a copy of a forecaster on the steps before ``first``; return it and those steps."""
    train = series.until(first)
    return fresh(forecaster).fit(train, progress=progress), train


def _compare(
    fitted: Forecaster,
    train: TimeSeries,
    series: TimeSeries,
    forecasts: dict[str, np.ndarray],
    season: int,
    origins: Origins | None = None,
) -> Evaluation:
    """Measure on the steps whose truth is known."""
    time, values = series.time[len(train) :], series.values[len(train) :, 0]
    known = np.ones(len(time), bool) if series.known is None else series.known[len(train) :]
    if not known.any():
        raise DataError("no held-out step has a value in the table: there is nothing to compare")
    truth = pd.Series(np.where(known, values, np.nan), index=time, name=series.names[0])
    rows = {}
    for name, forecast in forecasts.items():
        y, f = values[known], forecast[known]
        scaled = mase(y, f, train=train.values[:, 0], season=season)
        rows[name] = {"MAE": mae(y, f), "RMSE": rmse(y, f), "MAPE": mape(y, f), "MASE": scaled}
    return Evaluation(
        forecaster=fitted,
        train=train,
        truth=truth,
        forecasts=pd.DataFrame(forecasts, index=time),
        table=pd.DataFrame.from_dict(rows, orient="index"),
        origins=origins,
        season=season,
    )
