"""A state in a file of its own: safetensors, written whole or not at all."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from statewise.models.state import State

_FORMAT = "statewise-state-1"


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
    arrays = {
        f"{layer}:{name}": np.ascontiguousarray(array)
        for layer, values in state.items()
        for name, array in values.items()
    }
    order = [[layer, list(values)] for layer, values in state.items()]
    content = save(arrays, metadata={"format": _FORMAT, "order": json.dumps(order)})
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load_state(path: str | os.PathLike) -> State:
    """Read a state from a file that `save_state` wrote.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is cut short, or isn't a state's.

    >>> load_state("no such file")
    Traceback (most recent call last):
    ...
    FileNotFoundError: ...
    """
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise ValueError(
                    f"{path} isn't a state that this version can read: its format is "
                    f"{metadata.get('format')!r}, expected {_FORMAT!r}."
                )
            return State(
                {
                    layer: {name: file.get_tensor(f"{layer}:{name}") for name in names}
                    for layer, names in json.loads(metadata["order"])
                }
            )
    except SafetensorError as error:
        raise ValueError(
            f"{path} can't be read as a state; it may be cut short or of another kind ({error})."
        ) from error
