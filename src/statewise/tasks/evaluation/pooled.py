"""The formulas of the measures, averaged over some axes of many forecasts at once.

A value that is missing (NaN) counts nowhere; where nothing is left to average, the result is NaN.
``axes`` are those to average over, None for all.
"""

from collections.abc import Sequence

import numpy as np

from statewise.tasks.forecasting.forecast import Forecast

Axes = tuple[int, ...] | None


def mean_absolute(errors: np.ndarray, axes: Axes = None) -> np.ndarray:
    """Return the mean absolute error."""
    return _mean(np.abs(errors), axes)


def root_mean_square(errors: np.ndarray, axes: Axes = None) -> np.ndarray:
    """Return the root of the mean squared error."""
    return np.sqrt(_mean(np.square(errors), axes))


def symmetric_percentage(truth: np.ndarray, points: np.ndarray, axes: Axes = None) -> np.ndarray:
    """Return the symmetric percentage error, 0 to 200."""
    size = np.abs(truth) + np.abs(points)
    return 200 * _mean(np.abs(truth - points) / np.where(size == 0, 1, size), axes)


def weighted_quantile_loss(
    truth: np.ndarray, quantiles: Sequence[tuple[float, np.ndarray]], axes: Axes = None
) -> np.ndarray:
    """Return the weighted quantile loss.

    Args:
        truth: the true values.
        quantiles: pairs of a quantile, between 0 and 1, and its forecasts, of the truth's shape.
        axes: to average over.
    """
    loss = np.zeros_like(truth)
    for q, forecast in quantiles:
        miss = truth - forecast
        loss = loss + 2 * np.maximum(q * miss, (q - 1) * miss)
    size = _mean(np.abs(truth), axes)
    return _mean(loss / len(quantiles), axes) / np.where(size > 0, size, np.nan)


def percent_within(
    truth: np.ndarray, low: np.ndarray, high: np.ndarray, axes: Axes = None
) -> np.ndarray:
    """Return how many percent of the true values lie within intervals, the ends included."""
    within = np.where(np.isnan(truth), np.nan, (low <= truth) & (truth <= high))
    return 100 * _mean(within, axes)


def seasonal_differences(values: np.ndarray, offsets: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Return by how much each step differs from the one ``lags`` before; NaN where there is none.

    Args:
        values: (rows,).
        offsets: where each series begins, (series + 1,).
        lags: of each series, (series,).

    >>> seasonal_differences(np.array([1.0, 2, 4, 7, 9]), np.array([0, 3, 5]), np.array([2, 1]))
    array([nan, nan,  3., nan,  2.])
    """
    lengths, rows = np.diff(offsets), np.arange(len(values))
    lag = np.repeat(lags, lengths)
    there = rows - np.repeat(offsets[:-1], lengths) >= lag
    return np.where(there, values - values[np.where(there, rows - lag, 0)], np.nan)


def measure(
    truth: np.ndarray, forecast: Forecast, scale: np.ndarray, axes: Axes
) -> dict[str, np.ndarray]:
    """Measure forecasts of many series and windows, pooled over some axes.

    Args:
        truth: (series, windows, horizon), NaN where a value is missing.
        forecast: of the truth's shape.
        scale: of the errors of each series, (series,): the mean absolute seasonal naive error
            within what was known at the first origin; NaN where there is none.
        axes: over which is averaged.

    Returns:
        By name an array of the axes that are left; NaN where nothing could be measured.

    >>> truth = np.array([[[1.0, 3.0]]])
    >>> forecast = Forecast(np.array([[[2.0, 3.0]]]), {80.0: (truth - 1, truth + 1)})
    >>> found = measure(truth, forecast, np.array([2.0]), (0, 1, 2))
    >>> {name: round(float(value), 3) for name, value in found.items()}
    {'MAE': 0.5, 'RMSE': 0.707, 'sMAPE': 33.333, 'MASE': 0.25, 'WQL': 0.15, 'coverage-80': 100.0}
    """
    points, bands = forecast
    errors, quantiles = truth - points, [(0.5, points)]
    for level, (low, high) in bands.items():
        tail = (1 - level / 100) / 2
        quantiles += [(tail, low), (1 - tail, high)]
    found = {
        "MAE": mean_absolute(errors, axes),
        "RMSE": root_mean_square(errors, axes),
        "sMAPE": symmetric_percentage(truth, points, axes),
        "MASE": mean_absolute(errors / scale[:, None, None], axes),
        "WQL": weighted_quantile_loss(truth, quantiles, axes),
    }
    for level, (low, high) in bands.items():
        found[f"coverage-{level:g}"] = percent_within(truth, low, high, axes)
    return found


def _mean(values: np.ndarray, axes: Axes) -> np.ndarray:
    known = ~np.isnan(values)
    count = known.sum(axis=axes)
    total = np.where(known, values, 0.0).sum(axis=axes)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
