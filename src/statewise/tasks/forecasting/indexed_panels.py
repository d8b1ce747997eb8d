"""Panels whose keys and times stand in the levels of a pandas index: read as long frames."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences import Columns, DataError
from statewise.sequences.index_time import holds_times
from statewise.sequences.tables import free_name, listed, with_columns

_JOINED = ", "  # the names of several levels of keys, as one column has them


def has_key_levels(data: Any, columns: Columns) -> bool:
    """Whether an index has several levels, of which one is the time: no column has it."""
    return (
        isinstance(data, (pd.Series, pd.DataFrame))
        and isinstance(data.index, pd.MultiIndex)
        and data.index.nlevels > 1
        and not (isinstance(data, pd.DataFrame) and columns.time in data.columns)
    )


def time_level(index: pd.MultiIndex, columns: Columns) -> int:
    """Return which level of an index is the time: the named one, or the one that holds times.

    Raises:
        DataError: where several could be, or none.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=2)
        >>> time_level(pd.MultiIndex.from_product([["a", "b"], days]), Columns())
        1
    """
    if columns.time in index.names:
        return index.names.index(columns.time)
    levels = range(index.nlevels)
    found = [level for level in levels if _is_dated(index.levels[level])]
    found = found or [level for level in levels if _is_text_of_dates(index.levels[level])]
    found = found or [level for level in levels if _is_numeric(index.levels[level])]
    if len(found) == 1:
        return found[0]
    several = "several of them" if found else "none of them"
    raise DataError(
        f"which level of the index is the time? {several} could be, of "
        f"{listed(index.names)}: name it by columns={{'time': ...}}"
    )


def as_long(
    data: pd.Series | pd.DataFrame, columns: Columns, named: bool
) -> tuple[pd.DataFrame, Columns, int]:
    """Return a long frame of what has its keys and times in the index.

    Args:
        data: with an index of several levels.
        columns: which columns hold what; those of the index are found where they aren't named.
        named: whether somebody has named them.

    Returns:
        The frame, with a key for each row (a tuple, where keys have several levels); its columns;
        and which level is the time.

    Raises:
        DataError: where the levels or the target can't be told, or a key is missing.

    Example:
        >>> index = pd.MultiIndex.from_product([["a", "b"], [1, 2, 3]], names=["shop", "week"])
        >>> sold = pd.Series(range(6), index, name="sold")
        >>> frame, columns, level = as_long(sold, Columns(), named=False)
        >>> frame.columns.tolist(), columns.key, columns.target, level
        (['shop', 'week', 'sold'], 'shop', 'sold', 1)
    """
    index, time_at = data.index, time_level(data.index, columns)
    frame, target = _values(data, columns, named)
    keyed = [level for level in range(index.nlevels) if level != time_at]
    taken = list(frame.columns)
    names = [index.names[level] for level in keyed]
    key = columns.key
    if key not in (*names, joined(names)):
        if key != Columns.key and named:
            raise DataError(
                f"the index has no level {key!r}; its levels are: {listed(index.names)}"
            )
        key = joined(names) if None not in names else Columns.key
    time = columns.time if index.names[time_at] is None else index.names[time_at]
    for name in (key, time):
        if name in taken:
            raise DataError(
                f"the table has a level and a column named {name!r}: rename one of them"
            )
    columns = replace(columns, key=key, time=time, target=target)
    return (
        pd.concat(
            [
                pd.Series(_keys(index, keyed), frame.index, name=key),
                pd.Series(index.get_level_values(time_at), frame.index, name=time),
                frame,
            ],
            axis=1,
        ),
        columns,
        time_at,
    )


def key_columns(columns: Iterable[Any], key: Any) -> list[str]:
    """Return the columns that make a key together, "state, store"; none where it is a column.

    >>> key_columns(["state", "store", "y"], "state,store"), key_columns(["a,b", "a", "b"], "a,b")
    (['state', 'store'], [])
    """
    there = list(columns)
    if key in there or not isinstance(key, str):
        return []
    names = [name.strip() for name in key.split(_JOINED.strip())]
    return names if len(names) > 1 and set(names) <= set(there) else []


def key_in_columns(frame: pd.DataFrame, key: Any) -> pd.DataFrame:
    """Return a flat frame with its key in one column, where it has a column for each level.

    >>> key_in_columns(pd.DataFrame({"a": ["x"], "b": [1]}), "a, b")["a, b"].tolist()
    [('x', 1)]
    """
    names = key_columns(frame.columns, key)
    if not names:
        return frame
    keys = np.empty(len(frame), object)
    keys[:] = list(zip(*(frame[name].tolist() for name in names), strict=True))
    return with_columns(frame, {key: keys})


def joined(names: list[Any]) -> Any:
    """Return the name of the column of keys: that of a level, or of several.

    >>> joined(["state", "store"])
    'state, store'
    """
    return names[0] if len(names) == 1 else _JOINED.join(map(str, names))


def _values(data: Any, columns: Columns, named: bool) -> tuple[pd.DataFrame, Any]:
    """Return the columns of an indexed table with its rows numbered, and which is the target."""
    if isinstance(data, pd.Series):
        free = free_name(Columns.target, [n for n in data.index.names if n is not None])
        name = data.name if data.name is not None else free
        return data.set_axis(range(len(data)), axis=0).to_frame(name), name
    frame = data.set_axis(range(len(data)), axis=0)
    if columns.target in frame.columns or (named and columns.target != Columns.target):
        return frame, columns.target
    rest = [name for name in frame.columns if name not in columns.inputs]
    if len(rest) != 1:
        raise DataError(
            f"the table has the columns {listed(frame.columns)} beside its index: name the one to "
            "forecast by columns={'target': ...}"
        )
    return frame, rest[0]


def _keys(index: pd.MultiIndex, levels: list[int]) -> pd.Categorical:
    """Return the key of each row, each written once: they are many, and may be tuples."""
    code = np.zeros(len(index), np.int64)
    for level in levels:
        codes = np.asarray(index.codes[level], np.int64)
        if (codes < 0).any():
            row = int((codes < 0).argmax())
            raise DataError(
                f"the level {index.names[level]!r} of the index has a missing key, the first in "
                f"row {row}"
            )
        code = pd.factorize(code * len(index.levels[level]) + codes)[0]
    _, first = np.unique(code, return_index=True)
    keys = np.empty(len(first), object)
    parts = [index.get_level_values(level)[first] for level in levels]
    keys[:] = list(zip(*parts, strict=True)) if len(parts) > 1 else parts[0].tolist()
    return pd.Categorical.from_codes(code, categories=pd.Index(keys, tupleize_cols=False))


def _is_dated(level: pd.Index) -> bool:
    dated = types.is_datetime64_any_dtype(level.dtype)
    return dated or isinstance(level, (pd.PeriodIndex, pd.TimedeltaIndex))


def _is_text_of_dates(level: pd.Index) -> bool:
    return not types.is_numeric_dtype(level.dtype) and holds_times(level)


def _is_numeric(level: pd.Index) -> bool:
    return types.is_numeric_dtype(level.dtype) and not types.is_bool_dtype(level.dtype)
