"""Which calendar time stamps keep to: months, business days, a fixed span, ..., or none.

Each `_find_...` knows one kind of calendar and returns it with all its stamps, or None.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from statewise.sequences.calendars import Calendar
from statewise.sequences.zones import in_place_of, in_zone, on_the_wall

_MOST_HOLIDAYS = 0.1  # of the weekdays; a calendar of exchanges leaves out 3 to 7 %
_LEAST_CLOSED = 5  # weeks in a row without a weekday, from which on it is one of no business
_SHORTEST_DAY = np.timedelta64(22, "h")  # the clock has been set forward by two hours, not more
_FARTHEST = 2**62  # from the first number to the last: steps beyond would be wrapped
_MOST_ABSENT = 0.5  # rows absent for each row there; beyond that the stamps have no calendar


def find_calendar(stamps: pd.Index) -> tuple[Calendar, pd.Index] | None:
    """Find the calendar that strictly increasing stamps keep to.

    Args:
        stamps: at least 3 time stamps or numbers, each above the one before.

    Returns:
        The calendar, and the stamps that it has from the first to the last given one: those
        that are not among the given ones are absent. ``None`` where more than half as many would
        be absent as there are, for then the stamps are uneven.

    Example:
        >>> calendar, _ = find_calendar(pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"]))
        >>> calendar.phrase, calendar.frequency
        ('monthly', 'ME')
        >>> [str(stamp.date()) for stamp in calendar.after(pd.Timestamp("2020-03-31"), 2)]
        ['2020-04-30', '2020-05-31']
    """
    if not isinstance(stamps, pd.DatetimeIndex):
        return _find_numbers(stamps)
    if stamps.tz is not None:
        return _find_in_zone(stamps)
    for find in _FINDERS:
        found = find(stamps)
        if found is not None:
            return found
    return None


def _find_in_zone(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    """Find what stamps keep to by the clock of their zone, or as instants."""
    zone, instants = stamps.tz, stamps.tz_convert(None)
    within_days = np.median(np.diff(instants.to_numpy())) < _SHORTEST_DAY
    if within_days:  # hours are even as instants
        found = _find_span(instants)
        if found is not None:
            return found[0], found[1].tz_localize("UTC").tz_convert(zone)
    wall, time_of_day = (stamps.tz_localize(None), None) if within_days else on_the_wall(stamps)
    if wall.is_unique and wall.is_monotonic_increasing:
        for find in _FINDERS:
            found = find(wall)
            if found is not None:
                calendar, grid = found
                unit = "clock" if calendar.unit == "time" else calendar.unit
                places = grid.get_indexer(wall)
                return (
                    replace(calendar, unit=unit, time_of_day=time_of_day),
                    in_place_of(in_zone(grid, zone), places, stamps),
                )
    found = None if within_days else _find_span(instants)  # each at one time of day elsewhere
    return None if found is None else (found[0], found[1].tz_localize("UTC").tz_convert(zone))


def _find_numbers(numbers: pd.Index) -> tuple[Calendar, pd.Index] | None:
    values = numbers.to_numpy()
    if values.dtype.kind in "iu" and int(values[-1]) - int(values[0]) >= _FARTHEST:
        return None
    steps = np.diff(values)
    if np.issubdtype(values.dtype, np.integer):
        whole = int(np.gcd.reduce(steps))
        count = int((values[-1] - values[0]) // whole) + 1
        return _unless_too_sparse(Calendar("number", whole), values[0], count, len(values))
    step = float((values[-1] - values[0]) / len(steps))
    # Years written as 1949.08, 1949.17 are rounded by whoever wrote them.
    if np.abs(steps - step).max() > 0.15 * step:
        return None
    return Calendar("number", step), numbers


def _find_months(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    numbers = stamps.year * 12 + stamps.month
    step = int(np.gcd.reduce(np.diff(numbers)))
    if step == 0 or (np.diff(numbers) == 0).any():
        return None
    anchor = 31 if stamps.is_month_end.all() else int(stamps.day.max())
    same_day = stamps.day == np.minimum(anchor, stamps.days_in_month)
    if not (same_day.all() and _same_time_of_day(stamps)):
        return None
    count = int(numbers[-1] - numbers[0]) // step + 1
    return _unless_too_sparse(Calendar("month", step, anchor), stamps[0], count, len(stamps))


def _find_business_months(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    numbers = stamps.year * 12 + stamps.month
    step = int(np.gcd.reduce(np.diff(numbers)))
    ends = stamps.normalize() == stamps.normalize() + pd.offsets.BMonthEnd(0)
    if step == 0 or not (ends.all() and _same_time_of_day(stamps)):
        return None
    count = int(numbers[-1] - numbers[0]) // step + 1
    return _unless_too_sparse(Calendar("business month end", step), stamps[0], count, len(stamps))


def _find_business_days(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    if (stamps.day_of_week > 4).any() or not _same_time_of_day(stamps):
        return None
    days = stamps.to_numpy().astype("datetime64[D]")
    weekdays = int(np.busday_count(days[0], days[-1])) + 1
    spans_a_weekend = int((days[-1] - days[0]).astype(int)) + 1 > weekdays
    if not spans_a_weekend or weekdays - len(stamps) > _MOST_HOLIDAYS * weekdays:
        return None
    return Calendar("business day", 1), stamps  # weekdays without a row are holidays


def _find_open_days(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    """Find days on which the same weekdays are always left out, such as six-day weeks."""
    present = np.bincount(stamps.day_of_week, minlength=7) > 0
    if present.all() or present.sum() < 2 or not _same_time_of_day(stamps):
        return None
    days = stamps.to_numpy().astype("datetime64[D]")
    if (np.diff(days) == np.timedelta64(0)).any():
        return None
    opened = int(np.busday_count(days[0], days[-1], present)) + 1
    closed = [np.busday_count(days[0], days[-1], np.arange(7) == day) for day in range(7)]
    if (
        min(count for count, there in zip(closed, present, strict=True) if not there)
        < _LEAST_CLOSED
    ):
        return None
    if opened - len(stamps) > _MOST_HOLIDAYS * opened:
        return None
    mask = sum(1 << day for day in range(7) if present[day])
    return Calendar("open day", 1, mask), stamps  # open days without a row are holidays


def _find_span(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    instants = stamps.to_numpy().astype("datetime64[us]").astype(np.int64)
    step = int(np.gcd.reduce(np.diff(instants)))
    count = int(instants[-1] - instants[0]) // step + 1
    calendar = Calendar("time", step, int(stamps.day_of_week[0]))
    return _unless_too_sparse(calendar, stamps[0], count, len(stamps))


_FINDERS = (
    _find_months,
    _find_business_months,
    _find_business_days,
    _find_open_days,
    _find_span,
)


def _unless_too_sparse(calendar, first, count, given):
    if count - given > _MOST_ABSENT * given:
        return None
    return calendar, calendar.stamps(first, count)


def _same_time_of_day(stamps: pd.DatetimeIndex) -> bool:
    return bool((stamps - stamps.normalize() == stamps[0] - stamps[0].normalize()).all())
