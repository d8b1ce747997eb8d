"""Weeks that have steps at certain times only: opening hours, exchanges, stations read by day.

A slot is a time within the week, in microseconds from Monday, midnight by the clock on the wall.
"""

from collections.abc import Sequence

import numpy as np

DAY = 86_400_000_000
WEEK = 7 * DAY
_MONDAY = 3 * DAY  # from a Monday to 1970-01-01
_MOST_CELLS = 86_400  # of a day: seconds
MOST_SLOTS = 20_160  # of a week: half minutes
_LEAST_DATES = 3  # on which a pattern is seen
_CHANCE = 0.01  # of a slot that is only absent: below that it is closed
_MOST_MISSING = 0.25  # of the slots of days that are open at all
_LEAST_WEEKS = 3  # that a weekday other than Saturday and Sunday is closed
_WEEKEND = np.arange(7) >= 5


def places_of(instants: np.ndarray, slots: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return which steps of all weeks stamps are, counted from 1970 on, and which are none.

    Args:
        instants: microseconds from 1970 on by the clock, (stamps,).
        slots: rising.

    Example:
        >>> monday = np.datetime64("2024-01-01", "us").astype(int)
        >>> at, wrong = places_of(monday + np.array([0, 3, WEEK + 3, 4]), [0, 3])
        >>> (at - at[0]).tolist(), wrong.tolist()
        ([0, 1, 3, 2], [False, False, False, True])
    """
    week, within = np.divmod(instants + _MONDAY, WEEK)
    times = np.asarray(slots, np.int64)
    at = np.searchsorted(times, within)
    wrong = times[np.minimum(at, len(times) - 1)] != within
    return week * len(times) + at, wrong


def instants_of(places: np.ndarray, slots: Sequence[int]) -> np.ndarray:
    """Return the stamps of steps: what `places_of` was given."""
    week, at = np.divmod(places, len(slots))
    return week * WEEK + np.asarray(slots, np.int64)[at] - _MONDAY


def find_slots(instants: np.ndarray) -> tuple[int, ...] | None:
    """Find the slots of the week at which there are stamps, regularly.

    Days may be absent, and a quarter of the slots of the others. What was never there may be so by
    chance: it counts as closed where that is very unlikely, given how many of the others are
    absent.

    Args:
        instants: strictly rising, in microseconds from 1970 on by the clock, (stamps,).

    Returns:
        The slots, rising; None where they are seen on fewer than three days, make an even span, or
        too many are absent.

    Example:
        >>> days = np.arange("2024-01-01", "2024-01-20", dtype="datetime64[D]")
        >>> days = days[np.is_busday(days)].astype("datetime64[h]")
        >>> stamps = (days[:, None] + np.arange(9, 13)).ravel().astype("datetime64[us]")
        >>> len(find_slots(stamps.astype(np.int64)))
        20
    """
    day, time = np.divmod(instants, DAY)
    new = np.append(True, np.diff(day) > 0)
    dates = day[new]
    if len(dates) < _LEAST_DATES or len(instants) < 2 * len(dates):
        return None
    raster = int(np.gcd(np.gcd.reduce(time), DAY))
    cells = DAY // raster
    if cells > _MOST_CELLS:
        return None
    at = (day + 3) % 7 * cells + time // raster
    used = np.bincount(at, minlength=7 * cells).reshape(7, cells)  # dates, by weekday and time
    dates_of = np.bincount((dates + 3) % 7, minlength=7)
    opened = _opened(used, dates_of, len(instants))
    if opened is None:
        return None
    opened = _with_unseen_days(opened, dates, dates_of)
    expected = int((opened.sum(1) * dates_of).sum())
    if expected - len(instants) > _MOST_MISSING * expected:
        return None
    weekday, cell = np.nonzero(opened)
    slots = weekday * DAY + cell * raster
    steps = np.diff(np.append(slots, slots[0] + WEEK))
    if len(slots) > MOST_SLOTS or (steps == steps[0]).all():
        return None
    return tuple(slots.tolist())


def _opened(used: np.ndarray, dates_of: np.ndarray, given: int) -> np.ndarray | None:
    """Return which times are slots of which weekdays, (7, cells); None where there's no telling."""
    ever = used.sum(0) > 0  # at some weekday
    missing = 1 - given / (dates_of.sum() * ever.sum())
    if missing ** dates_of.sum() * (~ever).sum() > _CHANCE:
        return None
    seen = used > 0
    missing = 1 - given / (seen * dates_of[:, None]).sum()
    # A time of other weekdays is closed on this one where it's unlikely to be absent by chance.
    sure = (dates_of >= _LEAST_DATES) & (missing**dates_of * ever.sum() < _CHANCE)
    opened = np.where(sure[:, None], seen, ever) & (dates_of > 0)[:, None]
    alike = (opened == ever).all(1)
    return opened if dates_of[alike].sum() >= _LEAST_DATES * alike.any() else None


def _with_unseen_days(opened: np.ndarray, dates: np.ndarray, dates_of: np.ndarray) -> np.ndarray:
    """Open weekdays without a date that are not known to be closed, where days are alike."""
    weeks = np.bincount((np.arange(dates[0], dates[-1] + 1) + 3) % 7, minlength=7)
    unknown = (dates_of == 0) & (weeks < np.where(_WEEKEND, 1, _LEAST_WEEKS))
    there = opened[dates_of > 0]
    if (there == there[0]).all():
        opened = np.where(unknown[:, None], there[0], opened)
    return opened
