"""A column of a table as numbers, however they are written there."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.reading.missing import is_missing, may_hold_text
from statewise.sequences.reading.number_cells import take_apart
from statewise.sequences.reading.number_marks import COMMA, POINT, digits_of
from statewise.sequences.reading.number_text import mark_shown, read_text
from statewise.sequences.reading.number_words import name_all

_SAMPLE = 400  # so many cells decide what a column holds
_VOTERS = 2000  # and so many which mark a file's decimals have
# All of which Python or NumPy would make numbers of.
_NO_NUMBERS = (bool, np.bool_, complex, np.complexfloating, bytes, np.datetime64, np.timedelta64)
_PADDED = re.compile(r"\s*[+-]?0\d+\s*")  # 001: a name, not a number


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Attributes:
        values: float64; NaN where a value is missing or unreadable.
        unreadable: which cells hold something that is no number.
        missing: which cells hold nothing, or a marker of it.
        facts: what was understood, by topic: "decimal", "thousands", "units", "missing".
        notes: what was decided although it could have been otherwise.
    """

    values: np.ndarray
    unreadable: np.ndarray
    missing: np.ndarray
    facts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def numbers_of(
    column: pd.Series,
    *,
    decimal: str | None = None,
    likely: str | None = None,
    missing: Collection[str | float] = (),
) -> Numbers:
    """Read a column as numbers; the whole column decides how each cell is meant.

    Read are decimals with a point or a comma, groups of digits, signs of currencies, percents and
    units (where all values have the same), thousands and millions such as ``57.32K``, negative
    numbers in parentheses or with the sign behind, letters of footnotes behind numbers.

    Args:
        column: text, numbers, or objects of several types. A column of bools is 0 and 1.
        decimal: the mark of decimals, where the user said it: "." or ",".
        likely: the one that other columns of the file have (`decide_decimal`): it decides where
            this column doesn't.
        missing: more markers of missing values: text such as "x", numbers such as -999.

    Example:
        >>> numbers_of(pd.Series(["1.234,5", "n/d", "-3"])).values
        array([1234.5, nan, -3. ])
        >>> numbers_of(pd.Series(["$57.32K", "($1.2M)"])).values
        array([ 57320., -1200000.])
    """
    words, impossible = _told_apart(missing)
    absent = column.isna().to_numpy(bool).copy()  # pandas may lend its own
    if not may_hold_text(column):
        values, wrong = _typed(column)
        facts: dict[str, str] = {}
        notes: list[str] = []
        markers: list[str] = []
    else:
        values, wrong = np.full(len(column), np.nan), np.zeros(len(column), bool)
        cells = column.astype(object).to_numpy()
        text = _rows_of_text(column, cells, absent)
        for row in np.setdiff1d(np.flatnonzero(~absent), text, assume_unique=True):
            values[row] = _as_float(cells[row])
            wrong[row] = np.isnan(values[row])
        read = read_text(cells[text].tolist(), decimal=decimal, likely=likely, markers=words)
        values[text], facts, notes, markers = read.values, read.facts, read.notes, read.markers
        absent[text] = read.missing
        wrong[text] = np.isnan(read.values) & ~read.missing
    said = np.isin(values, impossible) if impossible else np.zeros(len(values), bool)
    if said.any():
        markers += [f"{one:g}" for one in impossible if (values == one).any()]
        values = np.where(said, np.nan, values)
    if markers:
        facts["missing"] = f"{name_all(markers)} as missing"
    return Numbers(values, wrong, absent | said, facts, notes)


def holds_numbers(column: pd.Series) -> bool:
    """Tell whether most of a column's values are numbers; text such as 001 is none.

    Example:
        >>> [holds_numbers(pd.Series(text)) for text in (["1,5", "x", "2"], ["001", "002"])]
        [True, False]
    """
    if types.is_bool_dtype(column.dtype) or not len(column):
        return False
    if not may_hold_text(column):
        values, wrong = _typed(column)
        return bool((~np.isnan(values)).mean() > 0) and not wrong.any()
    known = _sample(column, 10 * _SAMPLE)
    known = known[~is_missing(known)]
    if not len(known) and len(column) > 10 * _SAMPLE:
        known = column[~is_missing(column)]
    if not len(known):
        return False
    known = _sample(known, _SAMPLE)
    if any(isinstance(cell, str) and _PADDED.fullmatch(cell) for cell in known):
        return False
    return bool(np.mean(~numbers_of(known).unreadable) > 0.5)


def begins_with_a_number(column: pd.Series) -> bool:
    """Tell by its first value a column that is one of very many, in no time for each.

    Example:
        >>> [begins_with_a_number(pd.Series([text])) for text in ("1.234,5", "1.1.2024", "")]
        [True, False, False]
    """
    if not may_hold_text(column):
        return types.is_numeric_dtype(column.dtype)
    head = column.head(100)
    head = head[~is_missing(head)]
    cell = take_apart(str(head.iloc[0])) if len(head) else None
    return cell is not None and any(digits_of(cell.body, mark) for mark in (POINT, COMMA))


def decide_decimal(columns: pd.DataFrame) -> str | None:
    """Return the decimal mark that the text of a file's columns shows; None where none does.

    Columns that aren't numbers have no say.

    Example:
        >>> decide_decimal(pd.DataFrame({"a": ["1.234", "2.345"], "b": ["0,5", "1,5"]}))
        ','
    """
    votes = {POINT: 0, COMMA: 0}
    for place in range(columns.shape[1]):
        column = columns.iloc[:, place]
        if not may_hold_text(column):
            continue
        sample = _sample(column, _VOTERS)
        known = [cell for cell in sample[~is_missing(sample)] if isinstance(cell, str)]
        shown = mark_shown(known)
        if shown is not None:
            votes[shown] += 1
    if votes[POINT] == votes[COMMA]:
        return None
    return max(votes, key=votes.__getitem__)


def _told_apart(missing: Collection[str | float]) -> tuple[list[str], list[float]]:
    """Return the markers that are words, and those that are numbers, though they may be text."""
    words: list[str] = []
    numbers: list[float] = []
    for one in missing:
        value = _as_float(one)
        if np.isnan(value) and isinstance(one, str):
            words.append(one)
        elif not np.isnan(value):
            numbers.append(value)
    return words, numbers


def _rows_of_text(column: pd.Series, cells: np.ndarray, absent: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(~absent)
    if types.infer_dtype(column, skipna=True) == "string":
        return known
    return known[np.fromiter((isinstance(cell, str) for cell in cells[known]), bool, len(known))]


def _sample(column: pd.Series, count: int) -> pd.Series:
    """Return some of the cells, from all over the column, the first ones among them."""
    if len(column) <= count:
        return column
    return column.iloc[np.unique(np.linspace(0, len(column) - 1, count).astype(int))]


def _typed(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Read what has a type of its own."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        column = column.astype(dtype.categories.dtype)
    if not (types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype)) or (
        types.is_complex_dtype(column.dtype)
    ):
        return np.full(len(column), np.nan), column.notna().to_numpy(bool)
    values = column.to_numpy(np.float64, na_value=np.nan)
    return values, np.isnan(values) & column.notna().to_numpy(bool)


def _as_float(value: Any) -> float:
    if isinstance(value, _NO_NUMBERS):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf
    except (TypeError, ValueError):
        return np.nan
