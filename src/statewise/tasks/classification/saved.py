"""A fitted estimator as one file: a zip of plain parts, nothing in it that runs when it's read.

``sequences.json`` has what was asked for and chosen, ``arrays.safetensors`` the weights and scales.
The zip's comment is a checksum of all before it. Who reads a file doesn't know where it comes from:
what it claims is compared with what it holds before a network is made of it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from statewise.sequences import DataError
from statewise.tasks.forecasting.serialization import limits
from statewise.tasks.forecasting.serialization.parts import (
    ARRAYS,
    damage_told,
    packed,
    read_document,
    write_parts,
)

FORMAT = 1
DOCUMENT = "sequences.json"
_MOST = 1_000_000  # of units, features, outputs


def write(path: Any, plain: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write the parts of a fitted estimator; an existing file is replaced when all is written.

    Args:
        path: of the file.
        plain: what JSON can hold, and NumPy's numbers.
        arrays: by name.

    Raises:
        DataError: where labels, keys or names are of a type that no file can hold.
        OSError: where the file can't be written.
    """
    try:
        text = json.dumps({"format": FORMAT, **plain}, default=_plain)
    except TypeError as error:
        raise DataError(f"it can't be saved: {error}") from None
    write_parts(path, {DOCUMENT: text, ARRAYS: packed(arrays)})


def read(path: Any, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what `write` was given.

    Args:
        path: of the file.
        kind: the name of the class whose file it must be.

    Raises:
        DataError: where it is none, is damaged, or of another format.
        FileNotFoundError: where there is none.
    """
    path = Path(path)
    plain, arrays = read_document(path, f"a {kind}", DOCUMENT, FORMAT)
    with damage_told(path, f"a {kind}"):
        if plain["kind"] != kind:
            raise DataError(f"{path} is the file of a {plain['kind']!r:.40}, not of a {kind}")
        for array in arrays.values():
            if array.dtype.kind not in "iuf":
                raise TypeError(f"an array is of {array.dtype}")
    return plain, arrays


def check_architecture(told: dict[str, Any], cells: tuple[str, ...]) -> dict[str, Any]:
    """Return what a file says of its networks, once it's known to be possible.

    Raises:
        ValueError, KeyError: where it isn't.
    """
    for name in ("features", "outputs", "units", "layers"):
        limits.check_count(told[name], name, 64 if name == "layers" else _MOST)
    if told["cell"] not in cells:
        raise ValueError(f"it has the cell {told['cell']!r:.40}")
    for name in ("bidirectional", "per_step"):
        if not isinstance(told[name], bool):
            raise ValueError(f"it has {name}={told[name]!r:.40}")
    return told


def _plain(value: Any) -> Any:
    """Return what JSON doesn't know of itself: NumPy's numbers."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r:.80} is of {type(value).__name__}, which no file can hold")
