"""Panels: many series by key, with what is known beside them.

The rows of all series lie one series after the other in flat arrays, so that windows of any of
them can be cut by one gather; nothing here loops over series where their number could be large.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from statewise._renamed import renamed_arguments, say_renamed
from statewise.sequences.arrays import check_count
from statewise.sequences.calendars import Calendar
from statewise.sequences.tables import DataError

CALENDAR_FEATURES = ("minute", "hour", "weekday", "day", "week", "month", "quarter")


@dataclass(frozen=True)
class Columns:
    """Which columns of a panel's table hold what.

    Attributes:
        key: which series each row is of. A table without such a column is one series.
        time: time stamps, or whole numbers.
        target: what is to be forecast.
        future: inputs that are known for the future too (prices, holidays); numbers or categories.
        past: inputs that are known for the past alone; they are forecast along with the target.
        static: what stays the same within a series; numbers or categories.
        categories: those of ``future`` and ``static`` that hold categories although they look like
            numbers. Text is always taken for categories.
        calendar: features of the time stamps to use as inputs: "minute", "hour", "weekday", "day",
            "week", "month", "quarter".

    Example:
        >>> Columns(key="shop", target="sold", future=["price"]).inputs
        ('price',)
    """

    key: str = "unique_id"
    time: str = "ds"
    target: str = "y"
    future: Sequence[str] = ()
    past: Sequence[str] = ()
    static: Sequence[str] = ()
    categories: Sequence[str] = ()
    calendar: Sequence[str] = ()

    def __post_init__(self):
        for name in ("future", "past", "static", "categories", "calendar"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise TypeError(
                    f"{name} must be a sequence of names, but is the text {value!r}: "
                    f"write {name}=[{value!r}]"
                )
            object.__setattr__(self, name, tuple(value))
        wrong = [name for name in self.calendar if name not in CALENDAR_FEATURES]
        if wrong:
            raise ValueError(
                f"calendar has no feature {wrong[0]!r}; it has {', '.join(CALENDAR_FEATURES)}"
            )
        used = (self.key, self.time, self.target, *self.future, *self.past, *self.static)
        for name in used:
            if used.count(name) > 1:
                raise ValueError(f"the column {name!r} is named twice: a column has one part only")
        for name in self.categories:
            if name not in (*self.future, *self.static):
                raise ValueError(
                    f"categories names {name!r}, which is neither in future nor in static"
                )

    @property
    def inputs(self) -> tuple[str, ...]:
        """All columns besides key, time and target."""
        return (*self.future, *self.past, *self.static)

    @property
    def id(self) -> str:
        """The old name of ``key``."""
        say_renamed("Columns.id", "Columns.key")
        return self.key


Columns.__init__ = renamed_arguments(id="key")(Columns.__init__)  # type: ignore[method-assign]


@dataclass(frozen=True, eq=False)
class Panel:
    """Many series by key.

    Attributes:
        keys: of the series, (series,), in the order in which they first appear in the table.
        offsets: series i has the rows ``offsets[i]`` to ``offsets[i + 1]``, (series + 1,).
        values: (rows, channels) float64, the target first, then the past-only inputs; NaN where a
            value is missing.
        future: columns known for the future too, by name: (rows,) each, as the table has them.
        static: columns that stay the same within a series, by name: (series,) each.
        time: the stamp of each row, (rows,).
        calendars: the rules by which time goes on; nearly always one for all series.
        calendar_of: for each series its place in ``calendars``, (series,).
        columns: which columns these are.

    Example:
        >>> from statewise.sequences import read_wide
        >>> panel = read_wide(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [3.0, 2.0, 1.0]}))
        >>> panel.select(np.array([1])).until(2).values[:, 0]
        array([3., 2.])
    """

    keys: np.ndarray
    offsets: np.ndarray
    values: np.ndarray
    time: pd.Index
    calendars: tuple[Calendar, ...]
    calendar_of: np.ndarray
    columns: Columns = field(default_factory=Columns)
    future: dict[str, np.ndarray] = field(default_factory=dict)
    static: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of series."""
        return len(self.keys)

    @property
    def lengths(self) -> np.ndarray:
        """The time steps of each series, (series,)."""
        return np.diff(self.offsets)

    @property
    def calendar(self) -> Calendar:
        """The calendar of the first series; all of them go on in equal steps."""
        return self.calendars[0]

    def series_of_rows(self) -> np.ndarray:
        """Return for each row the place of its series, (rows,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def future_stamps(self, count: int) -> pd.Index:
        """Return the time of the ``count`` steps after each series, (series * count,).

        Raises:
            ValueError: where the count is below 1.
        """
        check_count(count, "count")
        last = self.time[self.offsets[1:] - 1]
        codes, unique = pd.factorize(last)
        pairs, which = np.unique(
            np.column_stack([codes, self.calendar_of]), axis=0, return_inverse=True
        )
        after = [self.calendars[c].after(unique[code], count) for code, c in pairs]
        joined = after[0].append(after[1:]) if len(after) > 1 else after[0]
        rows = which.reshape(-1, 1) * count + np.arange(count)
        return joined.take(rows.ravel()).rename(self.time.name)

    def select(self, which: np.ndarray) -> "Panel":
        """Return the series at the places ``which``, in that order."""
        lengths = self.lengths[which]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[which] - offsets[:-1], lengths)
        return self._taken(rows, offsets, which)

    def until(self, stops: np.ndarray) -> "Panel":
        """Return the first ``stops`` steps of each series, (series,), each at least 1."""
        stops = np.broadcast_to(stops, (len(self),))
        if (stops < 1).any() or (stops > self.lengths).any():
            raise ValueError("stops must be between 1 and the number of steps of each series")
        offsets = np.concatenate([[0], np.cumsum(stops)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1] - offsets[:-1], stops)
        return self._taken(rows, offsets, np.arange(len(self)))

    def _taken(self, rows: np.ndarray, offsets: np.ndarray, which: np.ndarray) -> "Panel":
        return replace(
            self,
            keys=self.keys[which],
            offsets=offsets,
            values=self.values[rows],
            time=self.time[rows],
            calendar_of=self.calendar_of[which],
            future={name: column[rows] for name, column in self.future.items()},
            static={name: column[which] for name, column in self.static.items()},
        )


def encode_calendar(stamps: pd.Index, features: Sequence[str]) -> np.ndarray:
    """Return features of time stamps, each as a point on a circle: (rows, 2 * features) float64.

    So the last hour of a day stands beside the first one.

    Args:
        stamps: time stamps.
        features: names out of "minute", "hour", "weekday", "day", "week", "month", "quarter".

    Raises:
        DataError: where time is given as numbers, which have no calendar.

    Example:
        >>> encode_calendar(pd.to_datetime(["2024-01-01 06:00"]), ["hour"]).round(3)
        array([[1., 0.]])
    """
    if not features:
        return np.empty((len(stamps), 0))
    if not isinstance(stamps, pd.DatetimeIndex):
        raise DataError(
            f"calendar={list(features)} asks for features of time stamps, but time is given as "
            "numbers: leave calendar out, or give stamps"
        )
    turns = []
    for name in features:
        match name:
            case "minute":
                part = stamps.minute / 60
            case "hour":
                part = (stamps.hour + stamps.minute / 60) / 24
            case "weekday":
                part = stamps.day_of_week / 7
            case "day":
                part = (stamps.day - 1) / stamps.days_in_month
            case "week":
                part = (stamps.day_of_year - 1) / 366
            case "month":
                part = (stamps.month - 1) / 12
            case _:
                part = (stamps.quarter - 1) / 4
        turns.append(2 * np.pi * np.asarray(part, np.float64))
    return np.column_stack([f(turn) for turn in turns for f in (np.sin, np.cos)])


def format_keys(keys: Any, most: int = 5) -> str:
    """Write some keys, and how many more there are.

    Example:
        >>> format_keys(["a", "b", "c"], most=2)
        "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(_plain(key)) for key in keys[:most])
    return shown + (f" and {len(keys) - most} more" if len(keys) > most else "")


def _plain(key: Any) -> Any:
    return key.item() if isinstance(key, np.generic) else key
