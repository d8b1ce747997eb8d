"""Which columns of a table make its time: one, a date and a time of day, or a year, a month..."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.reading.missing import is_missing
from statewise.sequences.reading.numbers import begins_with_a_number
from statewise.sequences.reading.time_names import (
    part_of,
    parts_of,
    plainly_says_time,
    rank_of,
    says_time,
)
from statewise.sequences.reading.time_parts import (
    clock_of,
    holds_clock,
    holds_part,
    parts_by_value,
    stamps_from_parts,
    with_clock,
)
from statewise.sequences.reading.time_preference import first_of
from statewise.sequences.reading.times import (
    Times,
    holds_plain_numbers,
    holds_times,
    share_of_times,
    times_of,
)
from statewise.sequences.tables import DataError, listed

_MANY = 60  # columns; of more, those whose names say nothing are series rather than times
_WITHIN_YEARS = ("month", "quarter", "half", "week", "day")
_LITTLE = 0.2  # of the cells: a column with so many times was perhaps meant to hold them


@dataclass(frozen=True)
class TimeFound:
    """The time of a table.

    Attributes:
        columns: that make it.
        times: what they say.
        name: what to call it.
    """

    columns: tuple[str, ...]
    times: Times
    name: str


def find_time(
    frame: pd.DataFrame, *, among: Iterable[str] | None = None, dayfirst: bool | None = None
) -> TimeFound | None:
    """Find the column, or the columns, that tell the time; None where there is none.

    A date with a time of day in another column is one time; so are a year and what stands in
    columns named after its parts, in any of the common languages. Of several dates it is the one
    that is named after time alone, or a beginning rather than an end, and that goes on evenly.

    Args:
        frame: the rows of a table.
        among: the columns that it may be; by default all.
        dayfirst: whether 02/01/2020 is in January; by default the column decides.

    Raises:
        DataError: where there are several that nothing decides between.

    Example:
        >>> frame = pd.DataFrame({"ano": [2024, 2024], "mes": [9, 8], "Exp": [28789, 28745]})
        >>> found = find_time(frame)
        >>> found.columns, str(found.times.stamps[0].date())
        (('ano', 'mes'), '2024-09-01')
        >>> find_time(pd.DataFrame({"No": [1, 2], "y": [0.5, 0.25]})) is None
        True
    """
    names = _in_question(frame, among)
    dates = [name for name in names if holds_times(frame[name])]
    whole = [name for name in dates if not _is_year(frame[name])]
    parts = _named_parts(frame, names)
    if parts and not any(rank_of(name) < 3 for name in whole):
        return _of_parts(frame, parts)
    if not whole:
        parts = parts_by_value(frame[names])
        if parts:
            return _of_parts(frame, parts)
    if not dates:
        return None
    name, notes = first_of(frame, whole or dates, dayfirst)
    times = times_of(frame[name], dayfirst=dayfirst)
    times = replace(times, notes=[*times.notes, *notes])
    clock = _clock_beside(frame, name, times, [other for other in names if other not in dates])
    if clock is None:
        return TimeFound((name,), times, name)
    times = with_clock(frame[name], clock_of(frame[clock]), dayfirst=dayfirst)
    return TimeFound((name, clock), replace(times, notes=[*times.notes, *notes]), name)


def combine(frame: pd.DataFrame, names: Sequence[str], *, dayfirst: bool | None = None) -> Times:
    """Read the time that several columns make together, which the user named.

    Args:
        frame: the rows of a table.
        names: a date and a time of day; or a year and what else there is of a time, whatever
            the columns are called where they stand in the order year, month, day, hour.
        dayfirst: whether 02/01/2020 is in January; by default the column decides.

    Raises:
        DataError: where they make none.

    Example:
        >>> frame = pd.DataFrame({"Date": ["10/03/2004", "13/03/2004"], "Time": ["18.00.00"] * 2})
        >>> str(combine(frame, ["Date", "Time"]).stamps[0])
        '2004-03-10 18:00:00'
    """
    names = list(names)
    if len(names) == 1:
        return times_of(frame[names[0]], dayfirst=dayfirst)
    parts = parts_of(names)
    fitting = all(holds_part(frame[name], part) for part, name in parts.items())
    if len(parts) == len(names) and "year" in parts and fitting:
        return stamps_from_parts(frame, parts)
    dates = [name for name in names if holds_times(frame[name]) and not _is_year(frame[name])]
    clocks = [name for name in names if name not in dates and holds_clock(frame[name], named=True)]
    if len(names) == 2 and len(dates) == 1 and len(clocks) == 1:
        return with_clock(frame[dates[0]], clock_of(frame[clocks[0]]), dayfirst=dayfirst)
    order = dict(zip(("year", "month", "day", "hour", "minute", "second"), names, strict=False))
    if len(names) <= 6 and all(holds_part(frame[name], part) for part, name in order.items()):
        return stamps_from_parts(frame, order)
    raise DataError(
        f"the columns {listed(names)} make no time together: name a date and a time of day, or a "
        "year, a month, a day and an hour in this order"
    )


def looks_like_time(frame: pd.DataFrame) -> str | None:
    """Return the column that looks like a time, although it can't be read as one, or None.

    Example:
        >>> looks_like_time(pd.DataFrame({"Period": ["one", "two"], "y": [1, 2]}))
        'Period'
    """
    names = _in_question(frame, None)
    for name in names:
        if not holds_plain_numbers(frame[name]) and (
            plainly_says_time(name)
            or (says_time(name) and _has_digits(frame[name]))
            or holds_clock(frame[name])
            or share_of_times(frame[name]) > _LITTLE
        ):
            return name
    for name in names:
        part = part_of(name)
        cycles = (
            part is not None and holds_part(frame[name], part) and not _numbers_rows(frame[name])
        )
        if plainly_says_time(name) and (cycles or _counts_up(frame[name])):
            return name
    return None


def _has_digits(column: pd.Series) -> bool:
    known = column[~is_missing(column)].head(100).astype(str)
    return bool(known.str.contains(r"\d").mean() > 0.5)


def _in_question(frame: pd.DataFrame, among: Iterable[str] | None) -> list[str]:
    names = list(frame.columns if among is None else among)
    if len(names) <= _MANY:
        return names
    return [
        name
        for place, name in enumerate(names)
        if place < _MANY // 2 or says_time(name) or not begins_with_a_number(frame[name])
    ]


def _is_year(column: pd.Series) -> bool:
    """Tell a column that says no more than the year, or says it with a fraction."""
    if types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype):
        return False
    if not holds_plain_numbers(column):
        return False
    known = pd.to_numeric(column[~is_missing(column)].head(100), errors="coerce")
    return bool(known.max() < 3000)


def _named_parts(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """Return the columns that are named after parts of a time, where they make one."""
    named = parts_of(names)
    parts = {part: name for part, name in named.items() if holds_part(frame[name], part)}
    if "year" not in parts or not any(part in parts for part in _WITHIN_YEARS):
        return {}
    if "month" in parts:  # which says more than the quarter, or the week, it is in
        for coarse in ("half", "quarter", "week"):
            parts.pop(coarse, None)
    elif "week" in parts or "quarter" in parts:
        finer = "week" if "week" in parts else "quarter"
        return {part: name for part, name in parts.items() if part in ("year", finer)}
    elif "day" in parts:  # of the year, or there is no telling
        return {}
    if "day" not in parts:
        return {part: name for part, name in parts.items() if part in ("year", "month", "half")}
    if "hour" not in parts:
        return {part: name for part, name in parts.items() if part in ("year", "month", "day")}
    return parts


def _of_parts(frame: pd.DataFrame, parts: dict[str, str]) -> TimeFound:
    name = "date"
    while name in frame.columns and name not in parts.values():
        name += "_"
    return TimeFound(tuple(parts.values()), stamps_from_parts(frame, parts), name)


def _clock_beside(
    frame: pd.DataFrame, date: str, times: Times, others: Sequence[str]
) -> str | None:
    """Return the column with the time of day of dates that have none."""
    stamps = times.stamps
    if not isinstance(stamps, pd.DatetimeIndex) or stamps.tz is not None:
        return None
    known = stamps[stamps.notna()]
    if not (known == known.normalize()).all():
        return None
    found = [name for name in others if holds_clock(frame[name])]
    found.sort(key=lambda name: (rank_of(name), abs(_place(frame, name) - _place(frame, date))))
    return found[0] if found else None


def _place(frame: pd.DataFrame, name: str) -> int:
    return list(frame.columns).index(name)


def _counts_up(column: pd.Series) -> bool:
    """Tell sorted numbers that are more than numbered rows."""
    numbers = pd.to_numeric(column[~is_missing(column)], errors="coerce").to_numpy(float)
    steps = np.diff(numbers)
    in_order = bool((steps >= 0).all() or (steps <= 0).all())
    return len(steps) > 1 and in_order and not _numbers_rows(column)


def _numbers_rows(column: pd.Series) -> bool:
    numbers = pd.to_numeric(column[~is_missing(column)], errors="coerce").to_numpy(float)
    steps = np.diff(numbers)
    return bool((steps == 1).all() or (steps == -1).all())
