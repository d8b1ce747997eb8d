"""Tables that run to the right: a column for each time stamp, or for each month of a year."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from statewise.sequences.columns import holds_numbers_alone, holds_times
from statewise.sequences.key_columns import is_empty
from statewise.sequences.reading.missing import is_missing
from statewise.sequences.reading.month_names import names_for, plain_word
from statewise.sequences.reading.time_columns import find_time, looks_like_time
from statewise.sequences.reading.time_names import part_of
from statewise.sequences.reading.times import times_of
from statewise.sequences.tables import Table, counted, free_name, listed

_LEAST = 6  # columns named by time stamps
_LEAST_NUMBERED = 4  # columns that are steps by their numbers
_MOST_NAMES = 3  # columns beside them
_YEARS = (1000, 2200)


@dataclass(frozen=True)
class Reshaped:
    """A table with a row for each time stamp.

    Attributes:
        table: it.
        time: its column of time stamps.
        value: its column of numbers.
    """

    table: Table
    time: str
    value: str


def with_rows_for_steps(table: Table) -> Reshaped | None:
    """Return a table with a row for each time stamp, where it had a column for each; else None.

    Four such forms are known: columns that are named by time stamps, beside others that name the
    series ("Country Name", "1960", "1961"...); a column of years beside twelve named by months; one
    of months beside columns named by years; and a column of names, each there once, beside columns
    that are numbered ("V1", "V2", "V3"...).

    Example:
        >>> from statewise.sequences.tables import load_table
        >>> years = list(map(str, range(1990, 1998)))
        >>> frame = pd.DataFrame([["Chad", *range(8)]], columns=["country", *years])
        >>> with_rows_for_steps(load_table(frame)).table.frame.head(2)
          country  time value
        0    Chad  1990     0
        1    Chad  1991     1
    """
    return (
        _months_across(table)
        or _years_across(table)
        or _stamps_across(table)
        or _steps_across(table)
    )


def _stamps_across(table: Table) -> Reshaped | None:
    frame = table.frame
    names = [str(name).strip() for name in frame.columns]
    stamps = _named_by_time(names)
    if stamps is None:
        return None
    across = [name for name, there in zip(frame.columns, stamps, strict=True) if there]
    if not all(holds_numbers_alone(frame[name]) or is_empty(frame[name]) for name in across):
        return None
    others = [name for name in frame.columns if name not in across]
    table.understood.tell(
        "layout", f"a column for each of {len(across)} steps, a row for each series"
    )
    return _melted(table, others, across)


def _steps_across(table: Table) -> Reshaped | None:
    """Return a table whose columns are numbered steps, where each row has a name of its own."""
    frame = table.frame
    across = [name for name in frame.columns if holds_numbers_alone(frame[name])]
    others = [name for name in frame.columns if name not in across]
    if len(across) < _LEAST_NUMBERED or not 1 <= len(others) <= _MOST_NAMES:
        return None
    numbers = [re.fullmatch(r"(.*?)(\d+)", str(name).strip()) for name in across]
    found = [number for number in numbers if number is not None]
    same = len(found) == len(across) and len({number[1] for number in found}) == 1
    if not same or (np.diff([int(number[2]) for number in found]) != 1).any():
        return None
    if not any(frame[name].is_unique for name in others) or find_time(frame[others]) is not None:
        return None
    if looks_like_time(frame[others]) is not None:  # one that isn't read: that is to be told
        return None
    table.understood.tell(
        "layout", f"a row for each series, up to {len(across)} steps to the right"
    )
    table.understood.note(
        f"each row was taken for a series, its columns from {across[0]} to {across[-1]} for steps; "
        "where each column is a series instead, say so (--wide)"
    )
    steps = {name: step for step, name in enumerate(across, 1)}
    return _melted(table, others, across, steps)


def _melted(table: Table, others: list, across: list, steps: dict | None = None) -> Reshaped:
    """Return a table with a row for each cell of the columns ``across``.

    What is blank before the first value of a row, and after its last, is left out.

    Args:
        table: with a row for each series.
        others: the other columns; those of text name the series.
        across: the columns of the steps.
        steps: what the time of each is; by default its name.
    """
    frame = table.frame
    texts = [name for name in others if not holds_numbers_alone(frame[name])]
    left = [name for name in others if name not in texts and not is_empty(frame[name])]
    if left:
        table.understood.note(
            f"left out, since each row is a series by its {listed(texts) or 'number'}: "
            f"{listed(left)}"
        )
    if not texts:
        texts = [free_name("series", frame.columns)]
        frame = frame.assign(**{texts[0]: [f"row {row + 1}" for row in range(len(frame))]})
    time, value = free_name("time", frame.columns), free_name("value", frame.columns)
    cells = frame[across].to_numpy(object)
    known = np.column_stack([~is_missing(frame[name]) for name in across])
    begun = np.maximum.accumulate(known, axis=1)
    goes_on = np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    rows, columns = np.nonzero(begun & goes_on)
    blank = int((~known.any(axis=1)).sum())
    if blank:
        table.understood.note(f"{counted(blank, 'row')} without any value left out")
    long = frame[texts].iloc[rows].reset_index(drop=True)
    label = np.array([name if steps is None else steps[name] for name in across], object)[columns]
    long[time] = label if steps is None else label.astype(np.int64)
    long[value] = cells[rows, columns]
    return Reshaped(_of_rows(table, long, pd.Series(rows)), time, value)


def _named_by_time(names: Sequence[str]) -> np.ndarray | None:
    """Whether each name is a time stamp; None where too few are."""
    years = np.array([name.isdigit() and _YEARS[0] <= int(name) <= _YEARS[1] for name in names])
    if years.sum() >= _LEAST:
        numbers = [int(name) for name, there in zip(names, years, strict=True) if there]
        steps = np.diff(numbers)
        return years if (steps > 0).all() or (steps < 0).all() else None
    digits = np.array([any(letter.isdigit() for letter in name) for name in names])
    if digits.sum() < _LEAST or not holds_times(pd.Series([*_chosen(names, digits)])):
        return None
    stamps = times_of(pd.Series([*_chosen(names, digits)])).stamps
    digits[digits] = np.asarray(stamps.notna())
    return digits if digits.sum() >= _LEAST and digits.sum() > len(names) / 2 else None


def _chosen(names: Sequence[str], there: np.ndarray) -> list[str]:
    return [name for name, one in zip(names, there, strict=True) if one]


def _months_across(table: Table) -> Reshaped | None:
    frame = table.frame
    if len(frame.columns) < 13:
        return None
    words = [plain_word(str(name).strip(" .")) for name in frame.columns]
    known = names_for([word for word in words if word.isalpha()])
    numbered = [str(month) for month in range(1, 13)]
    if set(numbered) <= {word.lstrip("0") for word in words}:
        months = {
            name: numbered.index(word.lstrip("0")) + 1 if word.lstrip("0") in numbered else None
            for name, word in zip(frame.columns, words, strict=True)
        }
    else:
        months = {name: known.month(word) for name, word in zip(frame.columns, words, strict=True)}
    across = [name for name, number in months.items() if number]
    if len(across) != 12 or {months[name] for name in across} != set(range(1, 13)):
        return None
    rest = [name for name in frame.columns if name not in across]
    years = [name for name in rest if _is_year(frame[name])]
    if len(years) != 1:
        return None
    time, value = free_name("month", rest), free_name("value", rest)
    long = frame.reset_index(names=["row"]).melt(
        id_vars=["row", *rest], value_vars=across, var_name=time, value_name=value
    )
    numbers = long[time].map({name: months[name] for name in across}).astype(int)
    year = long[years[0]].astype(str).str.strip().str.removesuffix(".0")
    long[time] = year + "-" + numbers.map("{:02}".format)
    order = np.lexsort([numbers, long["row"]])
    long = long.iloc[order].reset_index(drop=True)
    blank = long[value].isna() | (long[value].astype(str).str.strip() == "")
    long = long[~(blank & (blank[::-1].cummin()[::-1]))]  # months that are still to come
    table.understood.tell("layout", "a row for each year, a column for each month")
    rows = long["row"]
    others = [name for name in rest if name != years[0]]
    texts = [name for name in others if not holds_numbers_alone(frame[name])]
    gone = [name for name in others if name not in texts and not is_empty(frame[name])]
    if gone:
        table.understood.note(f"left out, since they are of whole years: {listed(gone)}")
    frame = long[[*texts, time, value]].reset_index(drop=True)
    return Reshaped(_of_rows(table, frame, rows), time, value)


def _years_across(table: Table) -> Reshaped | None:
    """Return a table with a row for each month, where months run down and years to the right."""
    frame = table.frame
    texts = {name: str(name).strip() for name in frame.columns}
    years = {name: int(text) for name, text in texts.items() if text.isdigit()}
    years = {name: year for name, year in years.items() if _YEARS[0] <= year <= _YEARS[1]}
    if len(years) < 2 or len(set(years.values())) < len(years):
        return None
    if not all(holds_numbers_alone(frame[name]) or is_empty(frame[name]) for name in years):
        return None
    rest = [name for name in frame.columns if name not in years]
    found = {name: months for name in rest if (months := _months_in(frame[name])) is not None}
    others = [name for name in rest if name not in found and not is_empty(frame[name])]
    if len(found) != 1 or any(holds_numbers_alone(frame[name]) for name in others):
        return None
    (months,) = found.values()
    time, value = free_name("month", others), free_name("value", others)
    each = frame[others].assign(**{time: months})
    if each.duplicated().any() or len(each) % 12:
        return None
    rows = np.repeat(np.arange(len(frame)), len(years))
    long = frame[others].iloc[rows].reset_index(drop=True)
    long[time] = [f"{year}-{month:02}" for month in months for year in years.values()]
    cells = frame[list(years)]
    long[value] = cells.to_numpy(object).ravel()
    known = np.column_stack([~is_missing(cells[year]) for year in years]).ravel()
    last = long[time][known].max() if known.any() else ""
    kept = (long[time] <= last).to_numpy()  # months that are still to come
    order = np.lexsort([long[time], rows if others else np.zeros(len(rows))])
    order = order[kept[order]]
    table.understood.tell("layout", "a row for each month, a column for each year")
    return Reshaped(
        _of_rows(table, long.iloc[order].reset_index(drop=True), pd.Series(rows[order])),
        time,
        value,
    )


def _months_in(column: pd.Series) -> np.ndarray | None:
    """Return the months of a column that names each of the twelve, or numbers them; else None."""
    words = [plain_word(str(cell).strip(" .")) for cell in column]
    known = names_for([word for word in words if word.isalpha()])
    if part_of(column.name) == "month" and all(word.isdigit() for word in words):
        months: list[int | None] = [int(word) for word in words]
    else:
        months = [known.month(word) for word in words]
    return np.array(months) if set(months) == set(range(1, 13)) else None


def _of_rows(table: Table, frame: pd.DataFrame, rows: pd.Series) -> Table:
    return replace(table, frame=frame, places=[table.places[row] for row in rows])


def _is_year(column: pd.Series) -> bool:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    whole = (numbers % 1 == 0) & (numbers >= _YEARS[0]) & (numbers <= _YEARS[1])
    return len(numbers) > 0 and bool(whole.all())
