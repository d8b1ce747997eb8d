"""Tables from files: CSV and Parquet read into pandas, every failure told in one line."""

import csv
import warnings
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

_DELIMITERS = {".csv": ",;\t", ".tsv": "\t"}
_PARQUET = (".parquet", ".pq")
_LISTED = 12


class DataError(ValueError):
    """A file or table that can't be used, with one line that says what to mend."""


@dataclass(frozen=True)
class Table:
    """A frame that remembers where its rows are in the file they come from.

    Attributes:
        frame: the rows, with a plain index 0, 1, 2...
        name: what to call it in a message, with a verb to follow.
        places: for each row, how a person finds it ("line 7" of a CSV file, "row 6").
    """

    frame: pd.DataFrame
    name: str
    places: Sequence[str]


class _Rows(Sequence):
    """Places of rows by their labels, written when asked for: there may be millions."""

    def __init__(self, labels: Sequence):
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: Any) -> str:  # one row; nobody asks for several
        return f"row {self.labels[row]}"


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV or Parquet file.

    A CSV file is UTF-8 text whose first line names the columns; its delimiter (comma, semicolon
    or tab) is the most frequent one of that line. Blank lines are skipped where there are several
    columns; in a file of one column a blank line is a missing value.

    Args:
        path: a file ending in .csv, .tsv, .parquet or .pq.

    Returns:
        The rows with the index 0, 1, 2...

    Raises:
        DataError: where there is no such file, it can't be read, it is empty, or its ending is
            another one.

    Example:
        >>> from statewise.datasets import airline_path
        >>> read_table(airline_path()).shape
        (144, 2)
    """
    return load_table(path).frame


def load_table(source: Any) -> Table:
    """Return the table in a file, or the given frame or pandas Series as one.

    Raises:
        DataError: see ``read_table``.
        TypeError: where the source is neither a path nor a frame.
    """
    if isinstance(source, pd.Series):
        source = source.to_frame(source.name if source.name is not None else "value")
    if isinstance(source, pd.DataFrame):
        twice = source.columns[source.columns.duplicated()]
        if len(twice):
            raise DataError(f"the table has several columns named {twice[0]!r}: rename all but one")
        return Table(_index_as_column(source), "the table", _Rows(source.index))
    if not isinstance(source, (str, Path)):
        raise TypeError(f"a table is a path or a pandas frame, not {type(source).__name__}")

    path = Path(source)
    ending = path.suffix.lower()
    if ending not in _DELIMITERS and ending not in _PARQUET:
        known = ", ".join([*_DELIMITERS, *_PARQUET])
        raise DataError(f"{path}: the ending {ending!r} is not known; use one of {known}")
    if not path.exists():
        raise DataError(f"{path}: no such file")
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a file")
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty")
        table = _load_csv(path, _DELIMITERS[ending]) if ending in _DELIMITERS else _load_pq(path)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from None
    if table.frame.empty:
        raise DataError(f"{path} is empty: it has column names, but no rows")
    return table


def counted(count: int, noun: str) -> str:
    """Write a number with its noun: 1 row, 2 rows."""
    return f"{count} {noun}" + ("s" if count != 1 else "")


def listed(names: Iterable[Any]) -> str:
    """Write the names of columns, the first dozen of them."""
    names = [str(name) for name in names]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def free_name(wish: str, taken: Iterable[Hashable]) -> str:
    """Return a name that is not taken: the wish, with an underscore for each time that it is.

    >>> free_name("y", ["x"]), free_name("y", ["y", "y_"])
    ('y', 'y__')
    """
    taken = set(taken)
    while wish in taken:
        wish += "_"
    return wish


def _load_pq(path: Path) -> Table:
    try:
        frame = pd.read_parquet(path)
    except (ValueError, OSError) as error:  # pyarrow's own errors are among these
        raise DataError(f"{path} is no readable Parquet file: {_one_line(error)}") from None
    return Table(_index_as_column(frame), str(path), _Rows(range(1, len(frame) + 1)))


def read_header(path: Path) -> list[str]:
    """Return the names of a CSV file's columns.

    Raises:
        DataError: where the file is empty, not UTF-8, or its ending is another one.
        OSError: where it can't be opened.
    """
    return _header(path, _DELIMITERS.get(path.suffix.lower(), ","))[0]


def _header(path: Path, delimiters: str) -> tuple[list[str], str, int]:
    """Return the first line's names, what delimits them, and how many blank lines go before."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lead, header = _first_line(file)
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text: save it as CSV in UTF-8") from None
    if not header:
        raise DataError(f"{path} is empty")
    delimiter = max(delimiters, key=header.count)
    try:
        names = next(csv.reader([header], delimiter=delimiter))
    except csv.Error as error:
        raise DataError(f"{path} is no readable CSV file: {_one_line(error)}") from None
    return names, delimiter, lead


def _load_csv(path: Path, delimiters: str) -> Table:
    names, delimiter, lead = _header(path, delimiters)
    _check_header(path, names)
    _check_once(path, names)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=delimiter,
                skiprows=lead,
                encoding="utf-8-sig",
                index_col=False,  # a row that is too long is an error, not a hidden index
                skip_blank_lines=False,  # so that row i is line i + 2
                low_memory=False,
            )
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text: save it as CSV in UTF-8") from None
    except pd.errors.ParserWarning:
        raise DataError(f"{path}: its rows have more values than the header has names") from None
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path} is no readable CSV file: {_one_line(error)}") from None
    lines = range(lead + 2, lead + 2 + len(frame))
    keep = _rows_that_count(path, frame, lines)
    places = [f"line {line}" for line, kept in zip(lines, keep, strict=True) if kept]
    return Table(frame[keep].reset_index(drop=True), str(path), places)


def _first_line(file: Any) -> tuple[int, str]:
    """Return the number of blank lines at the start, and the first line after them."""
    for number, line in enumerate(file):
        if line.strip():
            return number, line.rstrip("\r\n")
    return 0, ""


def _check_header(path: Path, names: list[str]) -> None:
    """Refuse values where names should be: the first value would be lost without a word."""
    if all(_is_value(name) for name in names if name.strip()):
        raise DataError(
            f"{path}: the first line holds values ({names[0]!r}...) where it should name the "
            "columns; add a line of names on top"
        )


def _check_once(path: Path, names: list[str]) -> None:
    """Refuse a name that is there twice: pandas would give the second one another, in silence."""
    named = [name for name in names if name.strip()]
    twice = [name for name in named if named.count(name) > 1]
    if twice:
        raise DataError(f"{path} has several columns named {twice[0]!r}: rename all but one")


def _is_value(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.strip()[:4].isdigit()  # 1949-01 is a value, Q1 is a name
    return True


def _rows_that_count(path: Path, frame: pd.DataFrame, lines: range) -> pd.Series:
    """Tell the rows from blank lines; those of a one-column file count, but for the last ones."""
    empty = frame.isna().all(axis=1)
    if not empty.any():
        return ~empty
    with path.open(encoding="utf-8-sig") as file:
        blank = [not line.strip() for line in file]
    if len(blank) < len(frame) + lines.start - 1:  # line breaks at the very end
        blank += [True] * (len(frame) + lines.start - 1 - len(blank))
    blank = pd.Series([blank[line - 1] for line in lines], dtype=bool)
    if frame.shape[1] == 1:
        blank &= blank[::-1].cummin()[::-1]
    return ~(empty & blank)


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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
