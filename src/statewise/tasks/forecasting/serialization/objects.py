"""Columns of Python objects (keys, categories) as text, and back: each with its own type."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import DataError


def as_text(column: pd.Series, name: str) -> pd.Series | None:
    """Return a column of objects as text; None where a file can hold it as it is.

    Args:
        column: of keys or categories.
        name: for the message.

    Raises:
        DataError: where an object is of a type that can't be written.

    >>> as_text(pd.Series(["a", 1], dtype=object), "key").tolist()
    ['"a"', '1']
    >>> as_text(pd.Series(["a", "b"]), "key") is None
    True
    """
    if column.dtype != object or pd.api.types.infer_dtype(column, skipna=False) == "string":
        return None
    return pd.Series([json.dumps(_tagged(value, name)) for value in column], column.index, object)


def as_objects(column: pd.Series) -> pd.Series:
    """Return the objects that `as_text` wrote.

    >>> as_objects(as_text(pd.Series(["a", 1, (2, True)], dtype=object), "key")).tolist()
    ['a', 1, (2, True)]
    """
    return pd.Series([_untagged(json.loads(text)) for text in column], column.index, object)


def _tagged(value: Any, name: str) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    match value:
        case tuple():
            return {"tuple": [_tagged(one, name) for one in value]}
        case pd.Timestamp():
            return {"timestamp": value.isoformat()}
        case datetime():
            return {"datetime": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
    raise DataError(
        f"the {name} {value!r:.40} is of the type {type(value).__name__}, which can't be saved: "
        "make it text or a number before fit"
    )


def _untagged(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    [(tag, inner)] = value.items()
    if tag == "tuple":
        return tuple(_untagged(one) for one in inner)
    read = {
        "timestamp": pd.Timestamp,
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "decimal": Decimal,
    }
    return read[tag](inner)
