"""The forecasts that cost nothing, to stand beside every other: naive and seasonal naive.

Closed loop means: for all steps from the values before the first of them. One step ahead means:
each step from the true values before it. A missing value (NaN) is no forecast: in its place stands
the latest one known whole seasons before, or where there is none, the latest one known.

In a backtest they have intervals: the point, plus and minus a quantile of the normal distribution
times the root mean square of the errors one (season's) step ahead within what is known at the first
origin, which grows with the root of the steps, or seasons, ahead (Hyndman and Athanasopoulos,
"Forecasting: principles and practice", 3rd edition, 2021, section 5.5).
"""

from statistics import NormalDist
from typing import Any

import numpy as np

from statewise.sequences import Panel
from statewise.sequences.bridging import latest_known
from statewise.sequences.holidays import positions_of
from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.evaluation.pooled import seasonal_differences
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.known_steps import on_calendar
from statewise.tasks.forecasting.never_negative import never_negative
from statewise.tasks.forecasting.result_names import NAIVE, SEASONAL_NAIVE
from statewise.tasks.forecasting.seasons import best_repeated


def naive(history: Any, horizon: int) -> np.ndarray:
    """Repeat the last value: ``f[t] = x[T - 1]``, in closed loop.

    Args:
        history: the known values, (time,).
        horizon: how many steps to forecast.

    Returns:
        (horizon,) float64.

    Raises:
        ValueError: where the history is empty or not one series, or the horizon below 1.

    >>> naive([3.0, 1.0, 2.0], horizon=2)
    array([2., 2.])
    """
    return seasonal_naive(history, horizon, season=1)


def seasonal_naive(history: Any, horizon: int, *, season: int) -> np.ndarray:
    """Repeat the last season: ``f[t] = x[t - season]``, in closed loop.

    A history shorter than a season is repeated as it is. Where the last season has a missing value,
    the forecast reaches back to the latest season that has one.

    Args:
        history: the known values, (time,); NaN where one is missing.
        horizon: how many steps to forecast.
        season: steps in a season.

    Returns:
        (horizon,) float64.

    Raises:
        ValueError: where the history is empty, not one series, or has no value at all, or a count
            is below 1.

    >>> seasonal_naive([9.0, 1.0, 2.0, 3.0], horizon=5, season=3)
    array([1., 2., 3., 1., 2.])
    >>> seasonal_naive([1.0, 2.0, 3.0, 4.0, np.nan, 6.0], horizon=3, season=3)
    array([4., 2., 6.])
    """
    values = _series(history)
    _check(horizon=horizon, season=season)
    return _of_one(values, np.array([len(values)]), np.arange(horizon), season)[0]


def naive_one_step(series: Any, first: int) -> np.ndarray:
    """Forecast each step from ``first`` on by the true value before it.

    Args:
        series: all values, (time,).
        first: the first step to forecast, at least 1.

    Returns:
        (time - first,) float64.

    Raises:
        ValueError: where ``first`` isn't a step of the series with one before it.

    >>> naive_one_step([3.0, 1.0, 2.0, 5.0], first=2)
    array([1., 2.])
    """
    return seasonal_naive_one_step(series, first, season=1)


def seasonal_naive_one_step(series: Any, first: int, *, season: int) -> np.ndarray:
    """Forecast each step from ``first`` on by the true value one season before it.

    Args:
        series: all values, (time,).
        first: the first step to forecast, at least 1. Where there is no season before it, the
            steps known then are repeated.
        season: steps in a season.

    Returns:
        (time - first,) float64.

    Raises:
        ValueError: where ``first`` isn't a step of the series with one before it, or the season
            is below 1.

    >>> seasonal_naive_one_step([1.0, 2.0, 3.0, 4.0, 5.0], first=3, season=2)
    array([2., 3.])
    """
    values = _series(series)
    _check(season=season)
    if not 1 <= first < len(values):
        raise ValueError(
            f"first={first}: it must be between 1 and {len(values) - 1}, the last step of the "
            "series."
        )
    origins = np.arange(first, len(values))
    return _of_one(values, origins, np.zeros(1, int), min(season, first))[:, 0]


def compared_season(fitted: Any, known: Panel) -> int:
    """Return the season of the seasonal naive forecast that stands beside a fitted forecaster's.

    The one that was given, or else that of all which the calendar offers whose repetition errs
    least at the end of what is known: whether the forecaster looks at it or not.

    Args:
        fitted: the forecaster.
        known: the steps that it was fitted on.
    """
    if fitted.season != "auto":
        return fitted.season_
    return best_repeated(known, fitted.horizon)


def laid_out_by(fitted: Any) -> tuple[int, ...]:
    """Return the seasons by which a forecaster counts steps; one of another make may name one."""
    return getattr(fitted, "_laid_out_by", (fitted.season_,))


def baselines(
    origins: Origins, *, season: int, levels: tuple[float, ...] = ()
) -> dict[str, Forecast]:
    """Return by name the naive forecast, and the seasonal naive one where there is a season.

    Args:
        origins: of the series.
        season: steps in a season, 1 for none.
        levels: of their intervals, in percent.
    """
    found = {NAIVE: repeated(origins, season=1, levels=levels)}
    if season > 1:
        found[SEASONAL_NAIVE] = repeated(origins, season=season, levels=levels)
    return found


def repeated(origins: Origins, *, season: int, levels: tuple[float, ...]) -> Forecast:
    """Forecast that the last season comes again; the last value, for a season of 1.

    Where the last season has no value, the interval is wider as well. Where a series never was
    below 0, no end of its intervals is.

    >>> import pandas as pd
    >>> from statewise.sequences import read_wide
    >>> from statewise.tasks.evaluation.origins import rolling_origins
    >>> panel = read_wide(pd.DataFrame({"a": [3.0, 1.0, 2.0, 7.0, 9.0]}))
    >>> origins, _ = rolling_origins(panel, windows=1, horizon=2)
    >>> repeated(origins, season=2, levels=()).points
    array([[[1., 2.]]])
    """
    panel = on_calendar(origins.panel, [season])
    ahead = np.stack([origins.ahead(w, [season]) for w in range(origins.windows)], axis=1)
    first = _first_rows(origins, panel)
    points, seasons = _latest_seasons(panel.values[:, 0], panel.offsets, first, ahead, season)
    bands = {}
    if levels:
        _, spread = steps_within(origins, season=season)
        width = spread[:, None, None] * np.sqrt(seasons)
        # As the model's: what never was below 0 stays there.
        never = [never_negative(origins.known(window)) for window in range(origins.windows)]
        least = np.where(np.stack(never, axis=1), 0.0, -np.inf)[..., None]
        for level in levels:
            reach = NormalDist().inv_cdf(0.5 + level / 200) * width
            bands[level] = (np.maximum(points - reach, least), points + reach)
    return Forecast(points, bands)


def steps_within(origins: Origins, *, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean absolute and the root mean square of the seasonal differences, (series,).

    Those of the steps before the first origin alone. A series shorter than two seasons is measured
    by its differences over one step. The mean is NaN, and the root 0, where nothing changes.
    """
    known = on_calendar(origins.known(0), [season])
    lag = np.where(known.lengths >= 2 * season, season, 1)
    steps = seasonal_differences(known.values[:, 0], known.offsets, lag)
    there = ~np.isnan(steps)
    steps = np.where(there, steps, 0.0)
    count = np.maximum(np.add.reduceat(there.astype(float), known.offsets[:-1]), 1)
    mean = np.add.reduceat(np.abs(steps), known.offsets[:-1]) / count
    square = np.add.reduceat(np.square(steps), known.offsets[:-1]) / count
    return np.where(mean > 0, mean, np.nan), np.sqrt(square)


def _series(values: Any) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not len(array):
        raise ValueError(
            f"a history is one series of at least one step, (time,); its shape is {array.shape}."
        )
    if np.isnan(array).all():
        raise ValueError(f"all {len(array)} values of the history are missing: there is none.")
    return array


def _latest_seasons(
    values: np.ndarray, offsets: np.ndarray, first: np.ndarray, ahead: np.ndarray, season: int
) -> tuple[np.ndarray, np.ndarray]:
    """Repeat the latest season that has a value.

    Args:
        values: of all series, (rows,); NaN where one is missing.
        offsets: where each series begins, (series + 1,).
        first: the row of the first step to forecast of each window, (series, windows).
        ahead: how far the steps to forecast are from it, (series, windows, horizon).
        season: steps in a season. What is shorter than one is repeated as it is.

    Returns:
        The forecast; and how many seasons lie between a step and the one that it repeats. Both
        (series, windows, horizon).
    """
    known = ~np.isnan(values)
    length = np.minimum(season, first - offsets[:-1, None])[..., None]  # (series, windows, 1)
    rows = first[..., None] - length + ahead % length
    whole = latest_known(known, offsets, season)[rows]
    there = (whole >= 0) & (length == season)
    source = np.where(there, whole, latest_known(known, offsets, 1)[rows])
    points = np.where(source >= 0, values[source], np.nan)
    return points, ahead // length + 1 + np.where(there, (rows - whole) // season, 0)


def _of_one(values: np.ndarray, first: np.ndarray, ahead: np.ndarray, season: int) -> np.ndarray:
    """Repeat the latest season of one series, from origins ``first``: (origins, horizon)."""
    every = np.broadcast_to(ahead, (1, len(first), len(ahead)))
    ends = np.array([0, len(values)])
    return _latest_seasons(values, ends, first[None], every, season)[0][0]


def _first_rows(origins: Origins, panel: Panel) -> np.ndarray:
    """Return the row after the last known one of each window in the panel, (series, windows)."""
    rows = origins.panel.offsets[:-1, None] + origins.first
    positions = positions_of(origins.panel)
    if positions is None or len(panel.values) == len(origins.panel.values):
        return rows
    return panel.offsets[:-1, None] + positions[rows - 1] + 1


def _check(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}={count}: it must be at least 1.")
