"""`read_table`: a file as a frame of stamps, numbers and text, and what was understood of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from statewise._renamed import say_renamed
from statewise.sequences.columns import holds_numbers_alone, read_numbers, time_of
from statewise.sequences.reading.report import Understood
from statewise.sequences.tables import HowToRead, Table, load_table


@dataclass(frozen=True)
class ReadTable:
    """A table and what was understood of it; it unpacks into the two.

    Attributes:
        frame: the rows, with a plain index 0, 1, 2...: stamps, float64 or int64, and text.
        report: facts and notes; ``report.line()`` is what the command prints.
    """

    frame: pd.DataFrame
    report: Understood

    def __iter__(self) -> Iterator[Any]:
        """Give the frame, then the report."""
        return iter((self.frame, self.report))

    def __getattr__(self, name: str) -> Any:
        """Offer what a frame has, as `read_table` returned one before; for a release."""
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self.frame, name)
        say_renamed(f"read_table(...).{name}", f"read_table(...).frame.{name}")
        return value

    def __getitem__(self, name: Any) -> Any:
        """Offer a frame's columns, as above."""
        say_renamed(f"read_table(...)[{name!r}]", f"read_table(...).frame[{name!r}]")
        return self.frame[name]


def read_table(
    path: str | Path | Sequence[str | Path],
    *,
    time: str | Sequence[str] | None = None,
    key: str | Sequence[str] = (),
    sheet: str | None = None,
    decimal: str | None = None,
    missing_values: Sequence[float] | None = None,
    dayfirst: bool | None = None,
) -> ReadTable:
    """Read a file that holds a table, whatever wrote it.

    See `docs/files.md` for what is read. Columns become what they hold: time stamps in the column
    of time, numbers, text. Keys are text where they are named, and where they begin with zeros.

    Args:
        path: of a file, "-" for standard input, or several paths of files with the same columns.
        time: the column of time stamps, or several that make them together, which one column then
            stands for; found where it isn't named. "none" where there is none.
        key: columns that stay text.
        sheet: of a workbook.
        decimal: the decimal mark, "." or ","; found where it isn't named.
        missing_values: numbers that stand for missing values.
        dayfirst: whether 1/2/2024 is the first of February; found where it isn't said.

    Returns:
        The frame and the report: ``frame, report = read_table(path)``.

    Raises:
        DataError: where there is no such file, it can't be read, it holds no table, or its time
            can't be understood. It says what to do.

    Warns:
        UserWarning: where something was decided that could be otherwise, with the way to say so.

    Example:
        >>> from statewise.datasets import airline_path
        >>> frame, report = read_table(airline_path())
        >>> frame.shape, report.line()
        ((144, 2), '')
    """
    how = HowToRead(sheet, decimal, missing_values, dayfirst)
    table = load_table(path, how)
    keys = [key] if isinstance(key, str) else list(key)
    name, table = time_of(table, time, but=keys)
    frame = table.frame.copy()
    for column in frame.columns:
        if column not in (name, *keys) and table.text and holds_numbers_alone(frame[column]):
            frame[column] = _narrowest(read_numbers(table, column), table, column)
    table.understood.warn()
    return ReadTable(frame, table.understood)


def _narrowest(numbers: np.ndarray, table: Table, name: str) -> np.ndarray:
    """Return whole numbers as such, where none is missing and none was written with a fraction."""
    if np.isnan(numbers).any() or (numbers % 1).any() or (np.abs(numbers) > 2**53).any():
        return numbers
    plain = table.frame[name].astype(str).str.fullmatch(r"\s*[+-]?\d+\s*").all()
    return numbers.astype(np.int64) if plain else numbers
