"""Years, months, days, hours... of many texts at once, and the stamps that they make."""

from collections.abc import Sequence
from datetime import timedelta, timezone, tzinfo

import numpy as np
import pandas as pd

from statewise.sequences.reading.time_orders import Layout
from statewise.sequences.reading.time_shapes import Letters

_FIRST = {"month": 1, "day": 1, "week": 1, "weekday": 1, "quarter": 1, "half": 1, "day_of_year": 1}
_NO_OFFSET = np.iinfo(np.int64).min
_DAY, _MINUTE, _SECOND = 86_400_000_000, 60_000_000, 1_000_000  # microseconds
_AHEAD = 10  # years from now that two digits may mean
_MOST_APART = 90  # years; two digits that are farther apart were cut in the middle


class Fields:
    """What the texts of a column say when they are read in one style.

    Attributes:
        there: which texts could be read so far.
        clocked: which of them tell the time of day.
        short: which have a year of one or two digits.
        several_offsets: the stamps were brought to UTC, since they have several offsets from it.
    """

    def __init__(self, count: int):
        self.there = np.zeros(count, bool)
        self.clocked = np.zeros(count, bool)
        self.short = np.zeros(count, bool)
        self._numbers: dict[str, np.ndarray] = {}
        self._right = np.ones(count, bool)
        self._offset: np.ndarray | None = None
        self.several_offsets = False
        self._zone = np.full(count, -1, np.int16)
        self._zones: list[str] = []

    @classmethod
    def of(cls, values: dict[str, np.ndarray], there: np.ndarray) -> "Fields":
        """Return fields that are known already, by name, whole numbers each."""
        fields = cls(len(there))
        fields.there = there
        fields._numbers = dict(values)
        return fields

    def put(self, rows: np.ndarray, layout: Layout, letters: Letters) -> None:
        """Take the texts of a shape in.

        Args:
            rows: which texts these are.
            layout: how they are read.
            letters: the texts.
        """
        self.there[rows], self.clocked[rows] = True, layout.clock
        self.short[rows] = layout.short
        for name, number in layout.given.items():
            self._of(name)[rows] = number
        for name, (start, stop) in layout.places.items():
            if name == "fraction":  # as nanoseconds
                stop = min(stop, start + 9)
                scale = 10 ** (9 - (stop - start))
                self._of("nanosecond")[rows] = letters.number(start, stop) * scale
            elif name != "sign":
                self._of(name)[rows] = letters.number(start, stop)
        if layout.half:
            self._put_half(rows, layout.half)
        self._put_zone(rows, layout, letters)

    def _put_half(self, rows: np.ndarray, half: str) -> None:
        hours = self._of("hour")
        here = hours[rows]
        if half == "a":  # 12 am is midnight
            self._right[rows] &= here <= 12
            hours[rows] = np.where(here == 12, 0, here)
        else:
            hours[rows] = np.where(here < 12, here + 12, here)

    def _put_zone(self, rows: np.ndarray, layout: Layout, letters: Letters) -> None:
        if layout.zone:
            if layout.zone not in self._zones:
                self._zones.append(layout.zone)
            self._zone[rows] = self._zones.index(layout.zone)
        if "sign" not in layout.places and layout.offset is None:
            return
        if self._offset is None:
            self._offset = np.full(len(self.there), _NO_OFFSET)
        if "sign" not in layout.places:
            self._offset[rows] = layout.offset
            return
        hours, minutes = self._of("offset_hour")[rows], 0
        if "offset_minute" in layout.places:
            minutes = self._of("offset_minute")[rows]
            self._right[rows] &= minutes < 60
        self._right[rows] &= hours <= 15
        self._offset[rows] = letters.sign(layout.places["sign"][0]) * (60 * hours + minutes)

    def _of(self, name: str) -> np.ndarray:
        if name not in self._numbers:
            self._numbers[name] = np.full(len(self.there), _FIRST.get(name, 0), np.int64)
        return self._numbers[name]

    def years(self) -> np.ndarray:
        """Return the years, those of two digits in their century."""
        years = self._of("year")
        if self.short.any():
            years[self.short] = in_century(years[self.short])
            self.short[:] = False
        return years

    def stamps(self) -> pd.DatetimeIndex:
        """Return the stamps, NaT where there is none; in a zone where one is written."""
        shortened = self.short.copy()
        years, right = self.years(), self.there & self._right
        days, valid = self._days(years, shortened)
        clock, on_clock = self._clock()
        right &= valid & on_clock & (years >= 1) & (years <= 9999)
        nanoseconds = self._numbers.get("nanosecond")
        wall = days.astype(np.int64) * _DAY + clock
        if nanoseconds is not None:
            wall += nanoseconds // 1000
        wall[~right] = np.iinfo(np.int64).min
        stamps = pd.DatetimeIndex(wall.view("datetime64[us]"))
        if nanoseconds is not None and (nanoseconds % 1000).any():
            stamps = stamps.as_unit("ns") + pd.to_timedelta(nanoseconds % 1000, unit="ns")
        return self._in_zone(stamps)

    def _days(self, years: np.ndarray, short: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the days since 1970, and which of them there are."""
        values = self._numbers
        if "week" in values:
            return _days_of_weeks(years, self._of("week"), self._of("weekday"))
        first = ((years - 1970) * 12).astype("datetime64[M]")
        if "day_of_year" in values:
            day = self._of("day_of_year")
            length = (first + 12).astype("datetime64[D]") - first.astype("datetime64[D]")
            right = (day >= 1) & (day <= length.astype(np.int64))
            return (first.astype("datetime64[D]") + (day - 1)).astype(np.int64), right
        right = np.ones(len(years), bool)
        if "next_year" in values:
            following = values["next_year"]
            right &= (following == years + 1) | (
                (following < 100) & (following == (years + 1) % 100)
            )
        months = self._of("month")
        for name, most, length in (("quarter", 4, 3), ("half", 2, 6)):
            if name in values:
                right &= (values[name] >= 1) & (values[name] <= most)
                months = (values[name] - 1) * length + 1
        right &= (months >= 1) & (months <= 12)
        first = first + (months - 1)
        length = (first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")
        day = self._of("day")
        right &= (day >= 1) & (day <= length.astype(np.int64))
        return (first.astype("datetime64[D]") + (day - 1)).astype(np.int64), right

    def _clock(self) -> tuple[np.ndarray | int, np.ndarray | bool]:
        """Return the microseconds since midnight; 24:00 is the next one."""
        if "hour" not in self._numbers:
            return 0, True
        hour, minute, second = (self._of(name) for name in ("hour", "minute", "second"))
        rest = minute * _MINUTE + second * _SECOND
        right = (hour < 24) & (minute < 60) & (second < 60) | (hour == 24) & (rest == 0)
        return hour * 60 * _MINUTE + rest, right

    def _in_zone(self, wall: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Put stamps in the zone that is written beside them; several are brought to UTC."""
        zoned = self._zone >= 0
        if self._offset is None and not zoned.any():
            return wall
        known = self.there & wall.notna()
        offset = self._offset if self._offset is not None else np.full(len(wall), _NO_OFFSET)
        told = offset != _NO_OFFSET
        if (known & (told | zoned)).sum() * 2 < known.sum():
            return wall.where(~(told | zoned))  # a stray one with a zone among those without
        minutes = np.where(told, offset, 0)
        instants = (wall - pd.to_timedelta(minutes, unit="min")).where(told).tz_localize("UTC")
        named = {zone for zone in self._zones if (known & self._is_in(zone)).any()}
        for zone in named:
            rows = self._is_in(zone) & ~told
            if rows.any():  # Europe/Berlin behind a clock, without an offset
                local = wall[rows].tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
                instants = instants.where(~rows, _scattered(local.tz_convert("UTC"), rows))
        if len(named) == 1 and not (known & told & ~zoned).any():
            return instants.tz_convert(named.pop())
        offsets = np.unique(offset[known & told])
        if not named and len(offsets) == 1:
            return instants.tz_convert(_fixed(int(offsets[0])))
        self.several_offsets = True
        return instants

    def _is_in(self, zone: str) -> np.ndarray:
        return self._zone == self._zones.index(zone)


def _fixed(minutes: int) -> tzinfo | str:
    return timezone(timedelta(minutes=minutes)) if minutes else "UTC"


def _scattered(stamps: pd.DatetimeIndex, rows: np.ndarray) -> pd.DatetimeIndex:
    places = np.full(len(rows), -1)
    places[rows] = np.arange(len(stamps))
    return stamps.take(places, allow_fill=True, fill_value=pd.NaT)


def in_century(years: np.ndarray) -> np.ndarray:
    """Return the years that two digits mean: the latest that are no more than 10 years ahead.

    Digits that stand close together stay together, in the past.

    >>> in_century(np.array([99, 0, 24])).tolist(), in_century(np.arange(30, 46)).tolist()[::15]
    ([1999, 2000, 2024], [1930, 1945])
    """
    latest = pd.Timestamp.now().year + _AHEAD
    full = latest - (latest - years) % 100
    if len(full) and full.max() - full.min() > _MOST_APART:
        there = np.unique(years)
        gaps = np.diff(np.append(there, there[0] + 100))
        first = there[(gaps.argmax() + 1) % len(there)]
        if gaps.max() > 100 - _MOST_APART:
            run = (years - first) % 100
            end = latest - (latest - (first + run.max())) % 100
            return end - run.max() + run
    return full


def _days_of_weeks(
    years: np.ndarray, weeks: np.ndarray, weekdays: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the days since 1970 of weeks as ISO counts them; the first one has January 4th."""
    fourth = ((years - 1970) * 12).astype("datetime64[M]").astype("datetime64[D]")
    fourth = fourth.astype(np.int64) + 3
    monday = fourth - (fourth + 3) % 7 + (weeks - 1) * 7  # 1970-01-01 was a Thursday
    thursday = (monday + 3).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    right = (weeks >= 1) & (thursday == years) & (weekdays >= 1) & (weekdays <= 7)
    return monday + weekdays - 1, right


def stamps_of(
    texts: Sequence[str], groups: Sequence[tuple[np.ndarray, Layout]]
) -> tuple[pd.DatetimeIndex, Fields]:
    """Return the stamps of texts whose shapes are read in one style.

    Args:
        texts: each once.
        groups: the texts of a shape by their numbers, and how to read them.
    """
    fields = Fields(len(texts))
    for rows, layout in groups:
        fields.put(rows, layout, Letters([texts[row] for row in rows.tolist()]))
    return fields.stamps(), fields
