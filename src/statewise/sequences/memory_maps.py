"""What has been read of a memory map is let go, so that it doesn't stay resident.

The pages of a map that were touched count as resident until the system needs their room. Of maps
that are read a part at a time they are given back here: what is read again comes from the file, or
from the system's cache of it.
"""

import mmap
from threading import Lock
from typing import Any

import numpy as np

LIMIT = 1 << 26  # bytes that are read before pages are let go


def let_go(array: Any) -> bool:
    """Let the pages of a memory map go; return whether that's possible.

    Nothing is lost: a map in the mode "c", whose changes are in its pages alone, is left as it is.

    Args:
        array: a `numpy.memmap`, or a part of one; anything else is left as it is.
    """
    pages = getattr(array, "_mmap", None) if isinstance(array, np.memmap) else None
    if pages is None or array.mode == "c" or not hasattr(mmap, "MADV_DONTNEED"):
        return False
    pages.madvise(mmap.MADV_DONTNEED)
    return True


class LetGo:
    """Lets pages go whenever so much of maps was read."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = LIMIT if limit is None else limit
        self._read = 0
        self._maps: dict[int, np.memmap] = {}
        self._lock = Lock()

    def __call__(self, part: Any) -> Any:
        """Return a part that is about to be read, and take note of it."""
        if not isinstance(part, np.memmap):
            return part
        with self._lock:
            if self._read > self._limit:
                for array in self._maps.values():
                    let_go(array)
                self._read, self._maps = 0, {}
            self._read += part.nbytes
            self._maps.setdefault(id(part._mmap), part)  # type: ignore[attr-defined]
        return part
