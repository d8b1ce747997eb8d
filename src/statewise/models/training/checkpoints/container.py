"""One file of a checkpoint: named arrays and a document, whole and with a checksum, or not read.

The file is a safetensors file (https://github.com/huggingface/safetensors): its header names the
format, the JSON of the document, and a checksum over all of it.
"""

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from statewise._whole_files import sync_folder, written_whole

FORMAT = "statewise-training-1"


class DamagedCheckpointError(ValueError):
    """A file that isn't a checkpoint as it was written; the message names it."""


def write(path: Path, arrays: Mapping[str, np.ndarray], document: Mapping[str, Any]) -> None:
    """Write a file, whole or not at all, and on the disk when this returns.

    Args:
        path: of the file; its folder must be there.
        arrays: by name, of any numbers.
        document: what JSON can hold (NaN and infinities too).

    Raises:
        OSError: where it can't be written; an older file of this name is there still.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> write(path, {"kernel": np.ones((2, 3))}, {"epoch": 4})
    >>> arrays, document = read(path)
    >>> arrays["kernel"].shape, document
    ((2, 3), {'epoch': 4})
    """
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps(document, separators=(",", ":"))
    metadata = {"format": FORMAT, "document": text, "checksum": _checksum(text, arrays)}
    with written_whole(path) as beside:
        try:
            save_file(arrays, beside, metadata=metadata)
        except SafetensorError as error:  # what it makes of an error of the system
            number = _number(error)
            raise OSError(number, os.strerror(number), str(path)) from error
    sync_folder(path.parent)


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the document of a file.

    Raises:
        OSError: where there is no such file, or it can't be opened.
        DamagedCheckpointError: where it's cut short, changed, or another kind of file.
    """
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise DamagedCheckpointError(
                    f"{path} isn't a checkpoint that this version can read: its format is "
                    f"{metadata.get('format')!r}, expected {FORMAT!r}"
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = metadata["document"]
        document = json.loads(text)
        whole = metadata["checksum"] == _checksum(text, arrays)
    except (OSError, DamagedCheckpointError):
        raise
    except Exception as error:  # whatever the parts of a damaged file turn out to be
        raise DamagedCheckpointError(
            f"{path} can't be read as a checkpoint; it is cut short, damaged or of another kind "
            f"({type(error).__name__}: {error})"
        ) from error
    if not whole:
        raise DamagedCheckpointError(
            f"{path} is damaged: what it holds isn't what was written (its checksum differs)"
        )
    return arrays, document


def digest_of(*arrays: np.ndarray) -> str:
    """Return a text that arrays of other shapes, types or numbers would not give."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape} ".encode())
        digest.update(_bytes_of(array))
    return digest.hexdigest()


def _checksum(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=16)
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name!r} {array.dtype} {array.shape} ".encode())
        digest.update(_bytes_of(array))
    return digest.hexdigest()


def _bytes_of(array: np.ndarray):
    """Return the bytes of an array, without a copy where they lie in order."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _number(error: SafetensorError) -> int:
    """Return the system's number of an error that is told in words, ``(os error 28)``."""
    words = str(error)
    return next((n for n in (errno.ENOSPC, errno.EFBIG) if f"os error {n}" in words), errno.EIO)
