"""Columns of a table read as time and as numbers, and guessed where nobody named them."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.tables import DataError, Table, counted, listed

_LONGEST = 60  # letters of a cell in a message
_SAMPLE = 100  # so many values decide what a column holds


def guess_time(table: Table) -> str | None:
    """Return the one column that holds dates, or ``None`` where there is none.

    Raises:
        DataError: where there are several.
    """
    found = [name for name in table.frame.columns if _holds_dates(table.frame[name])]
    if len(found) > 1:
        raise DataError(
            f"{table.name} has {len(found)} columns of dates ({listed(found)}): "
            "name one as time (--time)"
        )
    return found[0] if found else None


def guess_target(table: Table, time: str | None) -> str:
    """Return the one column that holds numbers, apart from the time.

    Raises:
        DataError: where there is none, or several.
    """
    others = [name for name in table.frame.columns if name != time]
    named = [name for name in others if not str(name).startswith("Unnamed: ")]
    found = [name for name in named if _holds_numbers(table.frame[name])]
    if len(found) == 1:
        return found[0]
    if len(named) == 1:
        return named[0]
    if not found:
        columns = listed(others) if others else "none besides the time"
        raise DataError(f"{table.name} has no column of numbers; its columns are: {columns}")
    raise DataError(
        f"{table.name} has {len(found)} columns of numbers ({listed(found)}): "
        "name the one to forecast as target (--target)"
    )


def read_numbers(table: Table, name: str) -> np.ndarray:
    """Return a column as float64, NaN where a value is missing.

    Raises:
        DataError: where it holds text or an infinity; it names the row.
    """
    column = table.frame[name]
    if types.is_datetime64_any_dtype(column.dtype):
        raise DataError(f"the column {name!r} holds dates, but numbers are needed")
    if types.is_complex_dtype(column.dtype):
        raise DataError(
            f"the column {name!r} holds complex numbers: make columns of its real and its "
            "imaginary part, of which one would be lost"
        )
    numbers = _as_numbers(column)
    text = np.isnan(numbers) & ~_is_missing(column)
    if text.any():
        row = int(text.argmax())
        more = f" (and so in {counted(text.sum() - 1, 'more row')})" if text.sum() > 1 else ""
        raise DataError(
            f"the column {name!r} holds text in {table.places[row]}: "
            f"{format_cell(column, row)} is no number{more}"
        )
    infinite = np.isinf(numbers)
    if infinite.any():
        row = int(infinite.argmax())
        raise DataError(
            f"the column {name!r} holds {counted(infinite.sum(), 'infinite value')}, the first "
            f"in {table.places[row]} ({format_cell(column, row)}): put a number there, or "
            "leave the cell empty"
        )
    return numbers


def read_time(table: Table, name: str) -> pd.Index:
    """Return a column as strictly increasing time stamps, in the zone they have, or numbers.

    Raises:
        DataError: where a stamp is missing, is no date, repeats one, or goes back.
    """
    column = table.frame[name]
    missing = _is_missing(column)
    if missing.any():
        raise DataError(
            f"the time column {name!r} has {counted(missing.sum(), 'missing time stamp')}, the "
            f"first in {table.places[int(missing.argmax())]}"
        )
    stamps = parse_time(column)
    wrong = stamps.isna() | np.isinf(stamps) if stamps.dtype.kind == "f" else stamps.isna()
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"the time column {name!r} can't be read in {table.places[row]}: "
            f"{format_cell(column, row)} is not a time like those around it"
        )
    for row in map(int, np.flatnonzero(~(stamps[1:] > stamps[:-1]))):
        here, before = table.places[row + 1], table.places[row]
        stamp = str(column.iloc[row + 1])
        if stamps[row + 1] == stamps[row]:
            raise DataError(
                f"the time stamps repeat: {here} has the same as {before} ({stamp}); "
                "keep one row for each"
            )
        raise DataError(
            f"the time stamps go back: {here} ({stamp}) is before {before} "
            f"({column.iloc[row]}); sort the rows by time"
        )
    return stamps


def parse_time(column: pd.Series) -> pd.Index:
    """Read time stamps, NaT where one can't be read; plain numbers stay numbers.

    Stamps keep their zone; text with more than one offset from UTC names no zone, and is in UTC.
    """
    if isinstance(column.dtype, pd.PeriodDtype):
        return pd.DatetimeIndex(column.dt.to_timestamp())
    if types.is_datetime64_any_dtype(column.dtype):
        return pd.DatetimeIndex(column)
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        numbers = pd.Index(column.to_numpy())
        if types.is_integer_dtype(numbers.dtype) and numbers.min() > 17_000_000:
            dates = pd.to_datetime(numbers.astype(str), format="%Y%m%d", errors="coerce")
            if not dates.isna().any():
                return dates
        return numbers
    if types.is_object_dtype(column.dtype) and types.infer_dtype(column).startswith("datetime"):
        try:
            return pd.DatetimeIndex(column)
        except (ValueError, TypeError, OverflowError):  # zones that differ; what is no stamp
            pass
    text = column.astype(str).str.strip()
    # 02/01/2020 may be either: the right reading is the one that fails less, and goes forward in
    # even steps; where both do, the month comes first.
    readings = [_parse(text, dayfirst) for dayfirst in (False, True)]
    return min(readings, key=lambda stamps: (int(stamps.isna().sum()), not _goes_evenly(stamps)))


def _goes_evenly(stamps: pd.DatetimeIndex) -> bool:
    forward = len(stamps) > 2 and stamps.is_unique and stamps.is_monotonic_increasing
    found = find_calendar(stamps) if forward else None
    return found is not None and len(found[1]) == len(stamps)


def _parse(text: pd.Series, dayfirst: bool) -> pd.DatetimeIndex:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas tells that it tries each one alone
        try:
            stamps = pd.to_datetime(text, dayfirst=dayfirst, errors="coerce")
        except ValueError:  # zones that differ
            stamps = pd.to_datetime(text, dayfirst=dayfirst, errors="coerce", utc=True)
    return pd.DatetimeIndex(stamps)


def _holds_dates(column: pd.Series) -> bool:
    """Most of its values are dates; numbers are not taken for dates."""
    if types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype):
        return True
    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return False
    known = column[~_is_missing(column)].head(_SAMPLE)
    if known.empty or not np.isnan(_as_numbers(known)).all():
        return False
    return bool(parse_time(known).notna().mean() > 0.5)


def _holds_numbers(column: pd.Series) -> bool:
    """Most of its values are numbers."""
    if types.is_bool_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype):
        return False
    known = column[~_is_missing(column)]
    return bool(len(known) and np.mean(~np.isnan(_as_numbers(known))) > 0.5)


def _as_numbers(column: pd.Series) -> np.ndarray:
    """Read numbers as float64, NaN where there is none."""
    if isinstance(column.dtype, pd.PeriodDtype) or types.is_complex_dtype(column.dtype):
        return np.full(len(column), np.nan)
    try:
        numbers = pd.to_numeric(column, errors="coerce")
    except OverflowError:  # whole numbers of hundreds of digits, beyond what floats can hold
        numbers = column.map(_as_float)
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _as_float(value: Any) -> float:
    if isinstance(value, str) and "_" in value:  # Python's own way to write numbers
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf
    except (TypeError, ValueError):
        return np.nan


def format_cell(column: pd.Series, row: int) -> str:
    """Write the text of a cell, the beginning of a long one."""
    text = str(column.iloc[row])
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def _is_missing(column: pd.Series) -> np.ndarray:
    """Tell cells without a value; blanks are none."""
    missing = column.isna().to_numpy(bool)
    if types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype):
        blank = column.astype(str).str.strip() == ""
        missing = missing | blank.fillna(False).to_numpy(bool)
    return missing
