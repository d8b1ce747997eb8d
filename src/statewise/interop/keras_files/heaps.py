"""The heaps in which HDF5 keeps texts, looked at before HDF5 reads them.

A damaged one makes HDF5's own reader go round for ever: an object in it that has no length.

Source: the HDF5 file format specification, version 3.0, III.E "Disk Format: Level 1E - Global
Heap".
"""

import mmap
import struct

_SIGNATURE = b"GCOL\x01\x00\x00\x00"  # version 1, which is the only one
_HEAD, _OBJECT = struct.Struct("<8sQ"), struct.Struct("<HH4xQ")


def check_heaps(path) -> None:
    """Refuse a file with a heap whose objects don't lie one behind the other within it.

    Args:
        path: of a file of HDF5.

    Raises:
        ValueError: naming the file and where the heap begins.
        OSError: where there is no such file.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        begin = content.find(_SIGNATURE)
        while begin >= 0:
            if begin % 8 == 0 and not _is_whole(content, begin):
                raise ValueError(
                    f"{path} is damaged: the texts that it keeps at byte {begin} don't lie one "
                    "behind the other. Load an intact copy of the file."
                )
            begin = content.find(_SIGNATURE, begin + 1)


def _is_whole(content: mmap.mmap, begin: int) -> bool:
    if begin + _HEAD.size > len(content):
        return False
    _, size = _HEAD.unpack_from(content, begin)
    at, end = begin + _HEAD.size, begin + size
    if size < _HEAD.size or end > len(content):
        return False
    while end - at >= _OBJECT.size:
        index, _, length = _OBJECT.unpack_from(content, at)
        # The free space at the end counts its own head, and nothing comes behind it.
        taken = length if index == 0 else _OBJECT.size + -(-length // 8) * 8
        if taken < _OBJECT.size or taken > end - at:
            return False
        at += taken
    return True
