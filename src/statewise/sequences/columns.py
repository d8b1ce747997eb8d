"""Columns of a table read by what they are for: as time, as numbers, as keys.

A table out of a text file holds text; nothing in it is a number or a date before somebody asks for
one. So a key "001" stays apart from "1", and "11,9" is a number or a name, but no date.
"""

import datetime
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.reading.missing import is_missing
from statewise.sequences.reading.numbers import Numbers, holds_numbers, numbers_of
from statewise.sequences.reading.suspects import suspects
from statewise.sequences.reading.time_columns import combine, find_time, looks_like_time
from statewise.sequences.reading.times import Times, holds_times, times_of
from statewise.sequences.tables import DataError, Table, counted, free_name, listed, with_columns

NUMBERED = "none"  # said instead of a column of time
_LONGEST = 60  # letters of a cell in a message
_FEW = 0.05  # of the cells of a column: so many that a spreadsheet has spoiled are left out
_STRAY = 0.01  # of the rows: so many without a time that is understood are left out
_LEAST = 20  # rows that show what the time is


def time_of(
    table: Table, named: Sequence[str] | str | None, *, but: Iterable[str] = ()
) -> tuple[str | None, Table]:
    """Return the column of a table's time, and the table with it read.

    Args:
        table: as it was read.
        named: the column of the time, or several that make it together; "none" for numbered rows;
            None to find it.
        but: columns that were named for something else.

    Returns:
        The name of a column of stamps (or numbers), None where the rows are numbered; and the table
        with that column, in place of those that it was made of.

    Raises:
        DataError: where a named column doesn't exist, a stamp is missing or can't be read, several
            columns could be the time, or one looks like it but isn't understood.
    """
    frame, but = table.frame, list(but)
    if named == NUMBERED and NUMBERED not in frame.columns:
        return None, table
    if named is not None:
        several = isinstance(named, (list, tuple)) and named not in list(frame.columns)
        names = tuple(named) if several else (cast(str, named),)
        for name in names:
            if name not in frame.columns:
                raise DataError(
                    f"{table.name} has no column {name!r}; its columns are: {listed(frame.columns)}"
                )
        if len(names) == 1:
            times = times_of(frame[names[0]], dayfirst=table.dayfirst)
            return names[0], _with_time(table, names, names[0], times)
        label = free_name(" ".join(map(str, names)), frame.columns)
        times = combine(frame, names, dayfirst=table.dayfirst)
        return label, _with_time(table, names, label, times)
    others = [name for name in frame.columns if name not in but]
    found = find_time(frame[others], dayfirst=table.dayfirst)
    if found is not None:
        return found.name, _with_time(table, found.columns, found.name, found.times)
    like = looks_like_time(frame[others])
    if like is not None:
        raise DataError(
            f"the column {like!r} of {table.name} looks like its time, but isn't read: "
            f"{format_cell(frame[like], 0)} in {table.places[0]} is no time that is known. Write "
            "it as 2024-01-31, name another column (--time), or number the rows (--time none)"
        )
    return None, table


def _with_time(table: Table, names: Sequence[str], label: str, times: Times) -> Table:
    """Put the stamps into the table, in place of the columns that they were made of."""
    table, times = _without_strays(table, names, times)
    frame = table.frame
    _check_stamps(table, names, times.stamps)
    table.understood.tell("time", times.words)
    table.understood.tell("zone", times.zone)
    for note in times.notes:
        table.understood.note(note)
    if len(names) == 1 and label == names[0]:
        return replace(table, frame=with_columns(frame, {label: times.stamps}))
    rest = frame.drop(columns=[name for name in names if name != label])
    rest = rest.drop(columns=label, errors="ignore")
    rest.insert(0, label, times.stamps)
    return replace(table, frame=rest)


def _without_strays(table: Table, names: Sequence[str], times: Times) -> tuple[Table, Times]:
    """Leave out the odd row of a file whose time can't be read, and say so."""
    wrong = np.asarray(times.stamps.isna())
    count, rows = int(wrong.sum()), len(wrong)
    if not table.text or rows < _LEAST or not 0 < count <= max(1, _STRAY * rows):
        return table, times
    row = int(wrong.argmax())
    cell = _shortened(" ".join(str(table.frame[name].iloc[row]) for name in names))
    table.understood.note(
        f"{counted(count, 'row')} left out, whose time can't be read: {cell} in {table.places[row]}"
    )
    kept = np.flatnonzero(~wrong)
    frame = table.frame.iloc[kept].reset_index(drop=True)
    places = [table.places[row] for row in kept.tolist()]
    return (
        replace(table, frame=frame, places=places),
        replace(times, stamps=times.stamps[kept]),
    )


def _check_stamps(table: Table, names: Sequence[str], stamps: pd.Index) -> None:
    column, title = table.frame[names[0]], ", ".join(map(str, names))
    missing = is_missing(column)
    if missing.any():
        raise DataError(
            f"the time column {title!r} has {counted(missing.sum(), 'missing time stamp')}, the "
            f"first in {table.places[int(missing.argmax())]}"
        )
    wrong = np.asarray(stamps.isna())
    if stamps.dtype.kind == "f":
        wrong = wrong | np.isinf(stamps.to_numpy())
    if wrong.any():
        row = int(wrong.argmax())
        cell = " ".join(str(table.frame[name].iloc[row]) for name in names)
        raise DataError(
            f"the time column {title!r} can't be read in {table.places[row]}: "
            f"{_shortened(cell)} is not a time like those around it"
        )


def guess_time(table: Table) -> str | None:
    """Return the column of dates, or ``None`` where there is none.

    Raises:
        DataError: where there are several, and nothing decides.
    """
    found = find_time(table.frame, dayfirst=table.dayfirst)
    return None if found is None else found.name


def describe_time_missing(table: Table) -> str:
    """Say that a table has no column of dates, and what its columns are."""
    return (
        f"{table.name} has no column of dates, so name the one of time (--time); its columns are: "
        f"{listed(table.frame.columns)}"
    )


def holds_numbers_alone(column: pd.Series) -> bool:
    """Whether most values of a column are numbers, and it is no column of dates."""
    if types.is_bool_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype):
        return False
    return holds_numbers(column)


def read_numbers(table: Table, name: str) -> np.ndarray:
    """Return a column as float64, NaN where a value is missing.

    Raises:
        DataError: where it holds text or an infinity; it names the row. Where one number stands far
            from all others, again and again, as markers of missing values do.
    """
    column = table.frame[name]
    if types.is_datetime64_any_dtype(column.dtype):
        raise DataError(f"the column {name!r} holds dates, but numbers are needed")
    if types.is_complex_dtype(column.dtype):
        raise DataError(
            f"the column {name!r} holds complex numbers: make columns of its real and its "
            "imaginary part, of which one would be lost"
        )
    said = table.missing_values or ()
    found = numbers_of(column, decimal=table.decimal, likely=table.likely_decimal, missing=said)
    values = found.values
    dated = _made_dates(column, found.unreadable)
    if dated.any():
        row, cells = int(dated.argmax()), counted(int(dated.sum()), "cell")
        table.understood.note(
            f"{cells} of {name!r} hold dates among numbers, as spreadsheets make of 9937.05: the "
            f"first is {format_cell(column, row)} in {table.places[row]}. They count as missing"
        )
        found = replace(found, unreadable=found.unreadable & ~dated)
    if found.unreadable.any():
        row = int(found.unreadable.argmax())
        count = int(found.unreadable.sum())
        more = f" (and so in {counted(count - 1, 'more row')})" if count > 1 else ""
        if 2 * count < len(column):
            more += _or_missing(table, column, row)
        raise DataError(
            f"the column {name!r} holds text in {table.places[row]}: "
            f"{format_cell(column, row)} is no number{more}"
        )
    infinite = np.isinf(values)
    if infinite.any():
        row = int(infinite.argmax())
        raise DataError(
            f"the column {name!r} holds {counted(infinite.sum(), 'infinite value')}, the first "
            f"in {table.places[row]} ({format_cell(column, row)}): put a number there, or "
            "leave the cell empty"
        )
    _tell(table, found)
    return values


def _made_dates(column: pd.Series, unreadable: np.ndarray) -> np.ndarray:
    """Whether a cell that is no number is a date of a typed file, where few are."""
    dated = np.zeros(len(column), bool)
    rows = np.flatnonzero(unreadable)
    if 0 < len(rows) <= _FEW * len(column):
        dated[rows] = [isinstance(cell, datetime.date) for cell in column.iloc[rows]]
    return dated


def _or_missing(table: Table, column: pd.Series, row: int) -> str:
    """Say how to have a cell's text taken for a missing value."""
    text = str(column.iloc[row])
    if not table.text or len(text) > _LONGEST:
        return ""
    return f"; where that means a missing value, say --missing-value {shlex.quote(text)}"


def _tell(table: Table, found: Numbers) -> None:
    for topic, words in found.facts.items():
        table.understood.tell(topic, words)
    for note in found.notes:
        table.understood.note(note)


def ask_about_markers(table: Table, read: Mapping[str, np.ndarray]) -> None:
    """Ask about numbers that stand for missing values, most likely, where nobody said a word.

    Args:
        table: out of a file; a frame's numbers are its owner's.
        read: the values of columns that were read as numbers, by their names.

    Raises:
        DataError: where there are some: it names them, and the words for either answer.
    """
    if table.missing_values is not None or not table.text:
        return
    found: dict[float, tuple[str, int]] = {}
    for name, values in read.items():
        for value, count in suspects(values):
            found.setdefault(value, (name, count))
    if not found:
        return
    said = ",".join(f"{value:.15g}" for value in found)
    cases = [
        f"{value:.15g} ({counted(count, 'time')} in {name!r})"
        for value, (name, count) in found.items()
    ]
    raise DataError(
        f"far from all other values stand {listed(cases)}: do they mean missing values? If so, say "
        f"--missing-value {said} (missing_values=[{said}]); if not, --missing-value none "
        "(missing_values=[])"
    )


def format_cell(column: pd.Series, row: int) -> str:
    """Write the text of a cell, the beginning of a long one."""
    return _shortened(str(column.iloc[row]))


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


__all__ = [
    "NUMBERED",
    "ask_about_markers",
    "describe_time_missing",
    "format_cell",
    "guess_time",
    "holds_numbers_alone",
    "holds_times",
    "read_numbers",
    "time_of",
]
