"""The states of many keys in one file that survives ``kill -9``: SQLite, one transaction a write.

Why SQLite: it is in Python's standard library, and its write-ahead log gives what is asked for,
tested for decades: a transaction is there wholly or not at all after a crash at any moment, and
with ``synchronous=FULL`` it is on the disk when the call returns. A file format of our own would
have to earn that trust first. What it doesn't notice, a bit that flips on the disk, checksums do.
"""

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import call
from pathlib import Path

import numpy as np

from statewise.streams.keys import as_plain_keys, plain_keys
from statewise.streams.log_check import check_log
from statewise.streams.notes import TABLE, Notes
from statewise.streams.records import Column, Records
from statewise.streams.store_about import FORMAT, About, about_of, check_about, signed
from statewise.streams.store_files import (
    OpenFile,
    create,
    damaged,
    is_open_elsewhere,
    translated,
)

_UPSERT = (
    "INSERT INTO streams (key, record) VALUES (?, ?) "
    "ON CONFLICT (key) DO UPDATE SET record = excluded.record"
)


class StateStore:
    """Arrays for each key, in one file; what was written is there after a crash.

    A write is one transaction: after the process was killed, or the machine lost its power, every
    key of it has its new values, or every key its old ones. When `write` returns, the values are
    on the disk. The store is opened by one process at a time. While it is open, the files
    ``PATH-wal`` and (on some systems) ``PATH-shm`` belong to it: they hold the newest writes, and
    are to be moved or copied only together with it, or after `close`. A write first looks whether
    the file is still there and the same; a process forked from the one that opened it is refused.

    Every record has a checksum with its key in it, and so has what the store says about itself. A
    store of before there were any is given them when it is opened; earlier releases can't read it
    then. Opening warns where the last write was cut off, which a crash does, and damage too.

    Args:
        path: of the file; it's created where there is none.
        columns: what is kept of each key.
        weights: a fingerprint of the weights that made the states, any text.

    Attributes:
        weights: the fingerprint that the file was last written with.
        notes: what else is written along with the values, see `keep_notes`.

    Raises:
        ValueError: if the file is damaged, is something else, or holds other columns.
        BlockingIOError: if another process, or another store of this one, has it open.
        OSError: if it can't be opened or written; `IsADirectoryError` if it's a folder.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "tanks.db")
    >>> column = Column("gru.h", "GRU.h", (2,), np.dtype("float32"))
    >>> with StateStore(path, [column], weights="a1b2") as store:
    ...     store.write(["north", 7], {"gru.h": np.ones((2, 2), "float32")})
    >>> with StateStore(path, [column], weights="a1b2") as store:
    ...     keys, values = store.read()
    >>> keys, values["gru.h"].shape
    (['north', 7], (2, 2))
    """

    def __init__(self, path: str | os.PathLike, columns: Sequence[Column], *, weights: str = ""):
        self.path = Path(path)
        self.columns = list(columns)
        self._records = Records(self.columns)
        if not self.path.exists():
            create(self.path, about_of(self.columns, weights))
        self._check_log()
        self._file = OpenFile(self.path)
        self.notes = Notes(self._fetch)
        try:
            self._about = self._check()
        except BaseException:
            self._file.close()
            raise

    @property
    def weights(self) -> str:
        """The fingerprint that the file was last written with."""
        return self._about["weights"]

    def read(self) -> tuple[list[str | int], dict[str, np.ndarray]]:
        """Return all keys in the order in which they joined, and each column's values for them.

        Raises:
            ValueError: if a record is damaged.
            OSError: if it can't be read.
        """
        self._begin()
        keys, records = self._rows(self._records.size)
        wrong = self._records.wrong(keys, records)
        if wrong.size:
            raise damaged(
                self.path,
                f"the record of key {keys[wrong[0]]!r} doesn't have its checksum, nor have "
                f"{wrong.size - 1} others",
            )
        return keys, self._records.unpacked(records)

    def write(
        self,
        keys: Sequence[str | int],
        values: Mapping[str, np.ndarray],
        *,
        weights: str | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Replace the values of some keys, or add keys; all of it or, after an error, nothing.

        No interruption comes between its parts: after a Ctrl-C, or whatever else was raised into
        it, the values are written, or they aren't and nothing is left to be undone.

        Args:
            keys: text, or integers of 64 bits; each once.
            values: for each column an array ``(keys, *shape)``.
            weights: the fingerprint from now on; None leaves it.
            then: is called right after the values are on the disk; written in C (a list's method,
                say), nothing comes in between.

        Raises:
            ValueError: if an array or a key doesn't fit.
            OSError: if it can't be written, say because the disk is full; or if the file was moved,
                replaced or deleted since it was opened.
            RuntimeError: in a process forked from the one that opened it.
        """
        keys = as_plain_keys(list(keys))
        records = self._records.packed(keys, values)
        steps: list[tuple[str, list]] = [(_UPSERT, list(zip(keys, records, strict=True)))]
        about = self._about
        if weights is not None and weights != self.weights:
            about = signed({**about, "weights": weights})
            changed = [(about[name], name) for name in ("weights", "checksum")]
            steps.append(("UPDATE about SET value = ? WHERE name = ?", changed))
        self._transact(steps, then)
        self._about = about

    def delete(self, keys: Iterable[str | int], *, then: Callable[[], None] | None = None) -> None:
        """Remove keys and their values; all of them or, after an error, none.

        Raises:
            OSError, RuntimeError: as `write`.
        """
        rows = [(key,) for key in plain_keys(list(keys))]
        self._transact([("DELETE FROM streams WHERE key = ?", rows)], then)

    def keep_notes(self) -> None:
        """Make room for notes, where there is none yet: once, for a store of any age.

        Raises:
            OSError, RuntimeError: as `write`.
        """
        self._begin()
        try:
            self._connection.execute(TABLE)
        except sqlite3.Error as error:
            raise translated(self.path, error) from error
        finally:
            self._file.note()

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        self._file.close()

    def __enter__(self) -> "StateStore":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __reduce__(self):
        raise TypeError(
            f"The store {self.path} is open in this process, so it can't be pickled or copied. "
            "Close it, and give its path to the process that is to open it."
        )

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._file.connection

    def _check_log(self) -> None:
        try:
            check_log(self.path)
        except ValueError as error:
            if is_open_elsewhere(self.path):  # and written to while it was read
                raise translated(self.path, _busy()) from error
            raise

    def _begin(self) -> None:
        """Refuse what can't be done here, and take back what was left undone."""
        self._file.check()
        self._roll_back()

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise translated(self.path, error) from error

    def _transact(self, steps: Sequence[tuple[str, list]], then: Callable | None = None) -> None:
        """Do all of it or nothing.

        Python looks for signals, and for what other threads raise, between its own instructions.
        Here the whole transaction is one, a chain of calls that is run through in C.
        """
        self._begin()
        execute, executemany = self._connection.execute, self._connection.executemany
        chain: list[Callable] = [
            partial(execute, "BEGIN IMMEDIATE"),
            *(partial(executemany, *step) for step in (*steps, *self.notes.pending)),
            partial(execute, "COMMIT"),
        ]
        if then is not None:
            chain.append(then)
        self._file.writing = True
        try:
            deque(map(call, chain), maxlen=0)
        except sqlite3.Error as error:
            self._roll_back()
            raise translated(self.path, error) from error
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._file.note()

    def _check(self) -> About:
        """Refuse what isn't a whole store of these columns; return what it says about itself."""
        faults = [row[0] for row in self._fetch("PRAGMA integrity_check(3)")]
        if faults != ["ok"]:
            raise ValueError(f"{self.path} is damaged: {'; '.join(map(str, faults))}.")
        tables = {row[0] for row in self._fetch("SELECT name FROM sqlite_master")}
        if not {"about", "streams"} <= tables:
            raise ValueError(f"{self.path} is an SQLite file, but no store of streams.")
        about = dict(self._fetch("SELECT name, value FROM about"))
        check_about(self.path, about, self.columns)
        return about if about["format"] == FORMAT else self._upgraded(about)

    def _upgraded(self, about: About) -> About:
        """Give checksums to a store of before there were any, in one transaction."""
        keys, bare = self._rows(self._records.bare_size)
        records = self._records.sealed(keys, bare)
        about = signed({**about, "format": FORMAT})
        self._transact(
            [
                (_UPSERT, list(zip(keys, records, strict=True))),
                ("INSERT OR REPLACE INTO about VALUES (?, ?)", list(about.items())),
            ]
        )
        return about

    def _rows(self, size: int) -> tuple[list[str | int], list[bytes]]:
        """Return all keys and records; refuse what can't be one."""
        rows = self._fetch("SELECT key, record FROM streams ORDER BY rowid")
        for key, record in rows:
            if type(key) not in (str, int) or not isinstance(record, bytes):
                raise damaged(self.path, f"it has a key {key!r} with a record {record!r:.40}")
            if len(record) != size:
                raise ValueError(
                    f"{self.path}: the record of key {key!r} has {len(record)} bytes, expected "
                    f"{size}. The file is damaged; restore it from a copy, or begin a new one."
                )
        return [key for key, _ in rows], [record for _, record in rows]

    def _fetch(self, statement: str) -> list[tuple]:
        """Return what is found; here nothing was asked for that a whole store doesn't have."""
        try:
            return self._connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
                raise damaged(self.path, str(error)) from error
            raise translated(self.path, error) from error


def _busy() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error
