"""The forecasts that cost nothing, at every origin of every series, with their intervals.

An interval is the point, plus and minus a quantile of the normal distribution times the root mean
square of the errors one (season's) step ahead within what is known at the first origin, which grows
with the root of the steps, or seasons, ahead (Hyndman and Athanasopoulos, "Forecasting: principles
and practice", 3rd edition, 2021, section 5.5).
"""

from statistics import NormalDist

import numpy as np

from statewise.sequences import Panel
from statewise.tasks.backtest_measures import Cast
from statewise.tasks.backtest_origins import Origins


def repeated(origins: Origins, *, season: int, levels: tuple[float, ...]) -> Cast:
    """Forecast that the last season comes again; the last value, for a season of 1.

    A missing value is taken as the last known one before it; a series that is shorter than a
    season is repeated as it is.

    >>> import pandas as pd
    >>> from statewise.sequences import read_wide
    >>> from statewise.tasks.backtest_origins import cut
    >>> panel = read_wide(pd.DataFrame({"a": [3.0, 1.0, 2.0, 7.0, 9.0]}))
    >>> origins, _ = cut(panel, windows=1, horizon=2)
    >>> repeated(origins, season=2, levels=()).points
    array([[[1., 2.]]])
    """
    panel = origins.panel
    values = _filled(panel)
    length = np.minimum(season, origins.first)[..., None]  # (series, windows, 1)
    ahead = np.arange(origins.horizon)
    rows = panel.offsets[:-1, None, None] + origins.first[..., None] - length + ahead % length
    points = values[rows]
    _, spread = steps_within(origins, season=season)
    width = spread[:, None, None] * np.sqrt(ahead // length + 1)
    bands = {}
    for level in levels:
        reach = NormalDist().inv_cdf(0.5 + level / 200) * width
        bands[level] = (points - reach, points + reach)
    return Cast(points, bands)


def steps_within(origins: Origins, *, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean absolute and the root mean square of the seasonal differences, (series,).

    Those of the steps before the first origin alone. A series shorter than two seasons is measured
    by its differences over one step. The mean is NaN, and the root 0, where nothing changes.
    """
    known = origins.known(0)
    x, lengths = known.values[:, 0], known.lengths
    lag = np.where(lengths >= 2 * season, season, 1)
    at = np.arange(len(x)) - np.repeat(known.offsets[:-1], lengths)
    lags = np.repeat(lag, lengths)
    steps = np.where(at >= lags, x - x[np.maximum(np.arange(len(x)) - lags, 0)], np.nan)
    there = ~np.isnan(steps)
    steps = np.where(there, steps, 0.0)
    count = np.maximum(np.add.reduceat(there.astype(float), known.offsets[:-1]), 1)
    mean = np.add.reduceat(np.abs(steps), known.offsets[:-1]) / count
    square = np.add.reduceat(np.square(steps), known.offsets[:-1]) / count
    return np.where(mean > 0, mean, np.nan), np.sqrt(square)


def _filled(panel: Panel) -> np.ndarray:
    """Return the target with each missing value replaced by the last known one of its series."""
    x = panel.values[:, 0]
    begin = np.repeat(panel.offsets[:-1], panel.lengths)
    source = np.maximum.accumulate(np.where(np.isnan(x), begin, np.arange(len(x))))
    return x[source]
