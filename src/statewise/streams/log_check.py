"""Whether the write-ahead log beside a store is whole.

SQLite reads its log up to the first page whose checksum is wrong, and takes what follows for what a
crash left behind: a bit that flipped there would take the newest pushes away without a word. So the
log is looked through before SQLite is. The format: https://www.sqlite.org/fileformat2.html#walformat
"""

import warnings
from pathlib import Path

import numpy as np

_MAGIC = 0x377F0682  # of a log with little-endian checksums; one more: big-endian
_HEADER, _FRAME_HEADER = 32, 24


def check_log(store: Path) -> None:
    """Refuse a store whose log has pages that are damaged, with whole writes behind them.

    A write that a crash cut off lies behind all others, and is left out: it was never acknowledged.
    Where its end is there and its beginning isn't, it may as well be damaged, so there's a warning.

    Raises:
        ValueError: if the log is damaged.
        OSError: if it can't be read.
    """
    path = Path(f"{store}-wal")
    if not path.exists():
        return
    log = path.read_bytes()
    if len(log) < _HEADER:
        return
    header = np.frombuffer(log, ">u4", _HEADER // 4)
    order = {_MAGIC: "<u4", _MAGIC + 1: ">u4"}.get(int(header[0]))
    size = int(header[2])
    if order is None or size not in {1 << n for n in range(9, 17)}:
        raise _damaged(path)
    sums = _Sums(order)
    start = sums.of(np.frombuffer(log, order, 6)[None])[0]
    if start.tolist() != header[6:].tolist():
        raise _damaged(path)
    frame = _FRAME_HEADER + size
    count = (len(log) - _HEADER) // frame
    frames = np.frombuffer(log, np.uint8, count * frame, _HEADER).reshape(count, frame)
    heads = np.ascontiguousarray(frames[:, :_FRAME_HEADER]).view(">u4")
    ours = (heads[:, 2:4] == header[4:6]).all(axis=1)  # others are from before it began anew
    whole = _whole_frames(sums, start, frames, heads, ours, order)
    ends = np.flatnonzero(ours & (heads[:, 1] > 0))  # the last frame of each write
    lost = int((ends >= whole).sum())
    if lost > 1:  # one write may have been cut off, none can lie behind it
        raise _damaged(path)
    if lost:
        warnings.warn(
            f"The last write in {path} isn't whole, and is left out. If the process or the machine "
            "stopped while it was written, that is as it should be: it was never acknowledged. "
            "Otherwise the file is damaged. steps(key) says how many steps are in each state.",
            UserWarning,
            stacklevel=2,
        )


def _whole_frames(sums: "_Sums", start, frames, heads, ours, order: str) -> int:
    """Return how many frames, from the first, have the checksums that they should have."""
    checked = np.concatenate([frames[:, :8], frames[:, _FRAME_HEADER:]], axis=1)
    parts = sums.of(np.ascontiguousarray(checked).view(order))
    carry = sums.carry(checked.shape[1] // 8)
    before = start
    for number, part in enumerate(parts):
        before = carry @ before + part
        if not ours[number] or (before != heads[number, 4:6]).any():
            return number
    return len(parts)


class _Sums:
    """SQLite's checksum of pairs of words: ``s0 += x0 + s1; s1 += x1 + s0``, in 32 bits.

    It is linear in the words, so that those of many frames are computed together.
    """

    def __init__(self, order: str):
        self._order = order

    def of(self, words: np.ndarray) -> np.ndarray:
        """Return the checksums ``(frames, 2)`` of ``(frames, words)``, beginning at 0."""
        pairs = words.shape[1] // 2
        powers = _powers(pairs)[::-1]  # the first pair goes through the most steps
        # One step makes (s0, s1) of (x0, x1) at 0: s0 = x0, s1 = x0 + x1.
        first = powers @ np.array([1, 1], np.uint32)
        second = powers @ np.array([0, 1], np.uint32)
        weights = np.stack([first, second], axis=1).reshape(2 * pairs, 2)
        return np.stack(
            [
                np.einsum("fw,w->f", words.astype(np.uint32), weights[:, i], dtype=np.uint32)
                for i in (0, 1)
            ],
            axis=1,
        )

    def carry(self, pairs: int) -> np.ndarray:
        """Return the matrix ``(2, 2)`` by which a checksum goes on over so many pairs of zeros."""
        return _powers(pairs + 1)[-1]


def _powers(count: int) -> np.ndarray:
    """Return the first powers of the step's matrix, uint32 ``(count, 2, 2)``."""
    step = np.array([[1, 1], [1, 2]], np.uint32)
    powers = np.empty((count, 2, 2), np.uint32)
    powers[0] = np.eye(2, dtype=np.uint32)
    for i in range(1, count):
        powers[i] = powers[i - 1] @ step
    return powers


def _damaged(path: Path) -> ValueError:
    return ValueError(
        f"{path}, which holds the newest writes of the store beside it, is damaged: what lies "
        "behind the damage can't be read. Restore both files from a copy; or delete the log, to go "
        "on from the state that the store had before these writes."
    )
