"""One series out of a table: which columns, whether time is even, what is missing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from statewise._renamed import say_renamed
from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.calendars import Calendar
from statewise.sequences.columns import ask_about_markers, holds_times, read_numbers, time_of
from statewise.sequences.index_time import time_of_index
from statewise.sequences.layout import check_columns, find_target
from statewise.sequences.regular import one_row_each
from statewise.sequences.stamp_words import describe_uneven, format_span, format_stamp
from statewise.sequences.tables import DataError, Table, counted, load_table
from statewise.sequences.time_series import TimeSeries

_LEAST_ROWS = 3
_OPTIONS = 'missing="fill" (--missing fill) {fill}, missing="drop" (--missing drop) goes on without'


def read_series(
    source: str | Path | pd.DataFrame | pd.Series | Table,
    *,
    time: str | Sequence[str] | None = None,
    target: str | None = None,
    features: Sequence[str] = (),
    missing: str | None = "raise",
    every: str | None = None,
    aggregate: str | None = None,
) -> TimeSeries:
    """Read one series out of a file or frame, and check that a network can learn from it.

    The rows are sorted by time, which must go forward in even steps. Months, quarters, years and
    business days count as even; without a time column the rows are numbered. Rows that a calendar
    leaves out, and cells without a value, are an error unless ``missing`` says what else to do.

    Args:
        source: a file (see ``read_table``), or a pandas frame or Series.
        time: the column of time stamps or numbers, or several that make them together; without it,
            the one that holds dates, or a pandas index. "none" numbers the rows.
        target: the column to forecast; not needed where only one column holds numbers.
        features: further columns of numbers to learn from.
        missing: "raise" refuses them; "fill" puts absent rows in and interpolates linearly between
            the neighbours (at either end it repeats the nearest value); "drop" leaves out rows with
            a missing value and doesn't mind absent ones.
        every: brings uneven rows to even steps: "15min", "1h", "1D", "1W", "1M".
        aggregate: what becomes of values in one step, or at one time stamp: "mean" (where nothing
            is said about steps), "sum", "median", "min", "max", "first" or "last".

    Returns:
        ``TimeSeries`` with the target as its first feature.

    Raises:
        DataError: where the file can't be read or a column doesn't exist; where a column holds
            text or infinities; where values are missing; where time stamps are no dates, repeat
            or are uneven; where there are fewer than 3 rows. It says what to do.
        ValueError: where ``missing`` is none of its three words.

    Warns:
        UserWarning: where something was decided that could be otherwise: see `read_table`.

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
    given = source
    source, time = time_of_index(source, time)
    table = load_table(source)
    named = [*([target] if target is not None else []), *features]
    check_columns(table, named)
    if (
        target is not None
        and time is not None
        and target in (time if isinstance(time, (list, tuple)) else [time])
    ):
        raise DataError(f"the column {target!r} can't be the time and a feature at once")
    label, table = time_of(table, time, but=named)
    if label is None and time is None:
        dated = [name for name in named if holds_times(table.frame[name])]
        if dated:
            raise DataError(f"the column {dated[0]!r} can't be the time and a feature at once")
    target = find_target(table, label) if target is None else target
    names = (target, *features)
    if len(set(names)) < len(names):
        raise DataError(f"a column can be named only once, but the names are {list(names)}")
    if label in names:
        raise DataError(f"the column {label!r} can't be the time and a feature at once")
    series = series_of(table, label, names, missing, every=every, aggregate=aggregate)
    if not isinstance(given, Table):  # else its reader tells
        table.understood.warn()
    return series


def series_of(
    table: Table,
    time: str | None,
    names: Sequence[str],
    missing: str,
    *,
    every: str | None = None,
    aggregate: str | None = None,
) -> TimeSeries:
    """Return the series of some columns of a table whose time is read; see `read_series`.

    Args:
        table: with a column of stamps.
        time: that column; None where the rows are numbered.
        names: of the columns of numbers, the target first.
        missing, every, aggregate: as in `read_series`.
    """
    if len(table.frame) < _LEAST_ROWS:
        rows = counted(len(table.frame), "row")
        raise DataError(f"{table.name} has {rows}, but a series needs at least {_LEAST_ROWS}")
    columns = {name: read_numbers(table, name) for name in names}
    ask_about_markers(table, columns)
    if time is not None:
        frame = pd.DataFrame({time: table.frame[time], **columns})
        table = replace(table, frame=frame, text=False)
        if every is not None or aggregate is not None:
            target, *features = names
            table = one_row_each(
                table,
                time=time,
                key=None,
                numbers=[target],
                inputs=features,
                aggregate=aggregate,
                every=every,
            )
        table = _in_order(table, time)
        stamps: pd.Index = pd.Index(table.frame[time])
        values = table.frame[list(names)].to_numpy(np.float64)
    else:
        stamps, values = pd.RangeIndex(len(table.frame)), np.column_stack(list(columns.values()))
    if len(stamps) < _LEAST_ROWS:
        rows = counted(len(stamps), "time step")
        raise DataError(f"{table.name} comes to {rows}, but a series needs at least {_LEAST_ROWS}")
    calendar, grid = _even(table, stamps)
    table.understood.tell("frequency", calendar.phrase)
    series = _complete(table, values, stamps, tuple(names), calendar, grid, missing)
    table.understood.tell("gaps", _gaps_said(series))
    return series


def _gaps_said(series: TimeSeries) -> str:
    if series.known is None:
        return ""
    return f"{counted(int((~series.known).sum()), 'gap')} filled"


def _in_order(table: Table, time: str) -> Table:
    """Sort the rows by time, and refuse stamps that repeat."""
    stamps = pd.Index(table.frame[time])
    if not stamps.is_monotonic_increasing:
        backwards = stamps.is_monotonic_decreasing
        table.understood.tell(
            "order", "newest first, sorted" if backwards else "rows sorted by time"
        )
        order = np.argsort(stamps, kind="stable")
        frame = table.frame.take(order).reset_index(drop=True)
        table = replace(table, frame=frame, places=[table.places[row] for row in order])
        stamps = pd.Index(frame[time])
    if not stamps.is_unique:
        row = int(stamps.duplicated().argmax())
        raise DataError(
            f"the time stamps repeat: {table.places[row]} has the same as {table.places[row - 1]} "
            f"({format_stamp(stamps[row])}); keep one row for each, or say what becomes of their "
            'values by aggregate="mean" (--aggregate mean, or sum, last...); where a column tells '
            "several series apart, name it (--key)"
        )
    return table


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
