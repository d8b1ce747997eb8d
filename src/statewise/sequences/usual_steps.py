"""The step that uneven stamps nearly have: what to bring them to."""

import numpy as np
import pandas as pd

_UNITS = [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("min", 60_000_000)]
_UNITS += [("h", 3_600_000_000), ("D", 86_400_000_000)]
_DAY = 86_400_000_000
_OF_SECOND = [1, 2, 5, 10, 20, 50, 100, 200, 500]  # so many of a unit: round steps
_OF_MINUTE = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30]
_OF_DAY = [1, 2, 3, 4, 6, 8, 12]
_PARTS = [_OF_SECOND, _OF_SECOND, _OF_MINUTE, _OF_MINUTE, _OF_DAY, [1, 7, 14]]
_ROUND = [n * size for (_, size), parts in zip(_UNITS, _PARTS, strict=True) for n in parts]
_MONTHS = {1: (28, 31), 2: (59, 62), 3: (89, 92), 4: (120, 123), 6: (181, 184), 12: (365, 366)}
_MOST_STEPS = 1.5  # for each that has a stamp: beyond that they have no calendar


def usual_step(stamps: pd.Index) -> str | None:
    """Return the step that most time stamps have, or nearly have, as an alias of pandas.

    Where half of the steps are one and the same, it's that; where half are months, quarters or
    years, it's those: at the end of the month where more than half of the stamps are. Else the
    median step is rounded to one that a clock or a calendar is cut into, and of which two thirds
    have a stamp.

    Args:
        stamps: in any order, once or several times each.

    Returns:
        Such as "15min", "1h", "1D", "7D", "1MS" or "1ME"; None for numbers, and where there are
        fewer than two stamps.

    Example:
        >>> usual_step(pd.to_datetime(["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:20"]))
        '1h'
        >>> usual_step(pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30"]))
        '1ME'
    """
    if not isinstance(stamps, pd.DatetimeIndex):
        return None
    unique = stamps.dropna().unique().sort_values()
    if len(unique) < 2:
        return None
    steps = _steps(unique.tz_convert(None) if unique.tz is not None else unique)
    if np.median(steps) > 0.9 * _DAY and unique.tz is not None:  # a day may have 23 hours
        unique = unique.tz_localize(None).unique().sort_values()
        steps = _steps(unique)
    found, counts = np.unique(steps, return_counts=True)
    usual = int(found[counts.argmax()])
    for months, (least, most) in _MONTHS.items():
        if ((steps >= least * _DAY) & (steps <= most * _DAY)).mean() >= 0.5:
            ends = (unique.days_in_month - unique.day <= 2).mean() > 0.5
            return f"{months}M{'E' if ends else 'S'}"
    if 2 * counts.max() >= len(steps) and usual <= 27 * _DAY:
        return _alias(usual)
    return _rounded(unique, float(np.median(steps)))


def _steps(stamps: pd.DatetimeIndex) -> np.ndarray:
    """Return steps in microseconds, without the zeros that smaller ones leave."""
    return np.maximum(np.diff(stamps.to_numpy().astype("datetime64[us]").astype(np.int64)), 1)


def _alias(step: int) -> str:
    name, size = next((n, s) for n, s in reversed(_UNITS) if step % s == 0)
    return f"{step // size}{name}"


def _rounded(stamps: pd.DatetimeIndex, step: float) -> str:
    """Return the round step that is nearest by its ratio, or the next one that is filled.

    Stamps that come by chance leave every third of the steps in their middle empty, and steps of
    which so many are absent are refused.
    """
    if step > 27 * _DAY:
        months = min(_MONTHS, key=lambda count: abs(np.log(step / (30.44 * _DAY * count))))
        return f"{months}MS"
    nearest = min(_ROUND, key=lambda one: abs(np.log(step / one)))
    plain = stamps.tz_convert(None) if stamps.tz is not None else stamps
    instants = plain.to_numpy().astype("datetime64[us]").astype(np.int64)
    for size in (one for one in _ROUND if one >= nearest):
        places = instants // size  # they rise
        filled = 1 + np.count_nonzero(np.diff(places))
        if places[-1] - places[0] < _MOST_STEPS * filled:
            return _alias(size)
    return _alias(nearest)
