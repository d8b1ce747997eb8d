"""The types of a frame's columns as words, and columns brought back to the types that came.

A forecast goes out as the data came in, so that the two can be joined: a day of polars as a day, a
category as a category. The words are kept in files; what they don't fit is left as it is.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

_MICROSECONDS = "us"
_WHOLE = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
_PLAIN: tuple[str, ...] = (*_WHOLE, "Float32", "Float64", "String", "Categorical", "Boolean")


def words_of(frame: nw.DataFrame, names: Sequence[Any]) -> tuple[str, ...]:
    """Return the types of columns in words; "" for one that the library can't be told again.

    Args:
        frame: of pandas, polars or pyarrow.
        names: of its columns; of a pandas frame of its index's levels, too.

    Example:
        >>> frame = pd.DataFrame({"ds": pd.to_datetime(["2024-01-01"]).as_unit("s")})
        >>> words_of(nw.from_native(frame), ["ds"])
        ('datetime64[s]',)
    """
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        return tuple(
            words_of_index(native[name] if name in native.columns else _level(native, name))
            for name in names
        )
    if isinstance(native, pa.Table):
        fields = [pa.schema([native.schema.field(name)]) for name in names]
        return tuple(base64.b64encode(one.serialize().to_pybytes()).decode() for one in fields)
    if frame.implementation.is_polars():
        return tuple(_narwhals_words(frame.schema[name]) for name in names)
    return ("",) * len(names)


def words_of_index(values: pd.Series | pd.Index) -> str:
    """Return the type of a pandas column or index in words.

    >>> words_of_index(pd.period_range("2024-01", periods=2, freq="M"))
    'period[M]'
    """
    dtype = values.dtype
    if not isinstance(dtype, pd.CategoricalDtype):
        return str(dtype)
    labels = dtype.categories.tolist()
    known = labels if all(isinstance(one, (str, int, float, bool)) for one in labels) else None
    return f"category {json.dumps([bool(dtype.ordered), known])}"


def as_index(values: pd.Index, words: str) -> pd.Index:
    """Return time stamps, numbers or keys by the type that the words tell of.

    Args:
        values: as forecasts have them.
        words: of `words_of_index`.

    Example:
        >>> as_index(pd.date_range("2024-01-01", periods=2, freq="MS"), "period[M]")
        PeriodIndex(['2024-01', '2024-02'], dtype='period[M]')
    """
    try:
        return _as_index(values, words)
    except (TypeError, ValueError, OverflowError, KeyError, AttributeError):
        return values  # it doesn't hold what is to come: a year after 2262 in nanoseconds


def _as_index(values: pd.Index, words: str) -> pd.Index:
    if isinstance(values, pd.DatetimeIndex):
        unit = re.match(r"datetime64\[(s|ms|us|ns)\b", words)
        if unit:
            return values.as_unit(unit[1])
        dated = re.match(r"period\[|(timestamp|date32|date64)\[", words)
        return values.astype(words) if dated else values
    if words.startswith("timedelta64["):
        of_spans = words.removeprefix("timedelta64[").removesuffix("]")
        return pd.to_timedelta(np.asarray(values), unit=_MICROSECONDS).as_unit(of_spans)
    if words.startswith("category "):
        ordered, labels = json.loads(words.removeprefix("category "))
        labels = labels if labels is None else pd.Index(labels)
        made = values.astype(pd.CategoricalDtype(labels, ordered))
        return values if made.hasnans else made
    dtype = pd.api.types.pandas_dtype(words) if words else values.dtype
    return values if dtype == values.dtype else values.astype(dtype)


def as_columns(frame: nw.DataFrame, words: Mapping[Any, str]) -> nw.DataFrame:
    """Return a frame of polars or pyarrow with columns by the types that the words tell of.

    Args:
        frame: of forecasts.
        words: of `words_of`, by column.
    """
    native = frame.to_native()
    for name, told in words.items():
        if not told:
            continue
        try:
            if isinstance(native, pa.Table):
                native = _with_arrow_type(native, name, told)
                frame = nw.from_native(native, eager_only=True)
            else:
                dtype = _narwhals_type(told, frame.schema[name])
                frame = frame.with_columns(nw.col(name).cast(dtype))
        except Exception:  # each library has errors of its own for what a type doesn't hold
            continue
    return frame


def _with_arrow_type(table: pa.Table, name: Any, told: str) -> pa.Table:
    kind = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(told))).field(0).type
    at = table.schema.get_field_index(name)
    column = table.column(at)
    dated = pa.types.is_timestamp(column.type)
    if dated != (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        return table
    return table.set_column(at, pa.field(name, kind), column.cast(kind))


def _narwhals_words(dtype: Any) -> str:
    if isinstance(dtype, nw.Datetime):
        return f"Datetime {dtype.time_unit}"
    if isinstance(dtype, nw.Enum):
        return f"Enum {json.dumps(list(dtype.categories))}"
    return str(dtype)


def _narwhals_type(told: str, found: Any) -> Any:
    """Return the type that words tell of, for a column of the type ``found``."""
    kind, _, more = told.partition(" ")
    if isinstance(found, nw.Datetime):
        if kind == "Datetime":
            return nw.Datetime(cast(Any, more), found.time_zone)
        return nw.Date() if kind == "Date" else found
    if kind == "Enum":
        return nw.Enum(json.loads(more))
    return getattr(nw, kind)() if kind in _PLAIN else found


def _level(frame: pd.DataFrame, name: Any) -> pd.Index:
    return frame.index.get_level_values(name)
