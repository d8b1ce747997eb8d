"""Arrays of Zarr, whose chunks are unpacked once and stay in memory for a while."""

from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np

MEMORY = 1 << 28  # bytes of unpacked chunks that stay in memory


def is_chunked(array: Any) -> bool:
    """Whether something is an array of Zarr."""
    return type(array).__module__.partition(".")[0] == "zarr" and hasattr(array, "chunks")


def is_group(container: Any) -> bool:
    """Whether something is a group of Zarr, which has arrays by their names."""
    return type(container).__module__.partition(".")[0] == "zarr" and hasattr(container, "arrays")


class Unpacked:
    """The chunks of some arrays that were unpacked last."""

    def __init__(self, memory: int | None = None):
        self._memory = MEMORY if memory is None else memory
        self._bytes = 0
        self._kept: OrderedDict[tuple, np.ndarray] = OrderedDict()
        self._lock = Lock()

    def block(self, array: Any, first: tuple[int, ...]) -> np.ndarray:
        """Return what is in the chunks of an array that begin at ``first``, of leading axes."""
        place = (id(array), first)
        with self._lock:
            if place not in self._kept:
                index = tuple(
                    slice(at, at + size)
                    for at, size in zip(first, array.chunks[: len(first)], strict=True)
                )
                block = np.asarray(array[index])
                self._kept[place] = block
                self._bytes += block.nbytes
                while self._bytes > self._memory and len(self._kept) > 1:
                    self._bytes -= self._kept.popitem(last=False)[1].nbytes
            self._kept.move_to_end(place)
            return self._kept[place]


class ChunkedArray:
    """An array of Zarr as one of NumPy where it is sliced by time, or by series and time.

    Args:
        array: (time,), (time, features) or (series, time, features).
        unpacked: where its chunks are kept.
    """

    def __init__(self, array: Any, unpacked: Unpacked):
        self.shape = tuple(array.shape)
        self.dtype = array.dtype
        self._array = array
        self._unpacked = unpacked

    def __getitem__(self, index: Any) -> np.ndarray:
        """Return ``[start:stop]`` of the time steps, or ``[position, start:stop]``."""
        if isinstance(index, tuple):
            (position, steps), axis = index, 1
            first: tuple[int, ...] = (position - position % self._array.chunks[0],)
            inner: tuple[int, ...] = (position % self._array.chunks[0],)
        else:
            steps, axis, first, inner = index, 0, (), ()
        start, stop, _ = steps.indices(self.shape[axis])
        size = self._array.chunks[axis]
        parts = []
        for begin in range(start - start % size, max(stop, start + 1), size):
            block = self._unpacked.block(self._array, (*first, begin))
            parts.append(block[inner][max(start - begin, 0) : max(stop - begin, 0)])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
