"""Tables that run to the right: a column for each time stamp, or for each month of a year."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from statewise.sequences.columns import holds_numbers_alone, holds_times
from statewise.sequences.reading.month_names import names_for, plain_word
from statewise.sequences.reading.times import times_of
from statewise.sequences.tables import Table, free_name, listed

_LEAST = 6  # columns named by time stamps
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

    Two such forms are known: columns that are named by time stamps, beside others that name the
    series ("Country Name", "1960", "1961"...); and a column of years beside twelve named by months.

    Example:
        >>> from statewise.sequences.tables import load_table
        >>> years = list(map(str, range(1990, 1998)))
        >>> frame = pd.DataFrame([["Chad", *range(8)]], columns=["country", *years])
        >>> with_rows_for_steps(load_table(frame)).table.frame.head(2)
          country  time value
        0    Chad  1990     0
        1    Chad  1991     1
    """
    return _months_across(table) or _stamps_across(table)


def _stamps_across(table: Table) -> Reshaped | None:
    frame = table.frame
    names = [str(name).strip() for name in frame.columns]
    stamps = _named_by_time(names)
    if stamps is None:
        return None
    across = [name for name, there in zip(frame.columns, stamps, strict=True) if there]
    if not all(holds_numbers_alone(frame[name]) or _empty(frame[name]) for name in across):
        return None
    others = [name for name in frame.columns if name not in across]
    texts = [name for name in others if not holds_numbers_alone(frame[name])]
    left = [name for name in others if name not in texts and not _empty(frame[name])]
    if left:
        table.understood.note(
            f"left out, since each row is a series by its {listed(texts) or 'number'}: "
            f"{listed(left)}"
        )
    if not texts:
        texts = [free_name("series", frame.columns)]
        frame = frame.assign(**{texts[0]: [f"row {row + 1}" for row in range(len(frame))]})
    time, value = free_name("time", frame.columns), free_name("value", frame.columns)
    table.understood.tell(
        "layout", f"a column for each of {len(across)} steps, a row for each series"
    )
    long = frame[[*texts, *across]].reset_index(names=["row"]).melt(
        id_vars=["row", *texts], value_vars=across, var_name=time, value_name=value
    )  # fmt: skip
    long = long.sort_values("row", kind="stable").reset_index(drop=True)
    return Reshaped(_of_rows(table, long.drop(columns="row"), long["row"]), time, value)


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
    gone = [name for name in others if name not in texts and not _empty(frame[name])]
    if gone:
        table.understood.note(f"left out, since they are of whole years: {listed(gone)}")
    frame = long[[*texts, time, value]].reset_index(drop=True)
    return Reshaped(_of_rows(table, frame, rows), time, value)


def _of_rows(table: Table, frame: pd.DataFrame, rows: pd.Series) -> Table:
    return replace(table, frame=frame, places=[table.places[row] for row in rows])


def _is_year(column: pd.Series) -> bool:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    whole = (numbers % 1 == 0) & (numbers >= _YEARS[0]) & (numbers <= _YEARS[1])
    return len(numbers) > 0 and bool(whole.all())


def _empty(column: pd.Series) -> bool:
    return bool(column.isna().all() or (column.astype(str).str.strip() == "").all())
