"""Which calendar time stamps keep to: months, business days, a fixed span, ..., or none.

Each `_find_...` knows one kind of calendar and returns it with all its stamps, or None.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from statewise.sequences import month_days, week_slots
from statewise.sequences.calendars import Calendar
from statewise.sequences.usual_steps import usual_step as usual_step
from statewise.sequences.zones import comes, in_place_of, in_zone, on_the_wall

_MONDAY_TO_FRIDAY = np.arange(7) < 5
_MOST_HOLIDAYS = 0.1  # of the weekdays; a calendar of exchanges leaves out 3 to 7 %
_FEW_HOLIDAYS = 3  # which even a short series may have: the turn of the year
_CLOSURE = 5  # open days in a row: no holidays, but a summer break
_LEAST_CLOSED = 5  # weeks in a row without a weekday, from which on it is one of no business
_MOST_DAYS_OFF = 4  # from the month's begin or end: a weekend and two holidays
_LEAST_EXACT = 2 / 3  # of such stamps that no holiday has moved
_LEAST_WEEKDAYS = 4  # of months: fewer may be the same one by chance
_LEAST_WEEKENDS = 2  # without two days that follow each other
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
    return _find_on_the_wall(stamps) if stamps.tz is None else _find_in_zone(stamps)


def _find_on_the_wall(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    """Find what stamps without a zone keep to."""
    finders = _OF_DAYS if np.diff(stamps.to_numpy()).min() >= _SHORTEST_DAY else _WITHIN_DAYS
    for find in finders:
        found = find(stamps)
        if found is not None:
            return found
    return None


def _find_in_zone(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    """Find what stamps keep to by the clock of their zone, or as instants."""
    zone, instants = stamps.tz, stamps.tz_convert(None)
    within_days = np.median(np.diff(instants.to_numpy())) < _SHORTEST_DAY
    wall, time_of_day = (stamps.tz_localize(None), None) if within_days else on_the_wall(stamps)
    by_the_clock = wall.is_unique and wall.is_monotonic_increasing
    # Hours are even as instants, opening hours by the clock; a day elsewhere may be one here.
    found = _find_even_span(instants) if within_days else None
    if found is None and by_the_clock:
        found = _find_opening_hours(wall) if within_days else _find_on_the_wall(wall)
        if found is not None:
            return _in_zone_of(stamps, wall, found, time_of_day)
    found = _find_span(instants) if found is None else found
    if found is None and within_days and by_the_clock:
        found = _find_on_the_wall(wall)
        return None if found is None else _in_zone_of(stamps, wall, found, time_of_day)
    return None if found is None else (found[0], found[1].tz_localize("UTC").tz_convert(zone))


def _in_zone_of(stamps, wall, found, time_of_day) -> tuple[Calendar, pd.DatetimeIndex]:
    """Return what was found on the wall for stamps in their zone."""
    calendar, grid = found
    unit = "clock" if calendar.unit == "time" else calendar.unit
    calendar = replace(calendar, unit=unit, time_of_day=time_of_day)
    if grid is wall:  # nothing is absent
        return calendar, stamps
    if unit == "opening hours":  # absent is not what never came
        grid = grid[comes(grid, stamps.tz)]
    return calendar, in_place_of(in_zone(grid, stamps.tz), grid.get_indexer(wall), stamps)


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
    """Find the first or the last business day of each month, some moved on by a holiday."""
    numbers = np.asarray(stamps.year * 12 + stamps.month)
    step = int(np.gcd.reduce(np.diff(numbers)))
    if step == 0 or (np.diff(numbers) == 0).any() or not _same_time_of_day(stamps):
        return None
    days = stamps.normalize()
    count = int(numbers[-1] - numbers[0]) // step + 1
    for unit, offset, off in (
        ("business month end", pd.offsets.BMonthEnd(0), stamps.days_in_month - stamps.day),
        ("business month begin", pd.offsets.BMonthBegin(0), stamps.day - 1),
    ):
        near = (off <= _MOST_DAYS_OFF) & (stamps.day_of_week < 5)
        if near.all() and (days == days + offset).mean() >= _LEAST_EXACT:
            found = _unless_too_sparse(Calendar(unit, step), stamps[0], count, len(stamps))
            if found is None:
                return None
            grid = found[1].to_numpy().copy()
            grid[(numbers - numbers[0]) // step] = stamps.to_numpy()
            return found[0], pd.DatetimeIndex(grid)
    return None


def _find_business_days(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    if (stamps.day_of_week > 4).any() or not _same_time_of_day(stamps):
        return None
    days = stamps.to_numpy().astype("datetime64[D]")
    spans_a_weekend = int((days[-1] - days[0]).astype(int)) > int(np.busday_count(*days[[0, -1]]))
    if not spans_a_weekend or _too_often_closed(days, _MONDAY_TO_FRIDAY):
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
    shut = np.flatnonzero(~present)
    closed = [np.busday_count(days[0], days[-1], np.arange(7) == day) for day in shut]
    weekend = len(shut) == 2 and np.diff(shut)[0] in (1, 6)
    least = _LEAST_WEEKENDS if weekend else _LEAST_CLOSED
    if min(closed) < least or _too_often_closed(days, present):
        return None
    mask = sum(1 << day for day in range(7) if present[day])
    return Calendar("open day", 1, mask), stamps  # open days without a row are holidays


def _too_often_closed(days: np.ndarray, opened: np.ndarray) -> bool:
    """Whether so many open days are absent that the days are no calendar of those weekdays.

    Args:
        days: datetime64[D], on open weekdays, rising; several stamps may have one day.
        opened: which weekdays are open, (7,).
    """
    closed = np.diff(np.busday_count(days[0], days, opened)) - 1
    closed = closed[closed > 0]
    count = int(np.busday_count(days[0], days[-1], opened)) + 1 - int(closed.sum())
    holidays = int(closed[closed < _CLOSURE].sum())
    few = max(_FEW_HOLIDAYS, _MOST_HOLIDAYS * (count + holidays))
    return holidays > few or int(closed.sum()) > _MOST_ABSENT * count


def _find_opening_hours(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    """Find the same times of the day, or of the week, always left out.

    Whole days without a row, and rows absent where a day begins or ends, are closed for once; a
    row absent within a day is missing.
    """
    instants = stamps.to_numpy().astype("datetime64[us]").astype(np.int64)
    slots = week_slots.find_slots(instants)
    if slots is None:
        return None
    day, times = np.divmod(np.array(slots), week_slots.DAY)
    days = stamps.to_numpy().astype("datetime64[D]")
    if _too_often_closed(days, np.isin(np.arange(7), day)):
        return None
    steps = np.diff(times)[np.diff(day) == 0]
    calendar = Calendar("opening hours", _usual(steps), slots=slots)
    places, _ = week_slots.places_of(instants, slots)
    absent = np.where(days[1:] == days[:-1], np.diff(places) - 1, 0)
    if not absent.any():
        return calendar, stamps
    counts = np.append(absent, 0) + 1  # each stamp, and what is missing after it
    begin = np.cumsum(counts) - counts
    inner = np.arange(counts.sum()) + np.repeat(places - begin, counts)
    grid = week_slots.instants_of(inner, slots)
    return calendar, pd.DatetimeIndex(grid.astype("datetime64[us]"))


def _find_month_days(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    """Find certain days of each month, such as the 1st and the 15th."""
    if not _same_time_of_day(stamps):
        return None
    dates = stamps.to_numpy().astype("datetime64[D]")
    days = month_days.find_days(dates)
    if days is None:
        return None
    places, wrong = month_days.places_of(dates, days)
    if wrong.any() or (np.diff(places) < 1).any():
        return None
    count = int(places[-1] - places[0]) + 1
    calendar = Calendar("days of month", 1, slots=days)
    return _unless_too_sparse(calendar, stamps[0], count, len(stamps))


def _find_weekdays_of_months(
    stamps: pd.DatetimeIndex,
) -> tuple[Calendar, pd.DatetimeIndex] | None:
    """Find one weekday of each month, such as the third Friday."""
    numbers = np.asarray(stamps.year * 12 + stamps.month)
    step, weekday = int(np.gcd.reduce(np.diff(numbers))), int(stamps.day_of_week[0])
    alike = (stamps.day_of_week == weekday).all() and _same_time_of_day(stamps)
    if not alike or (np.diff(numbers) == 0).any() or len(stamps) < _LEAST_WEEKDAYS:
        return None
    which = month_days.find_weekday(stamps.to_numpy().astype("datetime64[D]"))
    if which is None:
        return None
    count = int(numbers[-1] - numbers[0]) // step + 1
    calendar = Calendar("weekday of month", step, weekday, slots=(which,))
    return _unless_too_sparse(calendar, stamps[0], count, len(stamps))


def _find_even_span(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    """Find a span that all steps have."""
    found = _find_span(stamps)
    return found if found is not None and len(found[1]) == len(stamps) else None


def _find_span(stamps: pd.DatetimeIndex) -> tuple[Calendar, pd.DatetimeIndex] | None:
    instants = stamps.to_numpy().astype("datetime64[us]").astype(np.int64)
    step = int(np.gcd.reduce(np.diff(instants)))
    count = int(instants[-1] - instants[0]) // step + 1
    calendar = Calendar("time", step, int(stamps.day_of_week[0]))
    return _unless_too_sparse(calendar, stamps[0], count, len(stamps))


_OF_DAYS = (
    _find_months,
    _find_business_months,
    _find_business_days,
    _find_open_days,
    _find_even_span,
    _find_month_days,
    _find_weekdays_of_months,
    _find_span,
)
_WITHIN_DAYS = (_find_even_span, _find_opening_hours, _find_span)


def _unless_too_sparse(calendar, first, count, given):
    if count - given > _MOST_ABSENT * given:
        return None
    return calendar, calendar.stamps(first, count)


def _same_time_of_day(stamps: pd.DatetimeIndex) -> bool:
    return bool((stamps - stamps.normalize() == stamps[0] - stamps[0].normalize()).all())


def _usual(values: np.ndarray) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])
