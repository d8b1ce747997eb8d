"""A fitted text generator as one file: a zip of plain parts, of which none runs when it's read.

``text.json`` has what was asked for, the tokens and the losses, ``arrays.safetensors`` the weights.
The zip's comment is a checksum of all before it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from statewise.models import Model
from statewise.tasks.forecasting.serialization import limits
from statewise.tasks.forecasting.serialization.parts import (
    ARRAYS,
    as_plain,
    packed,
    read_document,
    write_parts,
)
from statewise.tasks.text.network import Plan

KIND = "a text generator"
FORMAT = 1
DOCUMENT = "text.json"
_MOST_LAYERS = 64


def write(path: Any, plain: dict[str, Any], model: Model) -> None:
    """Write a fitted generator; an existing file is replaced when all is written.

    Raises:
        OSError: where the file can't be written.
    """
    arrays = {
        f"weight_{i}": np.asarray(variable.value)
        for i, variable in enumerate(model.trainable_variables)
    }
    text = json.dumps({"format": FORMAT, **plain}, default=as_plain)
    write_parts(path, {DOCUMENT: text, ARRAYS: packed(arrays)})


def read(path: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what a file of a generator says, and its arrays.

    Raises:
        DataError: where it's none, is damaged, or of another format.
        FileNotFoundError: where there is none.
    """
    return read_document(Path(path), KIND, DOCUMENT, FORMAT)


def check_sizes(plan: Plan, arrays: dict[str, np.ndarray]) -> None:
    """Refuse a network that is larger than what the file holds, before it's made.

    Raises:
        TypeError, ValueError: where it is.
    """
    held = limits.numbers_in(arrays)
    for name in ("tokens", "embedding", "units"):
        limits.check_count(getattr(plan, name), name, held)
    limits.check_count(plan.layers, "layers", _MOST_LAYERS)
    limits.check_count(plan.seed, "seed", 1 << 62, 0)
    limits.check_weights(plan.weights, held)
    for array in arrays.values():
        if array.dtype != np.float32:
            raise TypeError(f"an array is of {array.dtype}")


def give_weights(model: Model, arrays: dict[str, np.ndarray]) -> None:
    """Give a model the weights of a file.

    Raises:
        KeyError, ValueError: where one is missing, or of another shape.
    """
    for i, variable in enumerate(model.trainable_variables):
        limits.check_shape(arrays, f"weight_{i}", tuple(variable.shape))
        variable.assign(arrays[f"weight_{i}"])
