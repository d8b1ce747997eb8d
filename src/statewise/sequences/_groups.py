"""Series out of a table in long format: one below the other, told apart by a column of keys."""

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences.arrays import NUMBER_KINDS
from statewise.sequences.tables import counted, listed


def group_values(
    frame: pd.DataFrame, key: Any, columns: Iterable | None, word: str
) -> tuple[dict[Hashable, np.ndarray], tuple[str, ...]]:
    """Return the series of a table by key, (time, features) each, and the names of the features.

    The keys come in the order in which they first appear; the rows of a key keep their order,
    whatever lies between them.

    Raises:
        TypeError: where a column doesn't hold numbers.
        ValueError: where there is no such column, or a row has no key.
    """
    _check_names(frame, [key], word)
    if columns is None:
        columns = [name for name in frame.columns if name != key]
    values, names = column_values(frame, columns, word)
    codes, keys = pd.factorize(frame[key])
    if (codes < 0).any():
        rows = counted(int((codes < 0).sum()), "row")
        raise ValueError(f"{word} has no key in {rows} of the column {key!r}: leave them out")
    values = values[np.argsort(codes, kind="stable")]
    counts = np.bincount(codes, minlength=len(keys))
    parts = np.split(values, np.cumsum(counts)[:-1])
    return dict(zip(keys.tolist(), parts, strict=False)), names  # no key at all leaves one part


def column_values(
    frame: pd.DataFrame, columns: Iterable | None, word: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return columns as an array (time, features), NaN where a value is missing, and their names.

    Raises:
        TypeError: where a column doesn't hold numbers.
        ValueError: where there is no such column.
    """
    columns = list(frame.columns) if columns is None else list(columns)
    _check_names(frame, columns, word)
    values = [_numbers(frame[name], f"the column {name!r} of {word}") for name in columns]
    stacked = np.column_stack(values) if values else np.empty((len(frame), 0))
    return stacked, tuple(str(name) for name in columns)


def _numbers(column: pd.Series, word: str) -> np.ndarray:
    if column.dtype.kind not in NUMBER_KINDS:
        raise TypeError(
            f"{word} must hold real numbers, but its dtype is {column.dtype}; "
            "say by columns= which columns are the features"
        )
    if isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    return column.to_numpy(np.float64, na_value=np.nan)  # pandas' own types may have gaps


def _check_names(frame: pd.DataFrame, names: Iterable, word: str) -> None:
    for name in names:
        if name not in frame.columns:
            raise ValueError(f"{word} has no column {name!r}; it has: {listed(frame.columns)}")
