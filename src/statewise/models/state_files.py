"""A state in a file of its own: safetensors, written whole or not at all."""

import errno
import hashlib
import json
import os
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from statewise._whole_files import write_beside
from statewise.models.state import State

_FORMAT = "statewise-state-1"
_METADATA = {"format", "order", "checksum"}


def save_state(state: State, path: str | os.PathLike) -> None:
    """Write a state to a file; an older file is replaced only when the new one is complete.

    Args:
        state: with arrays ``(batch, units)``.
        path: of the file, by custom ending in ``.safetensors``.

    Raises:
        OSError: if the file can't be written.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "tanks.safetensors")
    >>> save_state(State({"gru": {"h": np.ones((2, 3), "float32")}}), path)
    >>> print(load_state(path))
    State of 2 samples
      gru  h (2, 3)
    """
    order = [[layer, list(values)] for layer, values in state.items()]
    arrays = {
        _key(layer, name): np.ascontiguousarray(state[layer][name])
        for layer, names in order
        for name in names
    }
    metadata = {"format": _FORMAT, "order": json.dumps(order), "checksum": _checksum(arrays)}
    content = save(arrays, metadata=metadata)
    write_beside(path, lambda beside: Path(beside).write_bytes(content), len(content))


def load_state(path: str | os.PathLike) -> State:
    """Read a state from a file that `save_state` wrote.

    A file of a version that wrote no checksum yet is read as it is.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or cut short, or isn't a state's.

    >>> load_state("no such file")
    Traceback (most recent call last):
    ...
    FileNotFoundError: ...
    """
    try:
        return _read(path)
    except (OSError, _DamageError):
        raise
    except Exception as error:  # whatever the parts of a damaged file turn out to be
        raise ValueError(
            f"{path} can't be read as a state; it may be cut short or of another kind, or "
            f"damaged ({type(error).__name__}: {error})."
        ) from error


class _DamageError(ValueError):
    """What is wrong with a file, in words."""


def _read(path: str | os.PathLike) -> State:
    if os.path.isdir(path):
        raise IsADirectoryError(
            errno.EISDIR, "That is a folder, not the file of a state", str(path)
        )
    with safe_open(os.fspath(path), framework="numpy") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != _FORMAT:
            raise _DamageError(
                f"{path} isn't a state that this version can read: its format is "
                f"{metadata.get('format')!r}, expected {_FORMAT!r}."
            )
        order = json.loads(metadata["order"])
        arrays = {
            _key(layer, name): file.get_tensor(_key(layer, name))
            for layer, names in order
            for name in names
        }
        known = metadata.keys() <= _METADATA and arrays.keys() == set(file.keys())
    if not known or metadata.get("checksum", _checksum(arrays)) != _checksum(arrays):
        raise _DamageError(
            f"{path} is damaged: what it holds isn't what was written (its checksum differs). Read "
            "an intact copy of the file."
        )
    return State({layer: {n: arrays[_key(layer, n)] for n in names} for layer, names in order})


def _key(layer: str, name: str) -> str:
    return f"{layer}:{name}"


def _checksum(arrays: dict[str, np.ndarray]) -> str:
    """Return a text that other names, shapes, types or numbers would not give."""
    digest = hashlib.blake2b(digest_size=16)
    for name, array in arrays.items():
        digest.update(f"{name!r} {array.dtype} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
