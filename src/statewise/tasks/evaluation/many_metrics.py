"""The measures of `measures` for many series, windows and steps at once.

Arrays are (series, windows, horizon). A true value that is missing counts nowhere.
"""

from typing import NamedTuple

import numpy as np


class Cast(NamedTuple):
    """What one way to forecast said.

    Attributes:
        points: (series, windows, horizon).
        bands: by level in percent the lower and the upper ends, of the points' shape; empty where
            it has no intervals.
    """

    points: np.ndarray
    bands: dict[float, tuple[np.ndarray, np.ndarray]]


def measure(
    truth: np.ndarray, cast: Cast, scale: np.ndarray, axes: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Measure a forecast, pooled over some axes.

    Args:
        truth: NaN where a value is missing.
        cast: what was forecast.
        scale: of the errors of each series, (series,): the mean absolute seasonal naive error
            within what was known at the first origin; NaN where there is none.
        axes: over which is averaged.

    Returns:
        By name an array of the axes that are left; NaN where nothing could be measured.

    >>> truth = np.array([[[1.0, 3.0]]])
    >>> cast = Cast(np.array([[[2.0, 3.0]]]), {80.0: (truth - 1, truth + 1)})
    >>> found = measure(truth, cast, np.array([2.0]), (0, 1, 2))
    >>> {name: round(float(value), 3) for name, value in found.items()}
    {'MAE': 0.5, 'RMSE': 0.707, 'sMAPE': 33.333, 'MASE': 0.25, 'WQL': 0.15, 'coverage-80': 100.0}
    """
    error = np.abs(truth - cast.points)
    size = np.abs(truth) + np.abs(cast.points)
    found = {
        "MAE": _mean(error, axes),
        "RMSE": np.sqrt(_mean(np.square(error), axes)),
        "sMAPE": 200 * _mean(error / np.where(size == 0, 1, size), axes),
        "MASE": _mean(error / scale[:, None, None], axes),
        "WQL": _wql(truth, cast, axes),
    }
    for level, (low, high) in cast.bands.items():
        within = np.where(np.isnan(truth), np.nan, (low <= truth) & (truth <= high))
        found[f"coverage-{level:g}"] = 100 * _mean(within, axes)
    return found


def _wql(truth: np.ndarray, cast: Cast, axes: tuple[int, ...]) -> np.ndarray:
    """Return the weighted quantile loss over the intervals' ends, the points as the median."""
    quantiles = [(0.5, cast.points)]
    for level, (low, high) in cast.bands.items():
        tail = (1 - level / 100) / 2
        quantiles += [(tail, low), (1 - tail, high)]
    loss = 0.0
    for q, forecast in quantiles:
        miss = truth - forecast
        loss = loss + 2 * np.maximum(q * miss, (q - 1) * miss)
    size = _mean(np.abs(truth), axes)
    return _mean(loss / len(quantiles), axes) / np.where(size > 0, size, np.nan)


def _mean(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    known = ~np.isnan(values)
    count = known.sum(axis=axes)
    total = np.where(known, values, 0.0).sum(axis=axes)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
