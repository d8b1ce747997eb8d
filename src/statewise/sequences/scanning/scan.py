"""Panels larger than memory: what their files hold, and blocks of whole series out of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute, dataset
from pyarrow import types as kinds

from statewise.sequences.arrays import check_count
from statewise.sequences.scanning.blocks import in_blocks
from statewise.sequences.scanning.data_files import (
    DataFile,
    SkippedFile,
    UnreadableFileError,
    find_files,
)
from statewise.sequences.scanning.heads import KeyMerge, starts_of
from statewise.sequences.scanning.readers import OneReader, reads_batches
from statewise.sequences.scanning.roles import Roles, agree, find_roles
from statewise.sequences.tables import DataError


class PanelScan:
    """A panel that is read from its files a part at a time; made by ``scan_panel``.

    Attributes:
        key: the column that tells the series apart.
        time: the column of time stamps.
        columns: the other columns that are read.
        files: the paths of its files, in their order; empty for what isn't made of files.
        skipped: the files that could not be read and were left out, each as a ``SkippedFile`` of
            ``path`` and ``reason``; more may come to it while the panel is read.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> folder = Path(tempfile.mkdtemp())
        >>> for month in (1, 2):  # a file for each month, all shops in each of them
        ...     days = pd.date_range(f"2024-{month:02}-01", periods=2)
        ...     frame = pd.DataFrame(
        ...         {"shop": ["a", "a", "b", "b"], "day": [*days, *days], "sold": range(4)}
        ...     )
        ...     frame.to_parquet(folder / f"{month}.parquet")
        >>> scan = scan_panel(folder, key="shop")
        >>> scan.time, scan.columns
        ('day', ('sold',))
        >>> for block in scan.blocks(rows=5):
        ...     print(block["shop"].tolist(), block["sold"].tolist())
        ['a', 'a', 'a', 'a'] [0, 1, 0, 1]
        ['b', 'b', 'b', 'b'] [2, 3, 2, 3]
    """

    def __init__(self, source: str, files: list, roles: Roles, skips: bool):
        self._source = source
        self._files = files
        self._roles = roles
        self.skips = skips
        self.skipped: list[SkippedFile] = []

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self._source

    @property
    def key(self) -> str:
        """The column that tells the series apart."""
        return self._roles.key

    @property
    def time(self) -> str:
        """The column of time stamps."""
        return self._roles.time

    @property
    def columns(self) -> tuple[str, ...]:
        """The other columns that are read."""
        return self._roles.columns

    @property
    def files(self) -> list[str]:
        """The paths of the files, in their order."""
        return [file.path for file in self._files if isinstance(file, DataFile)]

    def stored(self) -> tuple[list[DataFile], Roles]:
        """Return the files, where they can be read at any place, and what is read of them.

        Raises:
            DataError: where they are no Parquet files.
        """
        kinds_of = {file.kind for file in self._files}
        if kinds_of != {"parquet"}:
            raise DataError(
                f"{self._source} can't be read at any place, as lanes and windows need it: write "
                "it as Parquet first, sorted by key and time"
            )
        return self._files, self._roles

    def of_numbers(self) -> "PanelScan":
        """Return this panel without the columns that hold something else than numbers."""
        names = [field.name for field in self._roles.schema if _is_number(field.type)]
        names = [name for name in names if name not in (self.key, self.time)]
        return self._with(self._roles.part([self.key, self.time, *names]))

    def _with(self, roles: Roles) -> "PanelScan":
        scan = PanelScan(self._source, self._files, roles, self.skips)
        scan.skipped += self.skipped
        return scan

    def tables(self, rows: int = 1 << 20, *, after: Any = None) -> Iterator[pa.Table]:
        """Yield what ``blocks`` yields, as tables of Arrow.

        Args:
            rows: as for ``blocks``.
            after: as for ``blocks``.

        Raises:
            DataError, TypeError, ValueError: as ``blocks``.
        """
        rows = check_count(rows, "rows")
        merge = KeyMerge(self._files, self._roles, rows, self.skips, self._source)
        found = False
        for table in in_blocks(merge.tables(), rows):
            self._keep_skipped(merge)
            if after is not None and not found:
                at = compute.index(compute.equal(table.column(0), _like(after, table)), True)
                if at.as_py() < 0:
                    continue
                found = True
                starts = starts_of(table.column(0))
                later = starts[starts > at.as_py()]
                table = table.slice(int(later[0]) if len(later) else len(table))
            if len(table):
                yield table
        self._keep_skipped(merge)
        if after is not None and not found:
            raise DataError(f"after={after!r}: {self._source} has no series by this key")

    def blocks(self, rows: int = 1 << 20, *, after: Any = None) -> Iterator[pd.DataFrame]:
        """Yield the whole panel in blocks of whole series.

        Every series comes once, all of its rows in one block, in the order of time. Series come in
        the order of their keys where the files are sorted by key; else in that in which they stand.

        Args:
            rows: of a block, at most; a series that has more makes a block of its own.
            after: the key of a series; those up to it are passed over, as where a run that was
                stopped goes on.

        Yields:
            Frames of key, time and the other columns.

        Raises:
            DataError: where a file can't be read (unless it is to be skipped), the rows of a series
                are not together, or its time goes back; where there is no series ``after``.
            TypeError, ValueError: where ``rows`` is no whole number, or below 1.
        """
        for table in self.tables(rows, after=after):
            yield table.to_pandas()

    def _keep_skipped(self, merge: KeyMerge) -> None:
        self.skipped += [one for one in merge.skipped if one not in self.skipped]

    def __repr__(self) -> str:
        return (
            f"PanelScan({self._source!r}, files={len(self._files)}, key={self.key!r}, "
            f"time={self.time!r}, columns={list(self.columns)})"
        )


def scan_panel(
    source: Any,
    *,
    key: str | None = None,
    time: str | None = None,
    columns: Sequence[str] | None = None,
    corrupt: str = "raise",
) -> PanelScan:
    """Open a panel that need not fit into memory: nothing is read yet but what its columns are.

    The rows are to be sorted by key and time. A key may go on in the next file, and several files
    may hold the same keys, as a file for each month does: these are read side by side. The files
    of a folder are taken in the order of their names (part-2 before part-10), and within a key
    time has to go forward in that order.

    Args:
        source: a folder of Parquet files (or where it has none, of CSV files), with those of its
            folders; such a file; a list of files; a data set, scanner, table or reader of pyarrow.
        key: the column that tells the series apart; "unique_id" where it isn't named. Folders that
            are called "store=001" make a column, too.
        time: the column of time stamps or numbers of steps; where it isn't named "ds", or the only
            one of dates.
        columns: the other columns to read; None for all.
        corrupt: "raise" stops at a file that can't be read, and names it; "skip" goes on without
            it, and lists it in ``skipped``. Of a file that is damaged in its middle, the series
            before that place are kept.

    Returns:
        ``PanelScan``; its ``blocks`` are frames of whole series.

    Raises:
        DataError: where there is no file, none can be read, there is no such column, or files don't
            have the same columns and types: it names the file and the column.
        TypeError: where the source is none of these.
        ValueError: where ``corrupt`` is neither of its words.

    Example:
        >>> table = pa.table({"unique_id": ["a", "a", "b"], "ds": [1, 2, 1], "y": [0.5, 1.5, 2.5]})
        >>> scan = scan_panel(table)
        >>> [block["unique_id"].unique().tolist() for block in scan.blocks(rows=2)]
        [['a'], ['b']]
    """
    if corrupt not in ("raise", "skip"):
        raise ValueError(f'corrupt must be "raise" or "skip", but is {corrupt!r}')
    if isinstance(columns, str):
        raise TypeError(f"columns must be a list of names: write columns=[{columns!r}]")
    skips = corrupt == "skip"
    files: list[Any] | None = find_files(source)
    name = _name_of(source)
    skipped: list[SkippedFile] = []
    if files is None:
        if not reads_batches(source):
            raise TypeError(
                "a panel to scan is a path, a list of paths, or a data set, scanner, table or "
                f"reader of pyarrow, not {type(source).__name__}"
            )
        files = [OneReader(source, name)]
    schemas = []
    for file in list(files):
        try:
            schemas.append((file.path, _schema(file, key)))
        except UnreadableFileError as error:
            if not skips:
                raise
            skipped.append(SkippedFile(error.path, error.reason))
            files.remove(file)
    if not schemas:
        raise DataError(f"none of the {len(skipped)} files of {name} can be read: {skipped[0]}")
    first, schema = schemas[0]
    roles = agree(find_roles(schema, key, time, columns, first), schemas[1:], first)
    scan = PanelScan(name, files, roles, skips)
    scan.skipped += skipped
    return scan


def _schema(file: Any, key: str | None) -> pa.Schema:
    """Return a file's schema; of a text, what is looks that tell numbers apart isn't relied on."""
    schema = file.schema
    if file.kind != "csv":
        return schema
    fields = []
    for field in schema:
        if field.name == (key or "unique_id"):
            field = field.with_type(pa.string())  # 001 is a name
        elif kinds.is_integer(field.type) or kinds.is_null(field.type):
            field = field.with_type(pa.float64())  # a later row may have a fraction
        fields.append(field)
    return pa.schema(fields)


def _name_of(source: Any) -> str:
    if isinstance(source, (list, tuple)) and source:
        return f"{source[0]} and {len(source) - 1} more" if len(source) > 1 else str(source[0])
    if isinstance(source, dataset.Dataset):
        return "the data set"
    if isinstance(source, pa.Table):
        return "the table"
    return str(source) if hasattr(source, "__fspath__") or isinstance(source, str) else "the panel"


def _is_number(kind: pa.DataType) -> bool:
    return kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind)


def _like(value: Any, table: pa.Table) -> pa.Scalar:
    kind = table.schema.field(0).type
    try:
        return pa.scalar(value, kind)
    except (pa.ArrowException, TypeError, ValueError):
        raise DataError(f"after={value!r} is no key: keys are {kind}") from None
