"""A checksum in each HDF5 file of weights, so that a flipped bit doesn't load as another weight."""

import hashlib
import os
from pathlib import Path

import h5py  # type: ignore[import-untyped]  # it has no types
import numpy as np

_NAME = "statewise_checksum"
_ENDINGS = (".h5", ".hdf5")


class DamagedFileError(OSError, ValueError):
    """A file of weights that isn't what was written.

    An `OSError` as HDF5's own, since Keras's ``BackupAndRestore`` knows by that that it has to take
    the backup before.
    """


def seal(path: str | os.PathLike) -> None:
    """Note in an HDF5 file what it holds; Keras passes over the note. Other files stay as they are.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "some.weights.h5")
    >>> with h5py.File(path, "w") as file:
    ...     _ = file.create_dataset("weights", data=np.ones(3))
    >>> seal(path)
    >>> check_seals(path)
    """
    if Path(path).suffix in _ENDINGS:
        with h5py.File(path, "r+") as file:
            file.attrs[_NAME] = _checksum(file)


def check_seals(path: str | os.PathLike) -> None:
    """Refuse HDF5 files that don't hold what was written; those without a checksum pass.

    Args:
        path: of a file, of the folder of a model, or of the ``.weights.json`` that names the parts
            of weights.

    Raises:
        DamagedFileError: naming the file.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(path.rglob("*.h5"))
    elif path.name.endswith(".weights.json"):
        start = path.name.removesuffix(".weights.json")
        files = sorted(p for p in path.parent.glob("*.weights.h5") if p.name.startswith(start))
    else:
        files = [path]
    for file in files:
        if file.suffix in _ENDINGS and file.is_file():
            _check(file)


def _check(path: Path) -> None:
    try:
        with h5py.File(path, "r") as file:
            noted = file.attrs.get(_NAME)
            whole = noted is None or noted == _checksum(file)
    except Exception as error:  # whatever HDF5 makes of a damaged file
        raise DamagedFileError(
            f"{path} can't be read as a file of weights; it's damaged, cut short or of another "
            f"kind ({type(error).__name__}: {error})."
        ) from error
    if not whole:
        raise DamagedFileError(
            f"{path} is damaged: what it holds isn't what was written (its checksum differs). Load "
            "an intact copy of the file."
        )


def _checksum(file: h5py.File) -> str:
    """Return a text that other names, attributes, shapes, types or numbers would not give."""
    digest = hashlib.blake2b(digest_size=16)

    def add(name, thing):
        attributes = {k: np.asarray(v).tolist() for k, v in thing.attrs.items() if k != _NAME}
        digest.update(f"{name!r} {sorted(attributes.items())!r} ".encode())
        if isinstance(thing, h5py.Dataset):
            digest.update(f"{thing.dtype} {thing.shape} ".encode())
            digest.update(np.asarray(thing).tobytes())

    add("", file)
    file.visititems(add)
    return digest.hexdigest()
