"""Panels out of data frames of any kind: which rows make which series, and what is wrong."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from narwhals.exceptions import DuplicateError
from pandas.api import types

from statewise.sequences.columns import (
    ask_about_markers,
    holds_numbers_alone,
    read_numbers,
    time_of,
)
from statewise.sequences.key_columns import numbered
from statewise.sequences.layout import check_columns
from statewise.sequences.panel import Columns, Panel, format_keys
from statewise.sequences.placing import placed
from statewise.sequences.regular import one_row_each
from statewise.sequences.stamp_words import format_stamp
from statewise.sequences.tables import DataError, Table, counted, load_table, with_columns


def read_panel(
    source: Any,
    columns: Columns | None = None,
    *,
    every: str | None = None,
    aggregate: str | None = None,
) -> Panel:
    """Read many series out of a long table: a row for each key and time stamp.

    The rows may come in any order. Within a key the stamps must be even (months, business days
    and the like are), and all keys must go on in equal steps; they may begin and end where they
    like. Rows that a calendar leaves out are put in with missing values.

    Args:
        source: a frame of pandas, polars, Arrow, or whatever narwhals reads; or a CSV or Parquet
            file.
        columns: which columns hold what. A table without the column unique_id is one series, where
            no other column is named for the key.
        every: brings uneven rows to even steps, as "1h"; see `read_series`.
        aggregate: what becomes of values in one step, or at one stamp of a key; see `read_series`.
            By "sum" the target is added up, inputs take their mean.

    Returns:
        A `Panel` with NaN where a value is missing.

    Raises:
        DataError: where a column doesn't exist, or holds text, infinities or missing stamps; where
            a stamp stands twice in a key; where stamps are uneven, or the keys' steps differ;
            where a static column changes within a key.
        TypeError: where the source is no table.

    Example:
        >>> frame = pd.DataFrame({
        ...     "unique_id": ["a"] * 4 + ["b"] * 3,
        ...     "ds": [1, 2, 3, 5, 2, 3, 4],
        ...     "y": [1.0, 2.0, 3.0, 5.0, 7.0, 8.0, 9.0],
        ... })
        >>> panel = read_panel(frame)
        >>> panel.keys.tolist(), panel.lengths.tolist()
        (['a', 'b'], [5, 3])
        >>> panel.values[:5, 0]
        array([ 1.,  2.,  3., nan,  5.])
    """
    return placed(read_rows(source, columns, every=every, aggregate=aggregate))


def read_rows(
    source: Any,
    columns: Columns | None = None,
    *,
    every: str | None = None,
    aggregate: str | None = None,
) -> Panel:
    """Read many series as `read_panel` does, but leave it open where their rows stand in time.

    Args:
        source, columns, every, aggregate: as in `read_panel`.

    Returns:
        A `Panel` with the rows that there are, without a calendar: see `placed`.

    Example:
        >>> rows = read_rows(pd.DataFrame({"ds": [1, 2, 5], "y": [1.0, 2.0, 5.0]}))
        >>> len(rows.values), rows.calendars
        (3, ())
    """
    columns = columns or Columns()
    table = as_table(source)
    if table.frame.empty:
        raise DataError(f"{table.name} has no rows")
    check_columns(table, (columns.time, columns.target, *columns.inputs))
    table = _with_numbers(table, columns)
    if every is not None or aggregate is not None:
        key = columns.key if columns.key in table.frame.columns else None
        table = one_row_each(
            table,
            time=columns.time,
            key=key,
            numbers=[columns.target],
            inputs=[*columns.past, *_numbers_of(table, columns)],
            aggregate=aggregate,
            every=every,
        )
    code, keys = read_keys(table, columns.key)
    stamps = pd.Index(table.frame[columns.time])
    order = np.lexsort((stamps.argsort().argsort(), code)) if not _sorted(code, stamps) else None
    values = np.column_stack(
        [table.frame[name].to_numpy(np.float64) for name in (columns.target, *columns.past)]
    )
    future = {name: _plain(table.frame[name]) for name in columns.future}
    static = {name: _plain(table.frame[name]) for name in columns.static}
    if order is not None:
        code, stamps, values = code[order], stamps[order], values[order]
        future = {name: column[order] for name, column in future.items()}
        static = {name: column[order] for name, column in static.items()}
    counts = np.bincount(code, minlength=len(keys))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    _check_once(code, stamps, keys)
    static = {
        name: _same_within(column, code, offsets, keys, name) for name, column in static.items()
    }
    return Panel(
        keys=keys,
        offsets=offsets,
        values=values,
        time=stamps.rename(columns.time),
        calendars=(),
        calendar_of=np.zeros(len(keys), int),
        columns=columns,
        future=future,
        static=static,
    )


def as_table(source: Any) -> Table:
    """Return a frame of any kind that narwhals reads, or a file, as a `Table`.

    Raises:
        DataError: where a file can't be read.
        TypeError: where the source is no table.
    """
    if isinstance(source, Table):
        return source
    if not isinstance(source, (pd.DataFrame, pd.Series, str, Path)):
        frame = as_frame(source)
        if frame is None:
            raise TypeError(
                "a panel is a frame of pandas, polars or Arrow, or a path, not "
                f"{type(source).__name__}"
            )
        source = frame.to_pandas()
    return load_table(source)


def as_frame(source: Any) -> nw.DataFrame | None:
    """Return a frame of any library as narwhals has it, a lazy one collected; None for no frame.

    Raises:
        DataError: where two of its columns have one name.
    """
    try:
        frame = nw.from_native(source)
    except TypeError:
        return None
    except DuplicateError:
        names = source.columns if isinstance(source, pd.DataFrame) else source.column_names
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise DataError(
            f"the table has several columns named {twice[0]!r}: rename all but one"
        ) from None
    return frame.collect() if isinstance(frame, nw.LazyFrame) else frame


def _with_numbers(table: Table, columns: Columns) -> Table:
    """Return the table with its time, target and inputs read by what they are for."""
    _, table = time_of(table, columns.time)
    read = {name: read_numbers(table, name) for name in (columns.target, *columns.past)}
    ask_about_markers(table, read)
    for name in (*columns.future, *columns.static):
        read[name] = read_input(table, name, columns)
    return replace(table, frame=with_columns(table.frame, read))


def _numbers_of(table: Table, columns: Columns) -> list[str]:
    return [name for name in columns.future if table.frame[name].dtype.kind == "f"]


def _plain(column: pd.Series) -> np.ndarray:
    return column.to_numpy(np.float64 if column.dtype.kind == "f" else object)


def read_keys(table: Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the number of its key, and the keys; one where no key was asked for."""
    if name not in table.frame.columns:
        if name != Columns.key:
            check_columns(table, [name])  # else the rows of all series would be taken for one's
        return np.zeros(len(table.frame), int), np.array([0])
    column = table.frame[name]
    missing = column.isna().to_numpy(bool)
    if missing.any() and not table.text:
        raise DataError(
            f"the column {name!r} has {counted(missing.sum(), 'missing key')}, the first in "
            f"{table.places[int(missing.argmax())]}"
        )
    code, keys = numbered(column.fillna("") if table.text else column, name)
    return code, np.asarray(keys)


def read_stamps(table: Table, name: str) -> pd.Index:
    """Return the stamps of all rows as they stand; each text is parsed once."""
    _, table = time_of(table, name)
    return pd.Index(table.frame[name])


def _sorted(code: np.ndarray, stamps: pd.Index) -> bool:
    same = code[1:] == code[:-1]
    return bool((code[1:] >= code[:-1]).all() and (stamps[1:] >= stamps[:-1])[same].all())


def _check_once(code: np.ndarray, stamps: pd.Index, keys: np.ndarray) -> None:
    twice = (code[1:] == code[:-1]) & np.asarray(stamps[1:] == stamps[:-1])
    if twice.any():
        row = int(twice.argmax())
        count = counted(twice.sum(), "duplicate time stamp")
        raise DataError(
            f"the table has {count}, the first {format_stamp(stamps[row])} of series "
            f"{format_keys(keys[code[row : row + 1]])}: keep one row for each key and stamp, or "
            'say what becomes of their values by aggregate="mean" (--aggregate mean, or sum, '
            "last...); a key may be made of several columns (--key A,B)"
        )


def read_input(table: Table, name: str, columns: Columns) -> np.ndarray:
    """Return an input column: float64, or objects where it holds categories."""
    column = table.frame[name]
    categories = name in columns.categories or not (
        holds_numbers_alone(column)
        if table.text
        else types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype)
    )
    if not categories:
        return read_numbers(table, name)
    missing = column.isna().to_numpy(bool)
    if missing.any():
        raise DataError(
            f"the category {name!r} is missing in {table.places[int(missing.argmax())]}: give it "
            "a name of its own, such as 'none'"
        )
    return column.astype(object).to_numpy()


def _same_within(column, code, offsets, keys, name: str) -> np.ndarray:
    first = column[offsets[:-1]]
    same = column == first[code]
    if column.dtype.kind == "f":
        same |= np.isnan(column) & np.isnan(first[code])
    if not same.all():
        row = int((~same).argmax())
        raise DataError(
            f"the static column {name!r} changes within series "
            f"{format_keys(keys[code[row : row + 1]])}: from {first[code[row]]!r} to "
            f"{column[row]!r}; name it under future or past instead"
        )
    return first
