"""The length of the season: proposed by the calendar, confirmed by the values."""

import math
import re
from typing import Any

import numpy as np

from statewise.sequences.arrays import as_series

_CYCLES = {  # pandas' alias: seconds in a step, for the fixed spans
    "D": 86_400,
    "h": 3_600,
    "min": 60,
    "s": 1,
}
_YEARLY = {"MS": 12, "ME": 12, "BME": 12, "BMS": 12, "WOM": 12, "LWOM": 12, "SMS": 24, "SME": 24}
_YEARLY |= {"QS": 4, "QE": 4, "W": 52}
# The week, then the year; that of business days is 52 weeks, which keeps weekdays and holidays in
# their places. A year of hours is longer than what a model could look back on.
_DAILY = {"D": [7, 365], "B": [5, 260]}
_LEAST_CORRELATION = 0.3
_LEAST_SEASONS = 3
_LEAST_SHARE = 0.5  # of a season's steps that are known, for their average to tell of it


def guess_season(frequency: str, values: Any) -> int:
    """Guess how many steps a season has: a length the calendar proposes and the values confirm.

    The calendar proposes the year for months (12), quarters (4) and weeks (52), the week and then
    the year for days (7, 365), business days (5, 260) and other open days (C-6: 6, 312), the day
    and then the week for shorter steps (hours: 24, 168) and for opening hours (C-13-65: 13, 65),
    and for steps below an hour the hour last. The first length is taken at which the values, less
    their moving average over that length, go along with themselves: a correlation of at least 0.3,
    and of two standard errors. A series of fewer than three seasons confirms nothing.

    Args:
        frequency: pandas' alias, as in ``TimeSeries.frequency``: MS, QS, W-SUN, D, B, h, 30min.
        values: the training part, (time,) or (time, features), of which the first feature
            counts. It holds no missing values.

    Returns:
        The number of steps, 1 where there is no season.

    Raises:
        TypeError: where the values are no real numbers.
        ValueError: where they have a wrong shape, or some are missing or infinite.

    Example:
        >>> from statewise.datasets import airline
        >>> guess_season("MS", airline()["passengers"])
        12
        >>> guess_season("MS", range(100))
        1
    """
    target = as_series(values, "values")[:, 0].astype(np.float64)
    if not np.isfinite(target).all():
        raise ValueError("values must be finite: fill in missing values first")
    return find_season(frequency, target)


def find_season(frequency: str, values: np.ndarray) -> int:
    """Guess a season as `guess_season` does, of a target (time,) that may have missing values.

    They stay in their places: what is left out would shift every step that follows.

    Example:
        >>> week = np.array([10.0, 20, 30, 40, 50, 80, np.nan])  # closed on Sundays
        >>> find_season("D", np.tile(week, 8))
        7
    """
    for length in season_lengths(frequency):
        if _confirms(values, length):
            return length
    return 1


def season_lengths(frequency: str) -> list[int]:
    """Return the lengths that a calendar proposes, the likeliest first.

    Example:
        >>> season_lengths("30min")
        [48, 336, 2]
        >>> season_lengths("D")
        [7, 365]
        >>> season_lengths("C-6")
        [6, 312]
        >>> season_lengths("C-13-65")
        [13, 65]
    """
    if re.fullmatch(r"C-[2-6]", frequency):  # open days: their week and year
        return [int(frequency[2:]), 52 * int(frequency[2:])]
    opened = re.fullmatch(r"C-(Y?)(\d+)-?(\d+)?", frequency)
    if opened:  # steps of a year, of a week, or of a day and a week
        return [int(steps) for steps in opened.groups()[1:] if int(steps or 1) > 1]
    match = re.fullmatch(r"(\d*)([A-Za-z]+)(-\d?[A-Z]+)?", frequency)
    if match is None:
        return []
    count, alias = int(match[1] or 1), match[2]
    if alias in _YEARLY:
        length, rest = divmod(_YEARLY[alias], count)
        return [length] if length > 1 and not rest else []
    if alias in _DAILY and count == 1:
        return list(_DAILY[alias])
    if alias not in _CYCLES:
        return []
    step = count * _CYCLES[alias]
    cycles = (86_400, 7 * 86_400, 3_600)
    return [cycle // step for cycle in cycles if cycle % step == 0 and cycle > step]


def _confirms(values: np.ndarray, length: int) -> bool:
    if len(values) < _LEAST_SEASONS * length:
        return False
    if np.isnan(values).any():
        return _confirms_known(values, length)
    season = values - _moving_average(values, length)
    season = season[length // 2 : len(values) - length // 2]  # where the average is whole
    season = season - season.mean()
    spread = float(season @ season)
    # What rounding leaves of a straight line is no season.
    if spread <= len(season) * (1e-9 * np.abs(values).max()) ** 2:
        return False
    pairs = len(season) - length
    correlation = float(season[length:] @ season[:-length]) / spread * len(season) / pairs
    return correlation >= max(_LEAST_CORRELATION, 2 / math.sqrt(pairs))


def _confirms_known(values: np.ndarray, length: int) -> bool:
    """Confirm a length by what is known: the average of the known, pairs of which both are."""
    known = ~np.isnan(values)
    if not known.any():
        return False
    share = _moving_average(known.astype(np.float64), length)
    average = _moving_average(np.where(known, values, 0.0), length) / np.maximum(share, 1e-9)
    season = np.where(known & (share >= _LEAST_SHARE), values - average, np.nan)
    season = season[length // 2 : len(values) - length // 2]
    there = ~np.isnan(season)
    count = int(there.sum())
    pairs = there[length:] & there[:-length]
    if not pairs.any():
        return False
    season = np.where(there, season - season[there].mean(), 0.0)
    spread = float(season @ season)
    if spread <= count * (1e-9 * np.abs(values[known]).max()) ** 2:
        return False
    product = float((season[length:] * season[:-length])[pairs].sum())
    correlation = product / spread * count / int(pairs.sum())
    return correlation >= max(_LEAST_CORRELATION, 2 / math.sqrt(int(pairs.sum())))


def _moving_average(values: np.ndarray, length: int) -> np.ndarray:
    """Average over one season around each step; for an even length both ends count half."""
    weights = np.ones(length) if length % 2 else np.concatenate([[0.5], np.ones(length - 1), [0.5]])
    return np.convolve(values, weights / length, mode="same")
