"""The files of a panel, each opened when its turn comes, and what is wrong with one."""

import errno
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import csv, dataset, fs, parquet

from statewise.sequences.reading.plan import plan_text
from statewise.sequences.tables import DataError

_ENDINGS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv"}
_HEAD = 1 << 17  # of a text: enough to tell how its cells are set apart
_BUFFER = 1 << 16  # read at once from a column of a Parquet file
_CSV_BLOCK = 1 << 22


class SkippedFile(NamedTuple):
    """A file of a panel that could not be read, and was left out.

    Attributes:
        path: of the file.
        reason: what is wrong with it.
    """

    path: str
    reason: str


class UnreadableFileError(DataError):
    """A file that can't be read: cut off, damaged, or none of its kind."""

    def __init__(self, path: str, error: object):
        self.path = path
        self.reason = " ".join(str(error).split())
        super().__init__(
            f"{path} can't be read: {self.reason}. Mend it or take it away, or go on without such "
            'files by corrupt="skip"'
        )


@dataclass(frozen=True, eq=False)
class DataFile:
    """One file of a panel.

    Attributes:
        path: of the file.
        kind: "parquet" or "csv".
        system: where it lies.
        constants: columns that its folders' names tell, as ``store=001``: text.
    """

    path: str
    kind: str
    system: fs.FileSystem
    constants: Mapping[str, str] = field(default_factory=dict)

    def open(self, about: parquet.FileMetaData | None = None) -> parquet.ParquetFile:
        """Open a Parquet file, to be closed by its reader.

        Args:
            about: what is known about it from before.

        Raises:
            UnreadableFileError: where it can't be.
        """
        with _named(self.path):
            return parquet.ParquetFile(
                self.system.open_input_file(self.path),
                metadata=about,
                buffer_size=_BUFFER,
                page_checksum_verification=True,
            )

    @cached_property
    def schema(self) -> pa.Schema:
        """The names and types of its columns.

        Raises:
            UnreadableFileError: where it can't be read.
        """
        if self.kind == "csv":
            with _named(self.path), self._text() as reader:
                found = reader.schema
        else:
            with _named(self.path), self.open() as file:
                found = file.schema_arrow
        for name in self.constants:
            if name not in found.names:
                found = found.append(pa.field(name, pa.string()))
        return found.remove_metadata()

    def batches(
        self, columns: list[str], rows: int, types: Mapping[str, pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield its rows, some at a time.

        Args:
            columns: their names.
            rows: of a batch, at most (a text decides for itself).
            types: which types to read the columns of a text as.

        Raises:
            UnreadableFileError: where it turns out to be damaged.
        """
        stored = [name for name in columns if name not in self.constants]
        with _named(self.path):
            if self.kind == "csv":
                with self._text(stored, types) as reader:
                    yield from (self._with_constants(batch, columns) for batch in reader)
            else:
                with self.open() as file:
                    for group in range(file.num_row_groups):  # so that a fault is that of one
                        yield from self.group_batches(file, group, columns, rows)

    def read_group(self, opened: parquet.ParquetFile, group: int, columns: list[str]) -> pa.Table:
        """Return columns of one row group of this file, which is open.

        Raises:
            UnreadableFileError: where it is damaged.
        """
        stored = [name for name in columns if name not in self.constants]
        with _named(self.path):
            table = opened.read_row_group(group, stored, use_threads=False)
            batches = table.to_batches()
            return pa.Table.from_batches(
                [self._with_constants(batch, columns) for batch in batches],
                None if batches else table.schema,
            ).select(columns if batches else stored)

    def group_batches(
        self, opened: parquet.ParquetFile, group: int, columns: list[str], rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Yield columns of one row group of this file, which is open, some rows at a time.

        Raises:
            UnreadableFileError: where it is damaged.
        """
        stored = [name for name in columns if name not in self.constants]
        with _named(self.path):
            for batch in opened.iter_batches(rows, [group], columns=stored, use_threads=False):
                yield self._with_constants(batch, columns)

    def _with_constants(self, batch: pa.RecordBatch, columns: list[str]) -> pa.RecordBatch:
        if not self.constants:
            return batch
        parts = [
            pa.repeat(self.constants[name], batch.num_rows)
            if name in self.constants
            else batch.column(name)
            for name in columns
        ]
        return pa.RecordBatch.from_arrays(parts, names=columns)

    def _text(
        self, columns: list[str] | None = None, types: Mapping[str, pa.DataType] | None = None
    ) -> csv.CSVStreamingReader:
        with self.system.open_input_stream(self.path) as stream:
            head = stream.read(_HEAD)
        plan = plan_text(head, self.path, cut=len(head) == _HEAD)
        return csv.open_csv(
            self.system.open_input_stream(self.path),
            read_options=csv.ReadOptions(block_size=_CSV_BLOCK),
            parse_options=csv.ParseOptions(delimiter=plan.dialect.delimiter or ","),
            convert_options=csv.ConvertOptions(include_columns=columns, column_types=types),
        )


class _named:  # noqa: N801  (used like a function)
    """Tells of which file an error is."""

    def __init__(self, path: str):
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            raise error
        if isinstance(error, DataError):
            return
        if isinstance(error, (pa.ArrowException, OSError, ValueError)):
            raise UnreadableFileError(self.path, error) from None


def find_files(source: Any) -> list[DataFile] | None:
    """Return the files of a panel, in their order; None for what isn't made of files.

    Args:
        source: a folder (of Parquet files, or where it has none, of CSV files), a file, a list of
            files, or a data set of pyarrow's over Parquet files.

    Raises:
        DataError: where there is no such file or folder, or nothing in it.
    """
    if isinstance(source, dataset.FileSystemDataset):
        filtered = bool(getattr(source, "_scan_options", None))
        told = source.partitioning is not None and len(source.partitioning.schema) > 0
        if filtered or told or source.format.default_extname != "parquet":
            return None
        return [DataFile(path, "parquet", source.filesystem) for path in source.files]
    if isinstance(source, (list, tuple)) and source and all(_is_path(one) for one in source):
        return [file for one in source for file in _of_path(Path(one))]
    return _of_path(Path(source)) if _is_path(source) else None


def _is_path(source: Any) -> bool:
    return isinstance(source, (str, Path))


def _of_path(path: Path) -> list[DataFile]:
    system = fs.LocalFileSystem()
    if path.is_file():
        return [DataFile(str(path), _ENDINGS.get(path.suffix.lower(), "csv"), system)]
    if not path.is_dir():
        raise DataError(f"there is no file or folder {path}")
    files = [file for file in path.rglob("*") if _counts(file.relative_to(path))]
    by_kind: dict[str, list[Path]] = {}
    for file in sorted(files, key=lambda file: _natural(str(file.relative_to(path)))):
        by_kind.setdefault(_ENDINGS[file.suffix.lower()], []).append(file)
    if not by_kind:
        raise DataError(f"the folder {path} has no Parquet or CSV files")
    kind = "parquet" if "parquet" in by_kind else "csv"
    return [
        DataFile(str(file), kind, system, _told_by(file.relative_to(path)))
        for file in by_kind[kind]
    ]


def _counts(file: Path) -> bool:
    """Whether a file holds data; those that begin so are notes of the programs that wrote them."""
    hidden = any(part.startswith((".", "_")) for part in file.parts)
    return not hidden and file.suffix.lower() in _ENDINGS


def _told_by(file: Path) -> dict[str, str]:
    """Return the columns that the names of folders tell."""
    pairs = (part.partition("=") for part in file.parts[:-1])
    return {name: value for name, mark, value in pairs if mark and name}


def _natural(name: str) -> list[Any]:
    """Sort part-2 before part-10.

    >>> sorted(["part-10", "part-2"], key=_natural)
    ['part-2', 'part-10']
    """
    parts = re.split(r"(\d+)", name)
    return [(int(part), part) if place % 2 else part for place, part in enumerate(parts)]
