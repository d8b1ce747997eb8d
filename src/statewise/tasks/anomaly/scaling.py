"""Series scaled for a network, and the season that their time and values show."""

from collections.abc import Sequence

import numpy as np

from statewise.sequences.cycles import find_cycle
from statewise.sequences.season import season_lengths

LONGEST = 2048  # steps of a season at most: each is part of a stream's state
_FARTHEST = 1e6  # deviations: a value that is farther is shown as this
_GAIN = 0.9  # times the error half a season apart: what a season has to err less than
_DAY = 86_400.0
_LONGER = ((6.9, 7.1, "W"), (27.5, 31.5, "MS"), (89.0, 93.0, "QS"))  # days between two steps


def scale_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the average and the deviation of each feature, (features,) each.

    What hardly deviates is measured by a thousandth of its size, or by 1 around zero.
    """
    counts = np.maximum((~np.isnan(values)).sum(0), 1)
    center = np.nansum(values, 0) / counts
    size = np.maximum(np.abs(center), np.abs(np.nan_to_num(values)).max(0))
    off = (values - center) / np.where(size > 0, size, 1.0)  # no square overflows
    spread = np.sqrt(np.nansum(off**2, 0) / counts) * np.where(size > 0, size, 1.0)
    least = np.where(size > 0, 1e-9 * size, 1.0)
    return center, np.where(spread > least, spread, np.where(size > 0, 1e-3 * size, 1.0))


def scaled(values: np.ndarray, center: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return scaled values and whether they are known, (time, 2 features) float32."""
    known = ~np.isnan(values)
    off = np.where(known, (np.nan_to_num(values) - center) / spread, 0.0)
    both = [np.clip(off, -_FARTHEST, _FARTHEST), known]
    return np.concatenate(both, 1).astype(np.float32)


def find_season(series: Sequence[np.ndarray], between: float, *, stamped: bool) -> int:
    """Return how many steps a season has, 1 for none.

    Of the lengths that the calendar offers (the day, the week...) that is the one whose repetition
    errs least, if it errs less than nine tenths of what half a season apart does: what is only near
    in time is alike too. Where there is no calendar, the values have to repeat themselves plainly.

    Args:
        series: (time, features) each, NaN where missing.
        between: seconds between two steps; 0 if unknown.
        stamped: whether there are time stamps.
    """
    longest = max(series, key=len)
    if not stamped or not between:
        found = find_cycle(longest[:, 0])
        return found if found <= LONGEST else 1
    best, season = np.inf, 1
    for length in _lengths(between):
        if not 1 < length <= LONGEST or len(longest) < 2 * length:
            continue
        errs = _error(longest, length)
        if errs < min(best, _GAIN * _error(longest, length // 2)):
            best, season = errs, length
    return season


def _lengths(between: float) -> list[int]:
    days = between / _DAY
    for least, most, alias in _LONGER:
        if least < days < most:
            return season_lengths(alias)
    if between < _DAY and between == int(between):
        return season_lengths(f"{int(between)}s")
    return season_lengths("D") if between == _DAY else []


def _error(values: np.ndarray, length: int) -> float:
    """Return how far values are from those so many steps earlier, in spreads around the median."""
    off = np.abs(values[length:] - values[:-length])
    around = np.abs(values - np.nanmedian(values, 0))
    if np.isnan(off).all() or not np.nansum(around) > 0:
        return np.inf
    return float(np.nanmean(off) / np.nanmean(around))
