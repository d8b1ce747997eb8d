"""Which columns of a long table tell its series apart."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.columns import holds_numbers_alone, read_numbers
from statewise.sequences.reading.missing import is_missing
from statewise.sequences.tables import DataError, Table, free_name, listed, with_columns

_MOST_KEYS = 3  # columns that are tried together
_LEAST_STEPS = 3  # of a series in the middle, for columns to be taken for its key
_SHARED = 0.75  # distinct stamps of a long table, in parts of its rows, at most
_WHOLE = 0.9  # of all pairs of key and stamp that are there, for numbers to be taken for keys


def join_keys(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return one text for the values of several columns, as "NSW, Business".

    Example:
        >>> join_keys(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}), ["a", "b"]).tolist()
        ['x, 1', 'y, 2']
    """
    codes = [numbered(frame[name], name) for name in names]
    together, which = np.unique(np.column_stack([code for code, _ in codes]), axis=0,
                                return_inverse=True)  # fmt: skip
    texts = [", ".join(str(codes[i][1][c]) for i, c in enumerate(row)) for row in together]
    if len(set(texts)) < len(texts):  # "a, b" and "c" beside "a" and "b, c"
        texts = [" | ".join(repr(codes[i][1][c]) for i, c in enumerate(row)) for row in together]
    return pd.Series(np.array(texts, object)[which.ravel()], index=frame.index)


def numbered(column: pd.Series, name: object) -> tuple[np.ndarray, Any]:
    """Return for each cell of a column of keys the number of its key, and the keys.

    Raises:
        DataError: where cells are lists or the like, which can't be keys.

    Example:
        >>> numbered(pd.Series(["b", "a", "b"]), "shop")[0]
        array([0, 1, 0])
    """
    try:
        return pd.factorize(column, use_na_sentinel=False)
    except TypeError:
        odd = (cell for cell in column if not isinstance(cell, Hashable))
        kind = type(next(odd, column.iloc[0])).__name__
        raise DataError(
            f"the column {name!r} can't be the key: it holds cells of the type {kind}; make text "
            "or numbers of them"
        ) from None


def can_be_key(column: pd.Series) -> bool:
    """Whether the cells of a column can be told apart: lists can't."""
    return not types.is_object_dtype(column.dtype) or all(isinstance(c, Hashable) for c in column)


def find_key(table: Table, stamps: pd.Series, names: list, target: str | None) -> tuple[str, ...]:
    """Return the columns that tell series apart whose stamps are the same; none where none do."""
    rows, codes = len(stamps), pd.factorize(stamps)[0]
    if codes.max() + 1 > _SHARED * rows:
        return ()  # a few stamps come twice: that is no panel
    texts, numbers = [], []
    for name in names:
        column = table.frame[name]
        if name == target or is_empty(column) or not can_be_key(column):
            continue
        if not holds_numbers_alone(column):
            texts.append(name)
        elif holds_whole_numbers(column):
            numbers.append(name)
    code_of = {name: numbered(table.frame[name], name)[0] for name in (*texts, *numbers)}
    found = _least_series(texts, code_of, codes)
    if not found:
        both = _least_series([*texts, *numbers], code_of, codes, whole=True)
        free = [name for name in names if name not in both and holds_numbers_alone(
            table.frame[name])]  # fmt: skip
        found = both if free else ()
    if found:
        series = len(np.unique(np.column_stack([code_of[name] for name in found]), axis=0))
        table.understood.tell("layout", f"{series:,} series by {listed(found)}")
    return found


def _least_series(names, code_of, stamps: np.ndarray, whole: bool = False) -> tuple[str, ...]:
    """Return the fewest columns with which no stamp comes twice in a series; of those, the ones
    with the fewest series.

    Args:
        names: of the columns to try.
        code_of: their values, numbered.
        stamps: numbered.
        whole: whether nearly every series must have every stamp, as where numbers are keys.
    """
    rows = len(stamps)
    for size in range(1, min(_MOST_KEYS, len(names)) + 1):
        valid = []
        for some in combinations(names, size):
            series, lengths = _groups([code_of[name] for name in some])
            if np.median(lengths) < _LEAST_STEPS or len(lengths) < 2:
                continue
            if whole and rows < _WHOLE * len(lengths) * (stamps.max() + 1):
                continue
            pairs = series.astype(np.int64) * (int(stamps.max()) + 1) + stamps
            if len(np.unique(pairs)) == rows:
                valid.append((len(lengths), some))
        if valid:
            return min(valid, key=lambda one: one[0])[1]
    return ()


def _groups(codes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Number the distinct rows of some columns; return the numbers, and how often each stands."""
    number = codes[0]
    for code in codes[1:]:
        number = pd.factorize(number.astype(np.int64) * (int(code.max()) + 1) + code)[0]
    return number, np.bincount(number)


def is_empty(column: pd.Series) -> bool:
    """Whether no cell of a column holds anything."""
    return bool(column.isna().all() or (column.astype(str).str.strip() == "").all())


def holds_whole_numbers(column: pd.Series) -> bool:
    """Whether a column holds whole numbers alone, as a key may."""
    if types.is_integer_dtype(column.dtype):
        return True
    if types.is_float_dtype(column.dtype):
        return bool((column.dropna() % 1 == 0).all() and column.notna().any())
    distinct = pd.Series(column.dropna().unique(), dtype=object).astype(str)
    whole = distinct.str.fullmatch(r"\s*\d+\s*").to_numpy(bool)
    # A series may be called "NA" among others called 1 and 2.
    return bool(whole.any() and (whole | is_missing(distinct)).all())


def numbered_by_key(table: Table, key: tuple[str, ...]) -> tuple[str, Table]:
    """Number the rows of each series, and return the name of their numbers."""
    name = free_name("step", table.frame.columns)
    steps = table.frame.groupby(list(key), sort=False, dropna=False).cumcount()
    return name, replace(table, frame=with_columns(table.frame, {name: steps}))


def with_number_keys(table: Table, key: tuple[str, ...]) -> Table:
    """Return the table with keys that are numbers, whole ones where they all are."""
    read = {}
    for name in key:
        numbers = read_numbers(table, name)
        whole = not np.isnan(numbers).any() and (numbers % 1 == 0).all()
        read[name] = numbers.astype(np.int64) if whole else numbers
    return replace(table, frame=with_columns(table.frame, read))
