"""One series out of a table: which columns, whether time is even, what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from statewise._renamed import say_renamed
from statewise.sequences.arrays import check_count
from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.calendars import Calendar
from statewise.sequences.columns import guess_target, guess_time, read_numbers, read_time
from statewise.sequences.index_time import time_of_index
from statewise.sequences.tables import DataError, Table, counted, listed, load_table

_LEAST_ROWS = 3
_OPTIONS = 'missing="fill" (--missing fill) {fill}, missing="drop" (--missing drop) goes on without'


@dataclass(frozen=True, eq=False)
class TimeSeries:
    """One series with its calendar.

    Attributes:
        values: (time, features) float64, finite, the target first.
        time: a time stamp, or a number, for each step.
        names: the column of each feature, the target first.
        calendar: the rule by which time goes on.
        note: what was done about missing values, empty where nothing was.
        known: (time,) bool, False where a value was filled in; None where all are the table's.
    """

    values: np.ndarray
    time: pd.Index
    names: tuple[str, ...]
    calendar: Calendar
    note: str = ""
    known: np.ndarray | None = None

    def __len__(self) -> int:
        """The number of time steps."""
        return len(self.values)

    @property
    def frequency(self) -> str:
        """The nearest alias of pandas, such as MS, D or 30min; "number" for numbered steps."""
        return self.calendar.frequency

    @property
    def phrase(self) -> str:
        """What a person calls the frequency: monthly, daily, every 30 minutes, numbered."""
        return self.calendar.phrase

    def future_stamps(self, count: int) -> pd.Index:
        """Return the time of the ``count`` steps after the last one.

        Raises:
            ValueError: where the count is below 1.
        """
        return self.calendar.after(self.time[-1], check_count(count, "count"))

    def until(self, stop: int) -> "TimeSeries":
        """Return the first ``stop`` steps, as one who knows nothing later would have them.

        A value filled in at their very end was interpolated towards a later one: the last known
        value takes its place.

        Raises:
            ValueError: where ``stop`` isn't between 1 and the number of steps.

        Example:
            >>> frame = pd.DataFrame({"y": [1.0, 2.0, None, 4.0, 5.0]})
            >>> series = read_series(frame, missing="fill")
            >>> series.values[:, 0], series.until(3).values[:, 0]
            (array([1., 2., 3., 4., 5.]), array([1., 2., 2.]))
        """
        if not 1 <= stop <= len(self):
            raise ValueError(f"stop={stop}: it must be between 1 and {len(self)}, the time steps")
        known = None if self.known is None else self.known[:stop]
        values = self.without_hindsight(stop).values[:stop]
        return replace(self, values=values, time=self.time[:stop], known=known)

    def without_hindsight(self, first: int) -> "TimeSeries":
        """Return the series as it would be had every step from ``first`` on just arrived.

        An interpolated value tells of later ones. From ``first`` on, and right before it, the last
        known value takes its place.

        Example:
            >>> frame = pd.DataFrame({"y": [1.0, None, 3.0, None, None, 6.0]})
            >>> read_series(frame, missing="fill").without_hindsight(4).values[:, 0]
            array([1., 2., 3., 3., 3., 6.])
        """
        if self.known is None:
            return self
        before = np.flatnonzero(self.known[:first])
        first = before[-1] + 1 if len(before) else first
        steps = np.arange(len(self))
        source = np.maximum.accumulate(np.where(self.known | (steps < first), steps, 0))
        return replace(self, values=self.values[source])


def read_series(
    source: str | Path | pd.DataFrame | pd.Series,
    *,
    time: str | None = None,
    target: str | None = None,
    features: Sequence[str] = (),
    missing: str | None = "raise",
) -> TimeSeries:
    """Read one series out of a file or frame, and check that a network can learn from it.

    Time must go forward in even steps. Months, quarters, years and business days count as even;
    without a time column the rows are numbered. Rows that a calendar leaves out, and cells
    without a value, are an error unless ``missing`` says what else to do.

    Args:
        source: a CSV or Parquet file (see ``read_table``), or a pandas frame or Series.
        time: the column of stamps or numbers; without it the one of dates, or a pandas index.
        target: the column to forecast; not needed where only one column holds numbers.
        features: further columns of numbers to learn from.
        missing: "raise" refuses them; "fill" puts absent rows in and interpolates linearly between
            the neighbours (at either end it repeats the nearest value); "drop" leaves out rows with
            a missing value and doesn't mind absent ones.

    Returns:
        ``TimeSeries`` with the target as its first feature.

    Raises:
        DataError: where the file can't be read or a column doesn't exist; where a column holds
            text or infinities; where values are missing; where time stamps are no dates, repeat,
            go back or are uneven; where there are fewer than 3 rows. It says what to do.
        ValueError: where ``missing`` is none of its three words.

    Example:
        >>> from statewise.datasets import airline_path
        >>> series = read_series(airline_path())
        >>> series.names, series.values.shape, series.phrase
        (('passengers',), (144, 1), 'monthly')
        >>> [f"{stamp:%Y-%m}" for stamp in series.future_stamps(2)]
        ['1961-01', '1961-02']
    """
    if missing is None:
        say_renamed("missing=None", 'missing="raise"')
        missing = "raise"
    if missing not in ("raise", "fill", "drop"):
        raise ValueError(f'missing must be "raise", "fill" or "drop", but is {missing!r}')
    source, time = time_of_index(source, time)
    table = load_table(source)
    time = guess_time(table) if time is None else _existing(table, time)
    target = guess_target(table, time) if target is None else _existing(table, target)
    names = (target, *(_existing(table, name) for name in features))
    if len(set(names)) < len(names):
        raise DataError(f"a column can be named only once, but the names are {list(names)}")
    if time in names:
        raise DataError(f"the column {time!r} can't be the time and a feature at once")
    if len(table.frame) < _LEAST_ROWS:
        rows = counted(len(table.frame), "row")
        raise DataError(f"{table.name} has {rows}, but a series needs at least {_LEAST_ROWS}")
    values = np.column_stack([read_numbers(table, name) for name in names])
    stamps = pd.RangeIndex(len(values)) if time is None else read_time(table, time)
    calendar, grid = _even(table, stamps)
    return _complete(table, values, stamps, names, calendar, grid, missing)


def _existing(table: Table, name: str) -> str:
    if name not in table.frame.columns:
        columns = listed(table.frame.columns)
        raise DataError(f"{table.name} has no column {name!r}; its columns are: {columns}")
    return name


def _even(table: Table, stamps: pd.Index) -> tuple[Calendar, pd.Index]:
    found = find_calendar(stamps)
    if found is not None:
        return found
    steps = pd.Series(stamps[1:] - stamps[:-1])
    usual = steps.mode().iloc[0]
    odd = int((steps != usual).to_numpy().argmax())
    raise DataError(
        f"the time stamps are uneven: most steps are {format_span(usual)}, but "
        f"{format_span(steps[odd])} lie between {table.places[odd]} ({format_stamp(stamps[odd])}) "
        f"and {table.places[odd + 1]} ({format_stamp(stamps[odd + 1])}); {describe_uneven(stamps)}"
    )


def _complete(table, values, stamps, names, calendar, grid, missing) -> TimeSeries:
    """Return the series without anything missing, or say what is."""
    absent = len(grid) - len(stamps)
    unknown = np.isnan(values)
    rows = unknown.any(axis=1)
    if missing == "raise":
        if absent:
            raise DataError(_absent_message(table, stamps, calendar, grid))
        if rows.any():
            raise DataError(_missing_message(table, stamps, names, unknown))
    for column in np.flatnonzero(unknown.all(axis=0)):
        raise DataError(f"the column {names[column]!r} holds no value at all")

    note, known = "", None
    if missing == "fill" and (absent or rows.any()):
        values = pd.DataFrame(values, index=stamps).reindex(grid).to_numpy()
        known = ~np.isnan(values).any(axis=1)
        count = int((~known).sum())
        values, stamps = _interpolate(values), grid
        note = f"{count} of {len(grid)} rows filled by linear interpolation"
    elif missing == "drop" and (absent or rows.any()):
        values, stamps = values[~rows], stamps[~rows]
        note = f"{len(grid) - len(values)} of {len(grid)} rows left out or absent"
        if len(values) < _LEAST_ROWS:
            raise DataError(
                f"{table.name} has {counted(len(values), 'row')} without missing values, "
                f"but a series needs at least {_LEAST_ROWS}"
            )
    return TimeSeries(values, stamps, names, calendar, note, known)


def _interpolate(values: np.ndarray) -> np.ndarray:
    steps = np.arange(len(values))
    columns = []
    for column in values.T:
        known = ~np.isnan(column)
        columns.append(np.interp(steps, steps[known], column[known]))
    return np.column_stack(columns)


def _absent_message(table: Table, stamps: pd.Index, calendar: Calendar, grid: pd.Index) -> str:
    absent = grid.difference(stamps)
    before = int(stamps.searchsorted(absent[0])) - 1
    rows = counted(len(absent), "row")
    options = _OPTIONS.format(fill="puts rows in")
    return (
        f"the time stamps are uneven: they are {calendar.phrase}, with {rows} absent, the first "
        f"({format_stamp(absent[0])}) after {table.places[before]} "
        f"({format_stamp(stamps[before])}); {options}"
    )


def _missing_message(table: Table, stamps: pd.Index, names, unknown: np.ndarray) -> str:
    column = int(unknown.any(axis=0).argmax())
    row = int(unknown[:, column].argmax())
    when = "" if isinstance(stamps, pd.RangeIndex) else f" ({format_stamp(stamps[row])})"
    options = _OPTIONS.format(fill="interpolates")
    return (
        f"the column {names[column]!r} has {counted(unknown[:, column].sum(), 'missing value')}, "
        f"the first in {table.places[row]}{when}; {options}"
    )


def describe_uneven(stamps: pd.Index) -> str:
    """Say what to do about uneven stamps: they may be even by the clock of a zone they don't have.

    Example:
        >>> describe_uneven(pd.Index([1, 2, 4]))
        'bring them to even steps first'
    """
    if isinstance(stamps, pd.DatetimeIndex) and stamps.tz is not None and len(stamps) > 2:
        hours = np.diff(stamps.tz_convert(None).to_numpy()) / np.timedelta64(1, "h")
        off = np.abs(hours - 24 * np.round(hours / 24))
        if (hours >= 23).all() and (off <= 1).all():
            return (
                "if they are even by the clock of a zone with summer time, give them that zone "
                'first, for example by dt.tz_convert("Europe/Berlin")'
            )
    return "bring them to even steps first"


def format_stamp(stamp: Any) -> str:
    """Write a time stamp as short as it is: a date where it has no time of day."""
    if not isinstance(stamp, pd.Timestamp):
        return f"{stamp:g}" if isinstance(stamp, float) else str(stamp)
    # Not date(), which Python has up to the year 9999 only.
    day = f"{stamp.year:04}-{stamp.month:02}-{stamp.day:02}"
    return day if stamp == stamp.normalize() else str(stamp)


def format_stamps(stamps: pd.Index) -> np.ndarray:
    """Write a column of stamps all in one way: as dates where none has a time of day.

    Example:
        >>> format_stamps(pd.date_range("2024-01-31 23:00", periods=2, freq="h")).tolist()
        ['2024-01-31 23:00:00', '2024-02-01 00:00:00']
    """
    codes, unique = pd.factorize(stamps)
    dated = isinstance(unique, pd.DatetimeIndex)
    whole = dated and bool((unique == unique.normalize()).all())
    said = [str(stamp) if dated and not whole else format_stamp(stamp) for stamp in unique]
    return np.array(said, object)[codes]


def format_span(span: Any) -> str:
    """Write the time between two stamps as short as it is: whole days where it is that."""
    if not isinstance(span, pd.Timedelta):
        return f"{span:g}"
    if span % pd.Timedelta(days=1):
        return str(span)
    return f"{span.days} day" + ("s" if span.days != 1 else "")
