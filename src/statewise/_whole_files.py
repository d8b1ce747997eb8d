"""Files that are written whole or not at all.

What is written goes beside the file first, and takes its place when all of it is on the disk: a
full disk, an error or a power cut leaves the old file, or none.
"""

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


@contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Give the path of a new file, which takes the place of ``path`` at the end.

    A link stays a link, and the file that it leads to is replaced; rights of an existing file
    stay. What is no file (a pipe, a device), or stands in a folder where nothing may
    be made, is written to directly.

    Args:
        path: of the file.

    Raises:
        OSError: where it can't be written; what was there before is there still.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(f"{folder}/a.txt") as beside:
    ...         _ = beside.write_text("all of it")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not (path.is_file() and os.access(path.parent, os.W_OK)):
        yield path  # a folder says so when it's opened; in some only the file may be changed
        return
    # A short name of its own, with the ending by which libraries choose a format.
    beside = path.with_name(f".{secrets.token_hex(6)}.part{path.suffix}")
    try:
        yield beside
        _sync(beside)
        _put(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_beside(
    path: str | os.PathLike,
    write: Callable[[str], Result],
    size: int = 0,
    finish: Callable[[Path], None] | None = None,
) -> Result:
    """Let ``write`` write to a path of the same name, and put what it wrote in its place.

    An error, a full disk, or an interruption leaves what was there before. Whatever is written
    comes along, several files or a folder; other files of a folder that is there already stay.

    Args:
        path: where the file or folder shall be. A link is followed.
        write: takes the path to write to; its last part is that of ``path``.
        size: how many bytes it will write at least.
        finish: takes each file that was written, before it's put in its place.

    Returns:
        What ``write`` returns.

    Raises:
        OSError: if there's no room for ``size`` bytes on the disk, or whatever ``write`` raises.

    >>> folder = tempfile.mkdtemp()
    >>> write_beside(os.path.join(folder, "notes.txt"), lambda p: Path(p).write_text("new"))
    3
    >>> os.listdir(folder)
    ['notes.txt']
    """
    target = Path(os.path.realpath(path))
    # Without a folder to write to, the writer's own error says so; a device is no file to replace.
    special = target.exists() and not (target.is_file() or target.is_dir())
    if special or not target.parent.is_dir():
        return write(os.fspath(path))
    free = shutil.disk_usage(target.parent).free
    if free < size:  # before the writer begins: HDF5 may end the process on a full disk
        raise OSError(
            errno.ENOSPC, f"No room: {size} bytes are to be written, {free} are free", str(target)
        )
    try:
        room = Path(tempfile.mkdtemp(dir=target.parent, prefix=".statewise-"))
    except PermissionError:  # only the file itself may be changed
        return write(os.fspath(path))
    try:
        result = write(os.fspath(room / target.name))
        every = sorted(room.rglob("*"))
        for written in every:
            if finish is not None and written.is_file():
                finish(written)
        for written in every:
            _move(written, target.parent / written.relative_to(room))
        return result
    finally:
        shutil.rmtree(room, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder be on the disk: a file that was renamed survives a power cut."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:  # a system that opens no folders
        return
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # no such thing there
            raise
    finally:
        os.close(opened)


def _move(written: Path, place: Path) -> None:
    if written.is_dir():
        place.mkdir(exist_ok=True)
        return
    if place.exists():  # on the disk before the old one is gone; a new one has nothing to lose
        _sync(written)
    _put(written, place)


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _put(written: Path, place: Path) -> None:
    """Let a file take another's place, with its rights."""
    if place.exists():
        shutil.copymode(place, written)
    os.replace(written, place)
