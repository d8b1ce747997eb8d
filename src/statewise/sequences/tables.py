"""Tables from files and frames, with what was understood of them; every failure in one line."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from statewise.sequences.reading.report import Understood

_LISTED = 12


class DataError(ValueError):
    """A file or table that can't be used, with one line that says what to mend."""


@dataclass(frozen=True)
class Table:
    """A frame that remembers where its rows are in the file they come from.

    Attributes:
        frame: the rows, with a plain index 0, 1, 2... Out of a text file all cells are text.
        name: what to call it in a message, with a verb to follow.
        places: for each row, how a person finds it ("line 7" of a CSV file, "row 6").
        understood: what was found out about it so far.
        text: whether its cells are text, of which nobody has said yet what it means.
        decimal: the decimal mark of its numbers, "." or ",", where somebody said it.
        likely_decimal: the one that most of its columns have; None where none shows it.
        missing_values: numbers and words that stand for missing values; None where nobody said.
        dayfirst: whether 1/2/2024 is the first of February; None where it is to be found out.
    """

    frame: pd.DataFrame
    name: str
    places: Sequence[str]
    understood: Understood = field(default_factory=Understood)
    text: bool = False
    decimal: str | None = None
    likely_decimal: str | None = None
    missing_values: tuple[float | str, ...] | None = None
    dayfirst: bool | None = None


@dataclass(frozen=True)
class HowToRead:
    """What a user says about how a table is written. What is None is found out.

    Attributes:
        sheet: of a workbook, by its name.
        decimal: the decimal mark, "." or ",".
        missing_values: numbers and words that stand for missing values; empty where no number
            does.
        dayfirst: whether 1/2/2024 is the first of February.
    """

    sheet: str | None = None
    decimal: str | None = None
    missing_values: Sequence[float | str] | None = None
    dayfirst: bool | None = None

    def __post_init__(self):
        if self.decimal not in (None, ".", ","):
            raise ValueError(f'decimal={self.decimal!r}: it must be "." or ","')


class _Rows(Sequence):
    """Places of rows by their labels, written when asked for: there may be millions."""

    def __init__(self, labels: Sequence):
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: Any) -> str:  # one row; nobody asks for several
        return f"row {self.labels[row]}"


def load_table(source: Any, how: HowToRead | None = None) -> Table:
    """Return the table in a file, or the given frame or pandas Series as one.

    Args:
        source: a path, "-" for standard input, several paths, a pandas frame or Series, or a
            `Table`, which comes back as it is.
        how: what is known about how it is written.

    Raises:
        DataError: where a file can't be read, or holds no table.
        TypeError: where the source is neither a path nor a frame.
    """
    how = how or HowToRead()
    if isinstance(source, Table):
        return source
    if isinstance(source, pd.Series):
        source = source.to_frame(source.name if source.name is not None else "value")
    marks: dict[str, Any] = {
        "decimal": how.decimal,
        "missing_values": None if how.missing_values is None else tuple(how.missing_values),
        "dayfirst": how.dayfirst,
    }
    if isinstance(source, pd.DataFrame):
        twice = source.columns[source.columns.duplicated()]
        if len(twice):
            raise DataError(f"the table has several columns named {twice[0]!r}: rename all but one")
        return Table(_index_as_column(source), "the table", _Rows(source.index), **marks)
    several = isinstance(source, (list, tuple)) and all(isinstance(p, (str, Path)) for p in source)
    if not isinstance(source, (str, Path)) and not (several and source):
        raise TypeError(f"a table is a path or a pandas frame, not {type(source).__name__}")

    # These import this module.
    from statewise.sequences.reading.files import load_files
    from statewise.sequences.reading.numbers import decide_decimal

    paths = [source] if isinstance(source, (str, Path)) else list(source)
    raw = load_files(paths, sheet=how.sheet)
    frame = raw.frame
    if frame.empty:
        raise DataError(f"{raw.name} is empty: it has column names, but no rows")
    if not raw.typed:
        marks["likely_decimal"] = decide_decimal(frame)
    return Table(frame, raw.name, raw.places, raw.understood, not raw.typed, **marks)


def counted(count: int, noun: str) -> str:
    """Write a number with its noun: 1 row, 2 rows."""
    return f"{count} {noun}" + ("s" if count != 1 else "")


def listed(names: Iterable[Any]) -> str:
    """Write the names of columns, the first dozen of them."""
    names = [str(name) for name in names]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def with_columns(frame: pd.DataFrame, columns: Mapping[Any, Any]) -> pd.DataFrame:
    """Return a frame with columns put in, whatever their names are: pandas' ``assign`` takes text.

    >>> with_columns(pd.DataFrame({0: [1]}), {0: [2], ("a", 1): [3]}).columns.tolist()
    [0, ('a', 1)]
    """
    frame = frame.copy(deep=False)
    for name, column in columns.items():
        frame[name] = column
    return frame


def free_name(wish: str, taken: Iterable[Hashable]) -> str:
    """Return a name that is not taken: the wish, with an underscore for each time that it is.

    >>> free_name("y", ["x"]), free_name("y", ["y", "y_"])
    ('y', 'y__')
    """
    taken = set(taken)
    while wish in taken:
        wish += "_"
    return wish


def _index_as_column(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep an index that means something (named, or of dates) as a column, and number the rows."""
    index = frame.index
    both = [name for name in index.names if name is not None and name in frame.columns]
    if isinstance(index, pd.MultiIndex):
        if both or None in index.names:
            fault = f"named {both[0]!r}, as a column is" if both else "without a name"
            raise DataError(
                f"the table's index has a level {fault}: give every level a name of its own, or "
                "make columns of them by reset_index"
            )
        return frame.reset_index()
    dated = isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex))
    if dated and both:
        if not index.equals(pd.Index(frame[both[0]])):
            raise DataError(
                f"the table has an index and a column named {both[0]!r}, and they differ: drop "
                "one of the two"
            )
        return frame.reset_index(drop=True)
    named = index.name is not None and not both
    return frame.reset_index(drop=not (dated or named))
