"""Rows of Parquet files at any place, a strip at a time, with a bound on what is in memory.

A row group can only be read from its beginning. One that is read on where it was left goes on from
there; the strips that were read last stay in memory, as many as a limit allows.
"""

from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from statewise.sequences.scanning.data_files import DataFile
from statewise.sequences.scanning.roles import Roles

STRIP_BYTES = 1 << 20
WHOLE_BYTES = 1 << 23  # row groups of no more are one strip: nothing stays open
_MOST_OPEN = 32  # each keeps a page of every column
_MOST_KNOWN = 4096  # files of which it is kept what they begin with


class Strips:
    """Reads the numbers in columns of Parquet files.

    Args:
        files: of a panel.
        roles: the columns; all but key and time are read.
        dtype: what to read them as.
        memory: bytes that stay in memory at most, besides those that are being read.
    """

    def __init__(self, files: list[DataFile], roles: Roles, dtype: np.dtype, memory: int):
        self._files = files
        self._roles = roles
        self._dtype = dtype
        self._memory = memory
        self._bytes = 0
        self._kept: OrderedDict[tuple[int, int, int], np.ndarray] = OrderedDict()
        self._open: OrderedDict[tuple[int, int], _GroupReader] = OrderedDict()
        self._known: OrderedDict[int, parquet.FileMetaData] = OrderedDict()
        self._lock = Lock()
        self.rows = max(1, STRIP_BYTES // (dtype.itemsize * len(roles.columns)))

    def read(self, file: int, group: int, start: int, values: np.ndarray) -> None:
        """Write rows of a row group, from ``start`` on, into an array (rows, columns).

        Raises:
            UnreadableFileError: where the file is damaged.
            DataError: where there aren't so many rows, or they aren't of their type.
        """
        done = 0
        with self._lock:
            rows = self._rows_of_strips(file, group)
            while done < len(values):
                number, first = divmod(start + done, rows)
                strip = self._strip(file, group, number)
                some = strip[first : first + len(values) - done]
                values[done : done + len(some)] = some
                done += len(some)

    def _rows_of_strips(self, file: int, group: int) -> int:
        """Return how many rows the strips of a row group have."""
        if file not in self._known:
            with self._files[file].open() as opened:
                self._known[file] = opened.metadata
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        rows = self._known[file].row_group(group).num_rows
        return max(rows, 1) if rows * STRIP_BYTES <= self.rows * WHOLE_BYTES else self.rows

    def _strip(self, file: int, group: int, number: int) -> np.ndarray:
        place = (file, group, number)
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        reader = self._open.pop((file, group), None)
        if reader is None or reader.number > number:
            if reader is not None:
                reader.close()
            reader = self._opened(file, group)
        while True:
            read = reader.number
            strip = self._as_numbers(file, next(reader))
            self._keep((file, group, read), strip)
            if read == number:
                break
        if reader.ended:
            reader.close()
        else:
            self._open[file, group] = reader
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)[1].close()
        return strip

    def _opened(self, file: int, group: int) -> "_GroupReader":
        rows = self._rows_of_strips(file, group)
        opened = self._files[file].open(self._known[file])
        return _GroupReader(self._files[file], opened, group, list(self._roles.columns), rows)

    def _as_numbers(self, file: int, table: pa.Table) -> np.ndarray:
        table = self._roles.features().cast(table, self._files[file].path)
        values = np.empty((len(table), table.num_columns), self._dtype)
        for place, column in enumerate(table.columns):
            values[:, place] = column.to_numpy()  # a missing one becomes NaN
        return values

    def _keep(self, place: tuple[int, int, int], strip: np.ndarray) -> None:
        if place in self._kept:
            self._bytes -= self._kept.pop(place).nbytes
        self._kept[place] = strip
        self._bytes += strip.nbytes
        while self._bytes > self._memory and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes


class _GroupReader:
    """Reads a row group strip by strip."""

    def __init__(self, file: DataFile, opened: Any, group: int, columns: list[str], rows: int):
        self.number = 0
        self._left = opened.metadata.row_group(group).num_rows
        self._rows = rows
        self._opened = opened
        self._batches: Iterator[pa.RecordBatch] = file.group_batches(opened, group, columns, rows)
        self._over: list[pa.RecordBatch] = []

    @property
    def ended(self) -> bool:
        """Whether there are no more rows."""
        return self._left <= 0

    def __next__(self) -> pa.Table:
        wanted = min(self._rows, self._left)
        parts, count = self._over, sum(len(part) for part in self._over)
        while count < wanted:
            parts.append(next(self._batches))
            count += len(parts[-1])
        table = pa.Table.from_batches(parts)
        self._over = table.slice(wanted).to_batches()
        self._left -= wanted
        self.number += 1
        return table.slice(0, wanted)

    def close(self) -> None:
        """Close the file."""
        self._batches = iter(())
        self._opened.close()
