"""Calendars: what makes time stamps even, how they go on, and what to call them.

Months, quarters and years are even although they differ in days; business days are even although
weekends are left out, and holidays with them; so are the days of a shop that is closed on the same
weekdays always, and its hours, if it opens and closes at the same ones week by week.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import month_days, week_slots
from statewise.sequences.span_names import alias_of, every, times
from statewise.sequences.tables import DataError
from statewise.sequences.zones import comes, in_place_of, in_zone

_DAY = 86_400_000_000
_END = 2**63
_LONGEST = {  # microseconds that a step takes at most
    "month": 31 * _DAY,
    **dict.fromkeys(("business month end", "business month begin"), 34 * _DAY),
    "business day": 3 * _DAY,
    "open day": 7 * _DAY,
    "days of month": 31 * _DAY,
    "weekday of month": 35 * _DAY,
}
_MONTHS: dict[float, tuple[str, str]] = {
    1: ("M", "monthly"),
    3: ("Q", "quarterly"),
    12: ("Y", "yearly"),
}
_SLOTS = {"opening hours": (0, week_slots.WEEK - 1), "days of month": (1, 31)}
_SLOTS["weekday of month"] = (1, 5)
_TIMES = {2: "twice"}
_BUSINESS_MONTHS = {"business month end": "BME", "business month begin": "BMS"}
_OF_MONTHS = ("month", *_BUSINESS_MONTHS, "weekday of month")
_OFTEN: dict[tuple[int, ...], str] = {(1, 15): "SMS", (15, 31): "SME"}
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True)
class Calendar:
    """A rule by which time goes on, step by step.

    Attributes:
        unit: "month", "business month end" or "begin", "business day", "open day" (other weekdays
            than these), "opening hours" (times of the week), "days of month", "weekday of month"
            (third Fridays), "time" (a fixed span), "clock" (a fixed span by a zone's clock, where a
            day may have 23 hours) or "number" (time as numbers, or none).
        step: how many months, microseconds, or numbers a step is, in opening hours most often; 1
            for business and open days and days of the month.
        anchor: for months the day, 31 for the last one; for "time" and "weekday of month" the
            weekday, 0 for Monday; for
            open days which they are, 1 for Monday, plus 2 for Tuesday, plus 4 for Wednesday...
        time_of_day: in microseconds, where a zone's clock has moved a stamp to another one; None
            where all stamps have that of the first.
        slots: rising; the times of opening hours in microseconds from Monday, midnight; the days of
            a month, 31 for the last one; which of its weekdays, 5 for the last; empty for others.
    """

    unit: str
    step: float
    anchor: int = 0
    time_of_day: int | None = None
    slots: tuple[int, ...] = ()

    def __post_init__(self):
        least, most = _SLOTS.get(self.unit, (0, -1))
        fits = all(least <= slot <= most for slot in self.slots[:1] + self.slots[-1:])
        rising = all(one < other for one, other in pairwise(self.slots))
        if not (fits and rising) or (most > 0 and not self.slots):
            raise ValueError(f"slots={self.slots!r:.60} are no {self.unit}")

    @property
    def frequency(self) -> str:
        """The nearest alias of pandas: MS, ME, QS, YS, W-SUN, D, B, h, 30min; or "number".

        Open days are C-6, with how many of them a week has; opening hours C-65, with how many steps
        a week has, or C-13-65, where all days have as many; days of the month SMS, SME or C-Y36.
        """
        if self.unit == "number":
            return "number"
        if self.unit == "business day":
            return "B"
        if self.unit == "open day":
            return f"C-{self.days_in_week}"
        if self.unit == "opening hours":
            return "-".join(["C", *map(str, sorted({self.steps_in_day, len(self.slots)} - {0}))])
        if self.unit == "days of month":
            return _OFTEN.get(self.slots, f"C-Y{12 * len(self.slots)}")
        if self.unit in _BUSINESS_MONTHS:
            return times(self.step, _BUSINESS_MONTHS[self.unit])
        if self.unit == "weekday of month":
            which, day = self.slots[0], _WEEKDAYS[self.anchor]
            return times(self.step, f"LWOM-{day}" if which == 5 else f"WOM-{which}{day}")
        if self.unit == "month":
            end = "E" if self.anchor == 31 else "S"
            if self.step in _MONTHS:
                return _MONTHS[self.step][0] + end
            return f"{self.step}M{end}"
        if self.step == 7 * _DAY:
            return f"W-{_WEEKDAYS[self.anchor]}"
        return alias_of(self.step)

    @property
    def phrase(self) -> str:
        """What a person calls it: monthly, weekly, every 30 minutes, numbered."""
        if self.unit == "number":
            return "numbered"
        if self.unit == "business day":
            return "business-daily"
        if self.unit == "open day":
            return f"daily ({self.days_in_week} days a week)"
        if self.unit == "opening hours":
            return f"{every(self.step)} in opening hours ({len(self.slots)} slots a week)"
        if self.unit == "days of month":
            count = len(self.slots)
            return f"{_TIMES.get(count, f'{count} times')} a month"
        if self.unit in _OF_MONTHS:
            if self.step in _MONTHS:
                return _MONTHS[self.step][1]
            return f"every {self.step} months"
        return "weekly" if self.step == 7 * _DAY else every(self.step)

    @property
    def days_in_week(self) -> int:
        """On how many weekdays there are steps, where some are left out; 0 for other calendars."""
        return sum(self._open)

    @property
    def steps_in_week(self) -> int:
        """How many steps a week has, where some of its days or hours are left out; else 0."""
        return len(self.slots) if self.unit == "opening hours" else self.days_in_week

    @property
    def steps_in_day(self) -> int:
        """How many steps each open day has, where opening hours are the same on all; else 0."""
        if self.unit != "opening hours":
            return 0
        day, time = np.divmod(np.array(self.slots), _DAY)
        each = np.split(time, np.flatnonzero(np.diff(day)) + 1)
        alike = all(np.array_equal(one, each[0]) for one in each)
        return len(each[0]) if alike else 0

    def counts_absent(self, season: int) -> bool:
        """Whether a season counts the steps of the calendar, those without a row included.

        A season of 252 business days counts the rows: the days on which there was business in a
        year.

        Example:
            >>> Calendar("business day", 1).counts_absent(5)
            True
            >>> Calendar("business day", 1).counts_absent(252)
            False
        """
        week = self.steps_in_week
        return season > 1 and (not week or season % week == 0 or season == self.steps_in_day)

    @property
    def _open(self) -> list[bool]:
        """Which weekdays have steps, from Monday on; empty where none is left out."""
        if self.unit == "business day":
            return [True] * 5 + [False] * 2
        return [bool(self.anchor >> day & 1) for day in range(7)] if self.unit == "open day" else []

    def positions(self, stamps: pd.Index) -> np.ndarray | None:
        """Return how many steps stamps stand after the first of them, (stamps,) int.

        None where they don't keep to the calendar, and for numbers that are no whole ones, whose
        steps are counted.

        Example:
            >>> days = pd.to_datetime(["2024-04-25", "2024-04-26", "2024-04-30"])
            >>> Calendar("business day", 1).positions(days)
            array([0, 1, 3])
        """
        if self.unit == "number":
            if stamps.dtype.kind not in "iu":
                return None
            count, rest = np.divmod(np.asarray(stamps - stamps[0]), self.step)
            return None if rest.any() else count.astype(np.int64)
        if self.unit == "time":
            wall = stamps.tz_convert(None) if stamps.tz is not None else stamps
        else:
            wall = stamps.tz_localize(None)
        if self.unit in _OF_MONTHS:
            months = np.asarray(wall.year * 12 + wall.month, np.int64)
            count, rest = np.divmod(months - months[0], int(self.step))
        elif self._open:
            days = wall.to_numpy().astype("datetime64[D]")
            count = np.busday_count(days[0], days, self._open)
            rest = ~np.is_busday(days, self._open)
        elif self.slots:
            count, rest = self._places(wall)
            if stamps.tz is not None and self.unit == "opening hours":
                count = count - np.searchsorted(self._never(count, stamps.tz), count)
            count = count - count[0]
        else:
            wall = wall.normalize() if self.unit == "clock" and self.step % _DAY == 0 else wall
            instants = wall.to_numpy().astype("datetime64[us]").astype(np.int64)
            count, rest = np.divmod(instants - instants[0], int(self.step))
        return None if np.any(rest) else np.asarray(count, np.int64)

    def _places(self, wall: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
        """Return which steps stamps are, counted from 1970 on, and which are none."""
        if self.unit == "days of month":
            return month_days.places_of(wall.to_numpy().astype("datetime64[D]"), self.slots)
        instants = wall.to_numpy().astype("datetime64[us]").astype(np.int64)
        return week_slots.places_of(instants, self.slots)

    def _never(self, places: np.ndarray, zone: Any) -> np.ndarray:
        """Return the slots between some that never come in a zone: the clock was set forward."""
        between = np.arange(places.min(), places.max() + 1)
        wall = week_slots.instants_of(between, self.slots).astype("datetime64[us]")
        return between[~comes(pd.DatetimeIndex(wall), zone)]

    def stamps(self, first: Any, count: int) -> pd.Index:
        """Return ``count`` stamps (or numbers), ``first`` and those that follow it."""
        self._check_reach(first, count)
        if self.unit == "number":
            return pd.Index(first + self.step * np.arange(count))
        if first.tz is not None:
            return self._in_zone(first, count)
        stamps: Any
        time_of_day = np.timedelta64(first - first.normalize(), "us")
        if self.unit in ("month", "weekday of month"):
            months = np.datetime64(first, "M").astype(np.int64) + int(self.step) * np.arange(count)
            if self.unit == "month":
                dates = month_days.dates_of(months, (self.anchor,))
            else:
                dates = month_days.weekdays_of(months, self.anchor, self.slots[0])
            stamps = dates.astype("datetime64[us]") + time_of_day
        elif self.unit in ("time", "clock"):
            step = np.timedelta64(int(self.step), "us")
            stamps = np.datetime64(first, "us") + np.arange(count) * step
        elif self.unit == "open day":
            day = np.datetime64(first, "D")
            days = np.busday_offset(day, np.arange(count), "forward", self._open)
            stamps = days.astype("datetime64[us]") + time_of_day
        elif self.slots:
            place = self._places(pd.DatetimeIndex([first]))[0][0]
            places = place + np.arange(count)
            if self.unit == "days of month":
                dates = month_days.dates_of(places, self.slots)
                stamps = dates.astype("datetime64[us]") + time_of_day
            else:
                stamps = week_slots.instants_of(places, self.slots).astype("datetime64[us]")
        else:
            if self.unit == "business month begin":  # of that month, where a holiday moved it on
                first = first - pd.Timedelta(days=first.day - 1)
            stamps = pd.date_range(first, periods=count, freq=self.frequency, unit="us")
        return pd.DatetimeIndex(stamps)

    def _check_reach(self, first: Any, count: int) -> None:
        """Refuse steps so far ahead that their stamps would begin again below zero."""
        if self.unit == "number":
            whole = np.dtype(type(first)).kind in "iu" and float(self.step).is_integer()
            last = int(first) + (count - 1) * int(self.step) if whole else 0
        else:
            step = _LONGEST.get(self.unit, 1) * int(self.step)  # "time" and "clock": microseconds
            if self.unit == "opening hours":
                step = 2 * week_slots.WEEK // len(self.slots)  # from the second week on
            last = (int(first.timestamp()) + 1) * 1_000_000 + (count - 1) * step
        if last >= _END:
            raise DataError(
                f"{count - 1:,} {self.phrase} steps after {first} can't be written as time stamps "
                "or numbers: they hold 64 bits. Take fewer steps."
            )

    def _in_zone(self, first: pd.Timestamp, count: int) -> pd.DatetimeIndex:
        """Go on by the clock of the zone of ``first``; a fixed span goes on by instants."""
        zone = first.tz
        if self.unit == "time":
            instants = self.stamps(first.tz_convert(None), count)
            return instants.tz_localize("UTC").tz_convert(zone)
        wall = first.tz_localize(None)
        if self.time_of_day is not None:
            wall = wall.normalize() + pd.Timedelta(microseconds=self.time_of_day)
        if self.unit == "opening hours":
            later = self.stamps(wall, count)
            while len(there := later[comes(later, zone)]) < count:
                later = self.stamps(wall, len(later) + count - len(there))
            stamps = in_zone(there, zone)
        else:
            stamps = in_zone(self.stamps(wall, count), zone)
        return in_place_of(stamps, [0], pd.DatetimeIndex([first]))

    def after(self, last: pd.Timestamp | float, count: int) -> pd.Index:
        """Return the ``count`` stamps that follow ``last``."""
        return self.stamps(last, count + 1)[1:]
