"""The rows of a panel's files, put together by key: of several files that hold the same keys, too.

Files that are sorted by key are read side by side, each from the key on at which it begins, as in
the merge of an external sort (D. E. Knuth, The Art of Computer Programming 3, 5.4). What one call
hands on are all rows of some keys, whole.
"""

import errno
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from statewise.sequences.scanning.data_files import DataFile, SkippedFile, UnreadableFileError
from statewise.sequences.scanning.order import check_order, how_to_sort
from statewise.sequences.scanning.roles import Roles
from statewise.sequences.tables import DataError

FILE = "__file__"  # the number of the file that a row is from, beside what is read
_BATCH = 1 << 16
_LEAST_BATCH = 1 << 8


class Head:
    """A file that is being read: the rows that were read and not yet handed on.

    Args:
        number: of the file among all.
        name: of the file.
        batches: its rows.
        roles: which columns are read.
        skips: whether what can't be read is left out.
    """

    def __init__(self, number: int, name: str, batches: Iterator, roles: Roles, skips: bool):
        self.number = number
        self.name = name
        self.done = False
        self.skipped: SkippedFile | None = None
        self.rows = roles.schema.empty_table()
        self._batches = batches
        self._roles = roles
        self._skips = skips

    def fill(self) -> bool:
        """Read on; return whether its keys still rise."""
        try:
            batch = next(self._batches, None)
        except UnreadableFileError as error:
            if not self._skips:
                raise
            # What stands before the fault is right, but the last series may go on behind it.
            self.rows = self.rows.slice(0, last_run(self.rows.column(0)))
            self.skipped = SkippedFile(error.path, error.reason)
            batch = None
        if batch is None:
            self.done = True
            return True
        table = self._roles.cast(batch, self.name)
        before = max(0, len(self.rows) - 1)
        self.rows = pa.concat_tables([self.rows, table])
        return _rises(self.rows.column(0).slice(before))

    def last(self) -> pa.Scalar:
        """The key of the last row that was read."""
        return self.rows.column(0)[-1]

    def below(self, limit: Any) -> int:
        """Count the rows whose keys stand before a limit; all where it's None."""
        if limit is None:
            return len(self.rows)
        key = self.rows.column(0)
        return compute.sum(compute.less(key, pa.scalar(limit, key.type))).as_py() or 0

    def take(self, count: int) -> pa.Table:
        """Hand on the first rows, with the file's number."""
        taken, self.rows = self.rows.slice(0, count), self.rows.slice(count)
        return taken.append_column(FILE, pa.repeat(pa.scalar(self.number, pa.int32()), count))

    def close(self) -> None:
        """Close the file."""
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()


class KeyMerge:
    """All rows of a panel, whole keys at a time.

    Args:
        files: of the panel.
        roles: which columns are read.
        rows: about how many rows are in memory, of all files together.
        skips: whether files that can't be read are left out.
        source: for messages.

    Attributes:
        skipped: the files that were left out so far.
    """

    def __init__(self, files: list[DataFile], roles: Roles, rows: int, skips: bool, source: str):
        self.skipped: list[SkippedFile] = []
        self._files = files
        self._roles = roles
        self._rows = rows
        self._skips = skips
        self._source = source
        self._active: list[Head] = []
        self._ordered = True
        self._seen = _Seen()

    def tables(self) -> Iterator[pa.Table]:
        """Yield tables of whole keys: key, time, the columns, and the number of the file.

        Raises:
            DataError: where a file can't be read, keys are not together, or time goes back.
        """
        waiting = self._begun()
        try:
            while self._active or waiting:
                parts = self._next_parts(waiting)
                if parts:
                    yield self._together(parts)
        finally:
            for head in (*self._active, *(head for _, head in waiting)):
                head.close()

    def _begun(self) -> list[tuple[Any, Head]]:
        """Return all files by the key that each begins with, the last one first."""
        if len(self._files) == 1:  # which may be readable only once
            self._active = [self._open(0, self._files[0])]
            return []
        found = []
        for number, file in enumerate(self._files):
            head = self._open(number, file, _LEAST_BATCH)
            while not len(head.rows) and not head.done:
                head.fill()
            head.close()
            self._note(head)
            if len(head.rows):
                found.append((head.rows.column(0)[0].as_py(), number))
        found.sort(reverse=True)
        return [(key, self._open(number, self._files[number])) for key, number in found]

    def _open(self, number: int, file: DataFile, rows: int = 0) -> Head:
        types = {field.name: field.type for field in self._roles.schema}

        def batches() -> Iterator:
            # The more files are read side by side, the fewer rows of each are in memory.
            some = self._rows // (len(self._active) + 1)
            size = rows or min(_BATCH, max(_LEAST_BATCH, some))
            try:
                yield from file.batches(self._roles.names, size, types)
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
                raise DataError(
                    f"{len(self._active)} files of {self._source} hold rows of the same keys, "
                    "which are more than can be open at once: "
                    + how_to_sort(self._roles, self._source)
                ) from None

        return Head(number, file.path, batches(), self._roles, self._skips)

    def _next_parts(self, waiting: list) -> list[pa.Table]:
        """Return the rows of the next whole keys, of each file by itself; none to come again."""
        for head in self._active:
            while not len(head.rows) and not head.done:
                self._fill(head)
        for head in self._active:
            if head.done:
                self._note(head)
        self._active = [head for head in self._active if len(head.rows)]
        if not self._ordered:
            return self._next_in_turn(waiting)
        limits = [head.last().as_py() for head in self._active if not head.done]
        limit = min([*limits, *(key for key, _ in waiting[-1:])], default=None)
        parts = []
        for head in self._active:
            count = head.below(limit)
            if count:
                parts.append(head.take(count))
        if parts or limit is None:
            return parts
        if waiting and waiting[-1][0] == limit:
            self._active.append(waiting.pop()[1])
            self._active.sort(key=lambda head: head.number)
            return []
        for head in self._active:
            if not head.done and head.last().as_py() == limit:
                self._fill(head)
        return []

    def _next_in_turn(self, waiting: list) -> list[pa.Table]:
        """Return the next rows where keys don't rise: file after file, the last key kept back.

        That key may go on in the next file.
        """
        count, last = 0, self._active[-1] if self._active else None
        if last is not None:
            ends = last.done and not waiting
            count = len(last.rows) if ends else last_run(last.rows.column(0))
        if last is not None and count:
            return [*(head.take(len(head.rows)) for head in self._active[:-1]), last.take(count)]
        if last is None or last.done:
            if waiting:
                waiting.sort(key=lambda one: -one[1].number)
                self._active.append(waiting.pop()[1])
        else:
            self._fill(last)
        return []

    def _fill(self, head: Head) -> None:
        if not head.fill() and self._ordered:
            if len(self._active) > 1:
                raise DataError(
                    f"{head.name} is not sorted by {self._roles.key!r}, and other files hold rows "
                    "of the same keys: " + how_to_sort(self._roles, self._source)
                )
            self._ordered = False

    def _note(self, head: Head) -> None:
        if head.skipped is not None and head.skipped not in self.skipped:
            self.skipped.append(head.skipped)

    def _together(self, parts: list[pa.Table]) -> pa.Table:
        table = pa.concat_tables(parts)
        if len(parts) > 1 and self._ordered:
            table = table.take(compute.sort_indices(table.column(0)))  # stable
        names = [file.path for file in self._files]
        self._seen.check(table.column(0), self._ordered, self._roles, self._source)
        check_order(table, self._roles, names, self._source)
        return table


class _Seen:
    """The keys that have been handed on, 8 bytes each; looked through where they don't rise."""

    def __init__(self) -> None:
        self._hashes: list[np.ndarray] = []
        self._set: set[int] | None = None

    def check(self, key: pa.ChunkedArray, ordered: bool, roles: Roles, source: str) -> None:
        """Keep the keys of a table, and refuse those that had ended before."""
        keys = key.take(pa.array(starts_of(key))).to_pandas()
        hashes = pd.util.hash_array(keys.to_numpy(object) if keys.dtype.kind == "O" or
                                    keys.dtype == "str" else keys.to_numpy())  # fmt: skip
        if ordered and self._set is None:
            self._hashes.append(hashes)
            return
        if self._set is None:
            self._set = {one for some in self._hashes for one in some.tolist()}
            self._hashes = []
        for place, one in enumerate(hashes.tolist()):
            if one in self._set:
                raise DataError(
                    f"the rows of series {keys.iloc[place]!r} of {source} are not together: other "
                    "keys stand between them. " + how_to_sort(roles, source)
                )
            self._set.add(one)


def starts_of(key: pa.ChunkedArray) -> np.ndarray:
    """Return where a new key begins in a column of keys, the first row included.

    >>> starts_of(pa.chunked_array([["a", "a"], ["b"]])).tolist()
    [0, 2]
    """
    if not len(key):
        return np.zeros(0, np.int64)
    changes = compute.not_equal(key.slice(1), key.slice(0, len(key) - 1)).to_numpy()
    return np.concatenate([[0], np.flatnonzero(changes) + 1])


def last_run(key: pa.ChunkedArray) -> int:
    """Return where the last of a column's keys begins."""
    return int(starts_of(key)[-1]) if len(key) else 0


def _rises(key: pa.ChunkedArray) -> bool:
    return not compute.any(compute.less(key.slice(1), key.slice(0, max(0, len(key) - 1)))).as_py()
