"""The forecasts that cost nothing, at every origin of every series, with their intervals.

An interval is the point, plus and minus a quantile of the normal distribution times the root mean
square of the errors one (season's) step ahead within what is known at the first origin, which grows
with the root of the steps, or seasons, ahead (Hyndman and Athanasopoulos, "Forecasting: principles
and practice", 3rd edition, 2021, section 5.5).
"""

from statistics import NormalDist

import numpy as np

from statewise.sequences import Panel
from statewise.sequences.bridging import latest_known
from statewise.sequences.holidays import positions_of
from statewise.tasks.evaluation.many_metrics import Cast
from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.forecasting.known_steps import on_calendar


def repeated(origins: Origins, *, season: int, levels: tuple[float, ...]) -> Cast:
    """Forecast that the last season comes again; the last value, for a season of 1.

    A missing value is taken from the latest season that has one, and its interval is as much wider;
    where none has, it is the last known one before it. A series that is shorter than a season is
    repeated as it is.

    >>> import pandas as pd
    >>> from statewise.sequences import read_wide
    >>> from statewise.tasks.evaluation.origins import cut
    >>> panel = read_wide(pd.DataFrame({"a": [3.0, 1.0, 2.0, 7.0, 9.0]}))
    >>> origins, _ = cut(panel, windows=1, horizon=2)
    >>> repeated(origins, season=2, levels=()).points
    array([[[1., 2.]]])
    """
    panel = on_calendar(origins.panel, season)
    ahead = np.stack([origins.ahead(w, season) for w in range(origins.windows)], axis=1)
    known = ~np.isnan(panel.values[:, 0])
    begin, origin = panel.offsets[:-1, None], _origins(origins, panel)
    length = np.minimum(season, origin - begin)[..., None]  # (series, windows, 1)
    rows = origin[..., None] - length + ahead % length
    whole = latest_known(known, panel.offsets, season)[rows]
    there = (whole >= 0) & (length == season)
    source = np.where(there, whole, latest_known(known, panel.offsets, 1)[rows])
    points = panel.values[source, 0]
    points = np.where(source >= 0, points, np.nan)
    missed = np.where(there, (rows - whole) // season, 0)
    _, spread = steps_within(origins, season=season)
    width = spread[:, None, None] * np.sqrt(ahead // length + 1 + missed)
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
    known = on_calendar(origins.known(0), season)
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


def _origins(origins: Origins, panel: Panel) -> np.ndarray:
    """Return the row after the last known one of each window in the panel, (series, windows)."""
    rows = origins.panel.offsets[:-1, None] + origins.first
    if len(panel.values) == len(origins.panel.values):
        return rows
    return panel.offsets[:-1, None] + positions_of(origins.panel)[rows - 1] + 1
