"""Files that are written whole or not at all.

What is written goes beside the file first, and takes its place when all of it is on the disk: a
full disk, an error or a power cut leaves the old file, or none.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
