"""The forecasts that cost nothing, to stand beside every other: naive and seasonal naive.

Closed loop means: for all steps from the values before the first of them. One step ahead means:
each step from the true values before it. A missing value (NaN) is no forecast: in its place stands
the latest one known whole seasons before, or where there is none, the latest one known.
"""

from typing import Any

import numpy as np

from statewise.sequences.bridging import latest_known


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
    return np.resize(_latest(values, min(season, len(values)))[-season:], horizon)


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
    season = min(season, first)
    return _latest(values, season)[np.arange(first, len(values)) - season]


def _series(values: Any) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not len(array):
        raise ValueError(
            f"a history is one series of at least one step, (time,); its shape is {array.shape}."
        )
    if np.isnan(array).all():
        raise ValueError(f"all {len(array)} values of the history are missing: there is none.")
    return array


def _latest(values: np.ndarray, season: int) -> np.ndarray:
    """Return for each step the latest value known whole seasons before, or itself."""
    known, ends = ~np.isnan(values), np.array([0, len(values)])
    if known.all():
        return values
    source = latest_known(known, ends, season)
    source = np.where(source >= 0, source, latest_known(known, ends, 1))
    return np.where(source >= 0, values[source], np.nan)


def _check(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}={count}: it must be at least 1.")
