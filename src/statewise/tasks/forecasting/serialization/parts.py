"""What files of fitted estimators have in common: a zip of plain parts, and how damage is told.

Nothing in such a file runs when it's read. The zip's comment is a checksum of all before it.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from statewise._whole_files import written_whole
from statewise.sequences import DataError
from statewise.tasks.forecasting.serialization import limits
from statewise.tasks.forecasting.serialization.sums import checked_sum, summed

ARRAYS = "arrays.safetensors"


def write_parts(path: Any, parts: Mapping[str, str | bytes]) -> None:
    """Write a zip of parts by name; an existing file is replaced when all is written.

    Raises:
        OSError: where it can't be written.
    """
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            file.writestr(name, part)
    with written_whole(path) as beside:
        beside.write_bytes(summed(held.getvalue()))


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the part `ARRAYS`."""
    return safetensors.numpy.save({k: np.ascontiguousarray(a) for k, a in arrays.items()})


def as_plain(value: Any) -> Any:
    """Return what JSON doesn't know of itself: NumPy's numbers.

    >>> json.dumps({"units": np.int64(3)}, default=as_plain)
    '{"units": 3}'
    """
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} can't be saved")


def bytes_of(path: Path, what: str) -> bytes:
    """Return what is in a file.

    Args:
        path: of the file.
        what: should be in it, as "a forecaster".

    Raises:
        DataError: where it's a folder.
        FileNotFoundError: where there is none.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder, and no file of {what}")
    return path.read_bytes()


def read_document(
    path: Path, what: str, document: str, version: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the two parts of a file: a document of JSON, which tells its format, and arrays.

    Args:
        path: of the file.
        what: should be in it, as "a forecaster".
        document: the name of the part of JSON.
        version: of the format.

    Raises:
        DataError: where it is none, is damaged, or of another format.
        FileNotFoundError: where there is none.
    """
    data = bytes_of(path, what)
    names = (document, ARRAYS)
    with damage_told(path, what):
        if not checked_sum(data):
            raise ValueError("its checksum is gone")
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            limits.check_parts({name: file.getinfo(name).file_size for name in names}, len(data))
            plain = json.loads(file.read(document))
            if plain.get("format") != version:
                raise DataError(
                    f"{path} has the format {plain.get('format')!r:.40}, but this version of "
                    f"statewise reads format {version}: load it by the version that saved it, or "
                    "fit again"
                )
            return plain, safetensors.numpy.load(file.read(ARRAYS))


@contextmanager
def damage_told(path: Any, what: str) -> Iterator[None]:
    """Tell as a `DataError` whatever is wrong with a file: its readers raise all kinds of errors.

    Args:
        path: of the file.
        what: should be in it, as "a forecaster".

    >>> with damage_told("a.zip", "a forecaster"):
    ...     {}["weights"]
    Traceback (most recent call last):
    ...
    statewise.sequences.tables.DataError: a.zip is no file of a forecaster, or is damaged: ...
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise DataError(
            f"{path} is no file of {what}, or is damaged: {why[:200] or type(error).__name__}"
        ) from None
