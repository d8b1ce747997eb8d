"""A fitted text generator as one file: a zip of plain parts, of which none runs when it's read.

``text.json`` has what was asked for, the tokens and the losses, ``arrays.safetensors`` the weights.
The zip's comment is a checksum of all before it.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from statewise._whole_files import written_whole
from statewise.models import Model
from statewise.sequences.tables import DataError
from statewise.tasks.forecasting.serialization import limits
from statewise.tasks.forecasting.serialization.sums import checked_sum, summed
from statewise.tasks.text.network import Plan

FORMAT = 1
_PARTS = ("text.json", "arrays.safetensors")
_MOST_LAYERS = 64


def write(path: Any, plain: dict[str, Any], model: Model) -> None:
    """Write a fitted generator; an existing file is replaced when all is written.

    Raises:
        OSError: where the file can't be written.
    """
    arrays = {
        f"weight_{i}": np.ascontiguousarray(variable.value)
        for i, variable in enumerate(model.trainable_variables)
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("text.json", json.dumps({"format": FORMAT, **plain}, default=_plain))
        file.writestr("arrays.safetensors", safetensors.numpy.save(arrays))
    with written_whole(path) as beside:
        beside.write_bytes(summed(held.getvalue()))


def _plain(value: Any) -> Any:
    """Return what JSON doesn't know of itself: NumPy's numbers, set after ``fit``."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} can't be saved")


def read(path: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what a file of a generator says, and its arrays.

    Raises:
        DataError: where it's none, is damaged, or of another format.
        FileNotFoundError: where there is none.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder, and no file of a text generator")
    data = path.read_bytes()
    try:
        if not checked_sum(data):
            raise ValueError("its checksum is gone")
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            limits.check_parts({name: file.getinfo(name).file_size for name in _PARTS}, len(data))
            plain = json.loads(file.read("text.json"))
            arrays = safetensors.numpy.load(file.read("arrays.safetensors"))
    except Exception as error:  # its readers raise all kinds of errors
        raise damaged(path, error) from None
    if plain.get("format") != FORMAT:
        raise DataError(
            f"{path} has the format {plain.get('format')!r:.40}, but this version of statewise "
            f"reads format {FORMAT}: load it by the version that saved it, or fit again"
        )
    return plain, arrays


def damaged(path: Any, error: Exception) -> DataError:
    """Return the error for a file that can't be read."""
    what = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
    return DataError(
        f"{path} is no file of a text generator, or is damaged: "
        f"{what[:200] or type(error).__name__}"
    )


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
