"""Months that have steps on certain days: the 1st and the 15th, or the third Friday.

A day that a month hasn't stands for its last one; 31 is always the last.
"""

from collections.abc import Sequence

import numpy as np

_MOST_DAYS = 6  # of a month: every five days
_LEAST_MONTHS = 3  # in which a day is seen


def places_of(dates: np.ndarray, days: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return which steps of all months dates are, counted from 1970 on, and which are none.

    Args:
        dates: datetime64[D], (dates,).
        days: of a month, rising.

    Example:
        >>> dates = np.array(["2024-01-15", "2024-01-31", "2024-02-15", "2024-02-29"], "M8[D]")
        >>> at, wrong = places_of(dates, [15, 31])
        >>> (at - at[0]).tolist(), wrong.any()
        ([0, 1, 2, 3], np.False_)
    """
    months, day, length = _parts(dates)
    at, wrong = np.zeros(len(dates), np.int64), np.ones(len(dates), bool)
    for i, wanted in enumerate(days):
        here = day == np.minimum(wanted, length)
        at[here], wrong[here] = i, False
    return months * len(days) + at, wrong


def dates_of(places: np.ndarray, days: Sequence[int]) -> np.ndarray:
    """Return the dates of steps: what `places_of` was given."""
    months, at = np.divmod(places, len(days))
    first = months.astype("datetime64[M]")
    length = _length(first)
    day = np.minimum(np.asarray(days, np.int64)[at], length)
    return first.astype("datetime64[D]") + (day - 1)


def find_days(dates: np.ndarray) -> tuple[int, ...] | None:
    """Find the days of the month on which dates fall, regularly.

    Args:
        dates: datetime64[D], strictly rising.

    Returns:
        Two days to six, rising, each seen in three months; None where there are none such.

    Example:
        >>> months = np.arange("2023-01", "2024-01", dtype="datetime64[M]").astype("M8[D]")
        >>> find_days(np.sort(np.concatenate([months, months + 14])))
        (1, 15)
    """
    _, day, length = _parts(dates)
    late = day >= 28
    last = 31 if (day == length)[late].all() else int(day.max())
    day = np.where(late & (day == np.minimum(last, length)), last, day)
    days, counts = np.unique(day, return_counts=True)
    if not 2 <= len(days) <= _MOST_DAYS or counts.min() < _LEAST_MONTHS:
        return None
    return tuple(days.tolist())


def find_weekday(dates: np.ndarray) -> int | None:
    """Find which of its kind in the month all dates are: 1 for the first Friday, 5 for the last.

    Args:
        dates: datetime64[D], of one weekday, each of another month.

    Example:
        >>> find_weekday(np.array(["2024-01-19", "2024-02-16", "2024-03-15"], "M8[D]"))
        3
    """
    _, day, length = _parts(dates)
    which = (day - 1) // 7 + 1
    if (which == which[0]).all() and which[0] < 5:
        return int(which[0])
    return 5 if (length - day < 7).all() else None


def weekdays_of(months: np.ndarray, weekday: int, which: int) -> np.ndarray:
    """Return a weekday of months, counted from 1970 on: what `find_weekday` found.

    Args:
        months: int.
        weekday: 0 for Monday.
        which: of them.
    """
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    begin = (first.astype(np.int64) + 3) % 7
    day = (weekday - begin) % 7 + 7 * (which - 1)
    return first + np.where(day < _length(months.astype("datetime64[M]")), day, day - 7)


def _parts(dates: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return months from 1970 on, days of the month, and how long the months are."""
    months = dates.astype("datetime64[M]")
    day = (dates - months.astype("datetime64[D]")).astype(np.int64) + 1
    return months.astype(np.int64), day, _length(months)


def _length(months: np.ndarray) -> np.ndarray:
    begin = months.astype("datetime64[D]")
    return ((months + 1).astype("datetime64[D]") - begin).astype(np.int64)
