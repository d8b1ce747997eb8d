"""HDF5 files of anybody's making, read so that nothing outside of the file and no more is read."""

import contextlib
import os
from collections.abc import Iterator

import h5py  # type: ignore[import-untyped]  # it has no types
import numpy as np

from statewise.interop.keras_files.heaps import check_heaps

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_OBJECTS = 200_000  # in one file; the largest models have some thousands
_DEPTH = 64
# A compressed array may be that much larger than what is stored of it: deflate's limit is 1032.
_EXPANSION = 1032
_SMALL = 1 << 20  # bytes that any array may have


@contextlib.contextmanager
def opened(file, path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading, after a look at all that is in it.

    Args:
        file: its path, or a file object.
        path: what to name in errors.

    Raises:
        ValueError: where it can't be read, or holds what isn't its own: links to other files,
            arrays stored elsewhere, arrays much larger than the file.
    """
    try:
        opened = h5py.File(file, "r")
    except Exception as error:  # whatever HDF5 makes of a damaged file
        raise ValueError(
            f"{path} can't be read as an HDF5 file: it's damaged or cut short ({error}). Load an "
            "intact copy of the file."
        ) from error
    with opened:
        if isinstance(file, (str, os.PathLike)):  # what is within an archive has a checksum
            check_heaps(file)
        try:
            _check(opened, path)
        except MemoryError:
            raise
        except Exception as error:  # likewise
            if str(path) in str(error):
                raise
            raise ValueError(
                f"{path} is damaged: what its table of contents names can't be read ({error}). "
                "Load an intact copy of the file."
            ) from error
        try:
            yield opened
        except (MemoryError, Warning):
            raise
        except Exception as error:  # HDF5 reads as late as it can, so it fails anywhere
            if str(path) in str(error):
                raise
            raise ValueError(
                f"{path} is damaged: what is in it can't be read ({type(error).__name__}: "
                f"{error!s:.300}). Load an intact copy of the file."
            ) from error


def _check(file: h5py.File, path) -> None:
    size = file.id.get_filesize()
    seen: set[int] = set()
    waiting: list[tuple[h5py.Group, str, int]] = [(file, "/", 0)]
    while waiting:
        group, where, depth = waiting.pop()
        for name in group:
            inside = f"{where}{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(
                    f"{path} has a link to elsewhere at {inside!r}, which no file of a model has; "
                    "it isn't followed, and the file isn't loaded."
                )
            thing = group[name]
            address = h5py.h5o.get_info(thing.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > _OBJECTS or depth > _DEPTH:
                raise ValueError(
                    f"{path} has more in it than a model has ({inside!r} is in the depth {depth}, "
                    f"after {len(seen)} others)."
                )
            if isinstance(thing, h5py.Group):
                waiting.append((thing, f"{inside}/", depth + 1))
            elif isinstance(thing, h5py.Dataset):
                _check_array(thing, inside, size, path)


def _check_array(array: h5py.Dataset, where: str, size: int, path) -> None:
    if array.external or array.is_virtual:
        raise ValueError(
            f"{path} says that its array {where!r} is stored in another file; that isn't read. "
            "Load a file that holds its weights itself."
        )
    stored = array.id.get_storage_size()
    declared = int(np.prod([1, *map(int, array.shape or ())], dtype=object)) * array.dtype.itemsize
    packed = array.chunks is not None and array.compression is not None
    limit = _EXPANSION * stored if packed else stored
    if declared > max(limit, 0 if packed else _SMALL) or stored > size:
        raise ValueError(
            f"{path} says that its array {where!r} of shape {array.shape} has {declared:,} bytes, "
            f"but holds {stored:,} of them: it's damaged, or made to fill the memory."
        )


def text_of(attributes, name: str) -> str | None:
    """Return a text among attributes; None where there is none of that name."""
    value = attributes.get(name)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    return value.decode("utf-8") if isinstance(value, bytes) else value


def names_of(attributes, name: str) -> list[str] | None:
    """Return a list of texts; a long one is cut in parts with numbers after the name."""
    found = attributes.get(name)
    if found is None:
        parts: list[np.ndarray] = []
        while (part := attributes.get(f"{name}{len(parts)}")) is not None:
            parts.append(np.asarray(part))
        if not parts:
            return None
        found = np.concatenate(parts)
    return [n.decode("utf-8") if isinstance(n, bytes) else str(n) for n in np.ravel(found)]


def numbers_at(group: h5py.Group, name: str, path) -> np.ndarray:
    """Return an array of numbers.

    Raises:
        ValueError: where there is none, or something else.
    """
    found = group.get(name)
    where = f"{group.name.rstrip('/')}/{name}"
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"{path} is damaged: the array {where!r}, which it names, isn't there.")
    if found.dtype.kind not in "fiub":
        raise ValueError(
            f"{path} has an array {where!r} of {found.dtype}, where weights have numbers."
        )
    try:
        return np.asarray(found)
    except Exception as error:  # whatever HDF5 makes of a damaged array
        raise ValueError(
            f"{path} is damaged: its array {where!r} can't be read ({error}). Load an intact copy "
            "of the file."
        ) from error
