"""A fitted estimator as one file: a zip of plain parts, nothing in it that runs when it's read.

``sequences.json`` has what was asked for and chosen, ``arrays.safetensors`` the weights and scales.
The zip's comment is a checksum of all before it. Who reads a file doesn't know where it comes from:
what it claims is compared with what it holds before a network is made of it.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from statewise._whole_files import written_whole
from statewise.sequences import DataError
from statewise.tasks.forecasting.serialization import limits
from statewise.tasks.forecasting.serialization.sums import checked_sum, summed

FORMAT = 1
_PARTS = ("sequences.json", "arrays.safetensors")
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
    held = io.BytesIO()
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(_PARTS[0], text)
        file.writestr(_PARTS[1], safetensors.numpy.save(arrays))
    with written_whole(path) as beside:
        beside.write_bytes(summed(held.getvalue()))


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
    if path.is_dir():
        raise DataError(f"{path} is a folder, and no file of a {kind}")
    data = path.read_bytes()
    with damage_told(path, kind):
        if not checked_sum(data):
            raise ValueError("its checksum is gone")
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            limits.check_parts({name: file.getinfo(name).file_size for name in _PARTS}, len(data))
            plain = json.loads(file.read(_PARTS[0]))
            if plain.get("format") != FORMAT:
                raise DataError(
                    f"{path} has the format {plain.get('format')!r:.40}, but this version of "
                    f"statewise reads format {FORMAT}: load it by the version that saved it, or "
                    "fit again"
                )
            if plain["kind"] != kind:
                raise DataError(f"{path} is the file of a {plain['kind']!r:.40}, not of a {kind}")
            arrays = safetensors.numpy.load(file.read(_PARTS[1]))
        for array in arrays.values():
            if array.dtype.kind not in "iuf":
                raise TypeError(f"an array is of {array.dtype}")
    return plain, arrays


@contextmanager
def damage_told(path: Any, kind: str) -> Iterator[None]:
    """Tell as a `DataError` whatever is wrong with a file: its readers raise all kinds of errors.

    >>> with damage_told("a.zip", "SequenceClassifier"):
    ...     {}["weights"]
    Traceback (most recent call last):
    ...
    statewise.sequences.tables.DataError: a.zip is no file of a SequenceClassifier, or is ...
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise DataError(
            f"{path} is no file of a {kind}, or is damaged: {what[:200] or type(error).__name__}"
        ) from None


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
