"""The states of many keys in one file that survives ``kill -9``: SQLite, one transaction a write.

Why SQLite: it is in Python's standard library, and its write-ahead log gives what is asked for,
tested for decades: a transaction is there wholly or not at all after a crash at any moment, and
with ``synchronous=FULL`` it is on the disk when the call returns. A file format of our own would
have to earn that trust first.
"""

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

_FORMAT = "statewise-streams-1"
_KEY_BITS = 63  # of an integer key, beside its sign
# Pages of the write-ahead log after which SQLite moves them into the file: often enough to keep the
# log small, seldom enough that a push of thousands of keys doesn't write everything twice.
_CHECKPOINT_PAGES = 4000


class Column(NamedTuple):
    """What is kept of every key under one name.

    Attributes:
        name: say ``"lstm.h"``.
        kind: what it belongs to, say ``"LSTM.h"``; a store fits where kinds, shapes and dtypes do,
            whatever the names.
        shape: of one key's value.
        dtype: of its elements.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: np.dtype


class StateStore:
    """Arrays for each key, in one file; what was written is there after a crash.

    A write is one transaction: after the process was killed, or the machine lost its power, every
    key of it has its new values, or every key its old ones. When `write` returns, the values are
    on the disk. The store is opened by one process at a time. While it is open, the files
    ``PATH-wal`` and (on some systems) ``PATH-shm`` belong to it: they hold the newest writes, and
    are to be moved or copied only together with it, or after `close`.

    Args:
        path: of the file; it's created where there is none.
        columns: what is kept of each key.
        weights: a fingerprint of the weights that made the states, any text.

    Attributes:
        weights: the fingerprint that the file was last written with.

    Raises:
        ValueError: if the file is damaged, is something else, or holds other columns.
        BlockingIOError: if another process, or another store of this one, has it open.
        OSError: if it can't be opened or written; `IsADirectoryError` if it's a folder.

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
        if not self.path.exists():
            self._refuse_lost_log()
            self._create(weights)
        self._connection = self._open()
        try:
            self.weights = self._check()
        except BaseException:
            self._connection.close()
            raise

    def read(self) -> tuple[list[str | int], dict[str, np.ndarray]]:
        """Return all keys in the order in which they joined, and each column's values for them."""
        rows = self._execute("SELECT key, record FROM streams ORDER BY rowid").fetchall()
        size = sum(map(_bytes_of, self.columns))
        for key, record in rows:
            if len(record) != size:
                raise ValueError(
                    f"{self.path}: the record of key {key!r} has {len(record)} bytes, expected "
                    f"{size}. The file is damaged; restore it from a copy, or begin a new one."
                )
        records = np.frombuffer(b"".join(record for _, record in rows), np.uint8)
        return [key for key, _ in rows], self._unpack(records.reshape(len(rows), size))

    def write(
        self,
        keys: Sequence[str | int],
        values: Mapping[str, np.ndarray],
        *,
        weights: str | None = None,
    ) -> None:
        """Replace the values of some keys, or add keys; all of it or, after an error, nothing.

        Args:
            keys: text, or integers of 64 bits; each once.
            values: for each column an array ``(keys, *shape)``.
            weights: the fingerprint from now on; None leaves it.

        Raises:
            ValueError: if an array or a key doesn't fit.
            OSError: if it can't be written, say because the disk is full.
        """
        keys = [plain_key(key) for key in keys]
        records = self._pack(len(keys), values)
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO streams (key, record) VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET record = excluded.record",
                zip(keys, records, strict=True),
            )
            if weights is not None and weights != self.weights:
                self._connection.execute(
                    "UPDATE about SET value = ? WHERE name = 'weights'", (weights,)
                )
        if weights is not None:
            self.weights = weights

    def delete(self, keys: Iterable[str | int]) -> None:
        """Remove keys and their values; all of them or, after an error, none.

        Raises:
            OSError: if it can't be written.
        """
        with self._transaction():
            self._connection.executemany(
                "DELETE FROM streams WHERE key = ?", [(plain_key(key),) for key in keys]
            )

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        self._connection.close()

    def __enter__(self) -> "StateStore":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def _refuse_lost_log(self) -> None:
        """Refuse to begin a store beside the log of another, which SQLite would take for its own.

        Raises:
            ValueError: if there is a log, and no store.
        """
        log = Path(f"{self.path}-wal")
        if log.exists() and not self.path.exists():
            raise ValueError(
                f"{self.path} isn't there, but the newest writes of a store of that name are, in "
                f"{log}. Put the store back beside them, or delete them to begin a new store."
            )

    def _create(self, weights: str) -> None:
        """Make an empty store elsewhere and move it here: there is never half of one."""
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"{self.path} can't be made: there is no folder {self.path.parent}. Make it first."
            )
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        os.close(handle)
        try:
            connection = sqlite3.connect(temporary, isolation_level=None)
            try:
                connection.executescript(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN;"
                    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
                    # A column without a type keeps 7 and '7' apart.
                    "CREATE TABLE streams (key PRIMARY KEY NOT NULL, record BLOB NOT NULL);"
                )
                columns = json.dumps([_described(column) for column in self.columns])
                connection.executemany(
                    "INSERT INTO about VALUES (?, ?)",
                    [("format", _FORMAT), ("columns", columns), ("weights", weights)],
                )
                connection.execute("COMMIT")
            finally:
                connection.close()
            self._move_here(temporary)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def _move_here(self, temporary: str) -> None:
        """Give the new store its name, unless another process was quicker: then its store counts.

        Moving it over the other's would take that store away from a process that writes to it.
        """
        try:
            os.link(temporary, self.path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            os.rename(temporary, self.path)

    def _open(self) -> sqlite3.Connection:
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder; a store is a file.")
        if self.path.stat().st_size == 0:
            raise ValueError(
                f"{self.path} is empty, which a store never is: it was cut short, or is another "
                "file. Restore it from a copy, or delete it to begin a new store."
            )
        try:
            connection = sqlite3.connect(
                self.path, isolation_level=None, timeout=0, check_same_thread=False
            )
        except sqlite3.Error as error:  # may not be read, say
            raise self._translated(error) from error
        try:
            # One process has the file to itself: no shared memory, and no lock for every write.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.close()
            raise self._translated(error) from error
        return connection

    def _check(self) -> str:
        """Refuse what isn't a whole store of these columns; return its fingerprint of weights."""
        faults = [row[0] for row in self._execute("PRAGMA quick_check(3)").fetchall()]
        if faults != ["ok"]:
            raise ValueError(f"{self.path} is damaged: {'; '.join(faults)}.")
        tables = {row[0] for row in self._execute("SELECT name FROM sqlite_master").fetchall()}
        if not {"about", "streams"} <= tables:
            raise ValueError(f"{self.path} is an SQLite file, but no store of streams.")
        about = dict(self._execute("SELECT name, value FROM about").fetchall())
        if about.get("format") != _FORMAT:
            raise ValueError(
                f"{self.path} isn't a store that this version can read: its format is "
                f"{about.get('format')!r}, expected {_FORMAT!r}."
            )
        self._check_columns(json.loads(about["columns"]))
        return about["weights"]

    def _check_columns(self, kept: list[dict]) -> None:
        here = [_described(column) for column in self.columns]
        differences = []
        for i in range(max(len(kept), len(here))):
            store, model = (side[i] if i < len(side) else None for side in (kept, here))
            if store is None or model is None or _fitting(store) != _fitting(model):
                differences.append(f"the store has {_words(store)}, the model {_words(model)}")
        if differences:
            raise ValueError(
                f"{self.path} holds the states of another model: {'; '.join(differences)}."
            )

    def _pack(self, count: int, values: Mapping[str, np.ndarray]) -> list[bytes]:
        """Return each key's values as bytes, column after column."""
        parts = []
        for column in self.columns:
            array = np.asarray(values[column.name])
            if array.shape != (count, *column.shape) or array.dtype != column.dtype:
                raise ValueError(
                    f"{column.name}: expected {(count, *column.shape)} {column.dtype}, got "
                    f"{array.shape} {array.dtype}."
                )
            flat = np.ascontiguousarray(array).reshape(count, int(np.prod(column.shape)))
            parts.append(flat.view(np.uint8))
        if not count:
            return []
        records = np.concatenate(parts, axis=1)
        whole, size = records.tobytes(), records.shape[1]
        return [whole[i : i + size] for i in range(0, count * size, size)]

    def _unpack(self, records: np.ndarray) -> dict[str, np.ndarray]:
        values, start = {}, 0
        for column in self.columns:
            stop = start + _bytes_of(column)
            part = records[:, start:stop].copy()
            values[column.name] = part.view(column.dtype).reshape(len(records), *column.shape)
            start = stop
        return values

    def _execute(self, statement: str) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _transaction(self) -> "_Transaction":
        return _Transaction(self)

    def _translated(self, error: sqlite3.Error) -> Exception:
        """Return what is raised in place of an error of SQLite's."""
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # without the details
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return BlockingIOError(
                f"{self.path} is open elsewhere; a store serves one process at a time. Close the "
                "other one first."
            )
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return ValueError(
                f"{self.path} can't be read as a store; it is damaged, cut short or another file "
                f"({error}). Restore it from a copy, or begin a new one."
            )
        return OSError(f"{self.path}: {error}.")


class _Transaction:
    """A write that happens wholly or not at all."""

    def __init__(self, store: StateStore):
        self._store = store

    def __enter__(self) -> None:
        try:
            self._store._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self._store._translated(error) from error

    def __exit__(self, kind, error, trace) -> None:
        connection = self._store._connection
        if error is None:
            try:
                connection.execute("COMMIT")
                return
            except sqlite3.Error as failure:
                error = failure
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise self._store._translated(error) from error


def plain_key(key) -> str | int:
    """Return a key as plain text or integer; refuse one that can't be told apart, or kept.

    Raises:
        TypeError: if it is neither text nor an integer.
        ValueError: if it is an integer of more than 64 bits, or text that UTF-8 can't hold.
    """
    if isinstance(key, str):
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"The key {key!r} isn't valid text: {error}.") from error
        return str(key)
    if isinstance(key, bool) or not isinstance(key, (int, np.integer)):
        raise TypeError(f"A key is text or an integer; got {key!r}, a {type(key).__name__}.")
    if not -(1 << _KEY_BITS) <= key < 1 << _KEY_BITS:
        raise ValueError(f"The key {key} has more than 64 bits; name it as text instead.")
    return int(key)


def _bytes_of(column: Column) -> int:
    return int(np.prod(column.shape, dtype=np.int64)) * np.dtype(column.dtype).itemsize


def _described(column: Column) -> dict:
    shape, dtype = list(column.shape), str(np.dtype(column.dtype))
    return {"name": column.name, "kind": column.kind, "shape": shape, "dtype": dtype}


def _fitting(described: dict) -> tuple:
    return described["kind"], described["shape"], described["dtype"]


def _words(described: dict | None) -> str:
    if described is None:
        return "nothing more"
    shape = tuple(described["shape"])
    return f"{described['name']} ({described['kind']}) {shape} {described['dtype']}"
