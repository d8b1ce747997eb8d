"""The files of a store: made, opened, watched, and left alone by a forked child."""

import ctypes
import os
import sqlite3
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path

# Pages of the write-ahead log after which SQLite moves them into the file: often enough to keep the
# log small, seldom enough that a push of thousands of keys doesn't write everything twice.
_CHECKPOINT_PAGES = 4000
# Errors that tell of a file that isn't as it was written.
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
}
_open_files: "weakref.WeakSet[OpenFile]" = weakref.WeakSet()


class OpenFile:
    """A store's file, held by one process, and what tells whether it is still the same one.

    Args:
        path: of an existing store.

    Attributes:
        connection: to SQLite.
        writing: whether a write was begun, and `note` not called since: it was interrupted.

    Raises:
        ValueError: if it's damaged or something else.
        BlockingIOError: if it's open elsewhere.
        OSError: if it can't be opened; `IsADirectoryError` if it's a folder.
    """

    def __init__(self, path: Path):
        self.path = path
        self._absolute = os.path.abspath(path)
        self._log = f"{self._absolute}-wal"
        self._process = os.getpid()
        self.connection = _connected(path)
        _open_files.add(self)
        self._known = self._seen()
        self.writing = self._closed = False

    def check(self) -> None:
        """Refuse to go on in a forked child, or with other files than those that were opened.

        Raises:
            RuntimeError: in a forked child.
            OSError: if the files were moved, replaced, written to or deleted; or it's closed.
        """
        if self._closed:
            raise OSError(f"{self.path} is closed; open it again to go on.")
        if os.getpid() != self._process:
            raise RuntimeError(
                f"{self.path} was opened by process {self._process}; this one, {os.getpid()}, was "
                "forked from it and has no part in it: two that write to it would lose each "
                "other's keys. Let that process push, or close the store before the fork and open "
                "it in one process afterwards."
            )
        if self.writing:
            self.note()
        seen = self._seen()
        if seen != self._known:
            raise OSError(_difference(self.path, self._known, seen))

    def close(self) -> None:
        """Close it; in a forked child that leaves the files as they are."""
        if os.getpid() == self._process:
            self.connection.close()
        self._closed = True

    def abandon(self) -> None:
        """Let a forked child never close the connection: that would write to the parent's files."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.connection))

    def note(self) -> None:
        """Take the file as it is after a write of our own: SQLite may have emptied its log."""
        file = _status(self._absolute)
        if file and (file.st_dev, file.st_ino) == self._known[0]:
            self._known = (self._known[0], (file.st_size, file.st_mtime_ns), self._known[2])
        self.writing = False

    def _seen(self) -> tuple:
        """Return which file it is, what tells of writes to it, and which file its log is."""
        file, log = _status(self._absolute), _status(self._log)
        return (
            file and (file.st_dev, file.st_ino),
            file and (file.st_size, file.st_mtime_ns),
            log and (log.st_dev, log.st_ino),
        )


def create(path: Path, about: Mapping[str, str]) -> None:
    """Make an empty store elsewhere and move it here: there is never half of one.

    Args:
        path: where.
        about: what it says about itself.

    Raises:
        OSError: if it can't be written.
        ValueError: if the log of another store lies there, which SQLite would take for its own.
    """
    log = Path(f"{path}-wal")
    if log.exists():
        raise ValueError(
            f"{path} isn't there, but the newest writes of a store of that name are, in {log}. Put "
            "the store back beside them, or delete them to begin a new store."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{path} can't be made: there is no folder {path.parent}. Make it first."
        )
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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
            connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
            connection.execute("COMMIT")
        finally:
            connection.close()
        _move_here(temporary, path)
    except sqlite3.Error as error:
        raise OSError(f"{path} can't be made: {error}.") from error
    finally:
        for end in ("", "-wal", "-shm"):
            Path(temporary + end).unlink(missing_ok=True)


def translated(path: Path, error: sqlite3.Error) -> Exception:
    """Return what is raised in place of an error of SQLite's."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # without the details
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BlockingIOError(
            f"{path} is open elsewhere; a store serves one process at a time. Close the other one "
            "first."
        )
    # Of its own errors only that of text that isn't UTF-8 tells of the file; it has no number.
    if code in _DAMAGE or (not code and "decode" in str(error)):
        return damaged(path, str(error))
    return OSError(f"{path}: {error}.")


def damaged(path: Path, why: str) -> ValueError:
    """Return what is raised where a file isn't as it was written."""
    return ValueError(
        f"{path} can't be read as a store; it is damaged, cut short or another file ({why}). "
        "Restore it from a copy, or begin a new one."
    )


def is_open_elsewhere(path: Path) -> bool:
    """Whether another connection holds a store; looks at it without writing."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0, isolation_level=None
        )
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return isinstance(translated(path, error), BlockingIOError)
    return False


def _move_here(temporary: str, path: Path) -> None:
    """Give the new store its name, unless another process was quicker: then its store counts.

    Moving it over the other's would take that store away from a process that writes to it.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.rename(temporary, path)


def _connected(path: Path) -> sqlite3.Connection:
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; a store is a file.")
    if path.stat().st_size == 0:
        raise ValueError(
            f"{path} is empty, which a store never is: it was cut short, or is another file. "
            "Restore it from a copy, or delete it to begin a new store."
        )
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
    except sqlite3.Error as error:  # may not be read, say
        raise translated(path, error) from error
    try:
        # One process has the file to itself: no shared memory, and no lock for every write.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise translated(path, error) from error
        raise
    return connection


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _difference(path: Path, known: tuple, seen: tuple) -> str:
    """Return what is said where the files aren't those that were opened."""
    if seen[0] is None:
        what = "was moved or deleted"
    elif seen[0] != known[0]:
        what = "was replaced by another file"
    elif seen[1] != known[1]:
        what = "was written to by something else"
    else:
        what = "lost its log, PATH-wal, which was moved, replaced or deleted,"
    return (
        f"{path} {what} while it was open, so nothing more is written to it. Put back what was "
        "there, or close it and open the store that is to go on."
    )


def _abandon_all() -> None:
    for file in list(_open_files):
        file.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
