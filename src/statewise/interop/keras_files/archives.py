"""``.keras`` files of Keras 3 (and those of Keras 2.13 and later): archives of three parts."""

import io
import json
import stat
import warnings
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import keras

from statewise._keras_compat import load_archive
from statewise.interop.keras_files import hdf5, today
from statewise.interop.keras_files.old_graph import model_of
from statewise.interop.keras_files.old_layers import Reading
from statewise.interop.keras_files.old_slots import give_numbered
from statewise.interop.keras_files.old_training import compile_as_it_was
from statewise.interop.keras_files.parsing import parsed
from statewise.interop.keras_files.sizes import check_sizes
from statewise.interop.keras_files.time_major import batch_first

SIGNATURE = b"PK\x03\x04"
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LARGEST_CONFIG = 1 << 28
# A part may be that much larger than what is stored of it; Keras stores parts as they are.
_EXPANSION = 100
_SMALL = 1 << 24


def read_archive(path: Path, custom: Mapping[str, Any], compile: bool) -> keras.Model:
    """Return the model of a ``.keras`` file, or of a folder of the same parts, with our layers.

    Raises:
        ValueError: naming the file, and what is wrong with it.
    """
    parts = _parts_of_folder(path) if path.is_dir() else _parts(path)
    for name in (_CONFIG, _METADATA):
        if name not in parts:
            raise ValueError(f"{path} isn't a model of Keras: there is no {name!r} in it.")
    config = parsed(parts[_CONFIG], f"{path} ({_CONFIG})")
    metadata = parsed(parts[_METADATA], f"{path} ({_METADATA})")
    version = metadata.get("keras_version") if isinstance(metadata, Mapping) else None
    if not isinstance(config, Mapping) or not isinstance(config.get("config"), Mapping):
        raise ValueError(f"{path} isn't a model of Keras: its configuration is {config!r:.80}.")
    old = str(version).startswith("2")
    today.checked(config, path, custom, old=old)
    if _WEIGHTS in parts:
        with hdf5.opened(io.BytesIO(parts[_WEIGHTS]), f"{path} ({_WEIGHTS})") as file:
            if old:
                check_sizes(config, file, path)
    if old:
        return _of_keras2(config, parts.get(_WEIGHTS), path, custom, compile)
    if not compile:
        config = {**config, "compile_config": None}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            changed = json.dumps(today.to_ours(config)).encode() if name == _CONFIG else content
            archive.writestr(name, changed)
    packed.seek(0)
    del parts
    try:
        with warnings.catch_warnings():
            # Of a model that wasn't trained yet: its optimizer has gathered nothing.
            untrained = r"Skipping variable loading .* saved optimizer has 2 variables"
            warnings.filterwarnings("ignore", untrained, UserWarning)
            return load_archive(packed, custom_objects=dict(custom), compile=compile)
    except MemoryError:
        raise
    except Exception as error:  # whatever Keras makes of it
        raise ValueError(
            f"{path} can't be loaded as a model: {type(error).__name__}: {error!s:.800}"
        ) from error


def _of_keras2(
    config: Mapping, weights: bytes | None, path: Path, custom: Mapping[str, Any], compile: bool
):
    """Return the model of an archive of Keras 2: of old are its configuration and its optimizer."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder of Keras 2, which isn't read: save it as a file.")
    if weights is None:
        raise ValueError(f"{path} has no {_WEIGHTS!r} in it: it's cut short, or no model of Keras.")
    model = read_numbered(config, path, path, custom)
    training = config.get("compile_config")
    if compile and training:
        with hdf5.opened(io.BytesIO(weights), f"{path} ({_WEIGHTS})") as file:
            gathered = partial(give_numbered, config=config, file=file, path=path)
            compile_as_it_was(model, training, gathered, path, custom)
    return model


def read_numbered(config: Any, path: Path, weights: Path, custom: Mapping[str, Any]) -> Any:
    """Return a model of Keras 2 whose weights have numbers for names, as since its version 2.12.

    Args:
        config: of the model.
        path: of the file with the configuration.
        weights: of the file with the weights, which may be the same.
        custom: classes and functions of the user's own, by name.

    Raises:
        ValueError: naming the file, and what is wrong with it.
    """
    if b'"CuDNN' in json.dumps(config).encode():
        raise ValueError(
            f"{path} has CuDNNLSTM or CuDNNGRU, of which the weights are read out of .h5 files "
            "alone. Where TensorFlow is, load it with tf_keras and save it as .h5."
        )
    reading = Reading(path, 2, custom)
    model = model_of(batch_first(config, reading), reading)
    try:
        model.load_weights(weights)
    except Exception as error:  # whatever Keras makes of it
        raise ValueError(
            f"{weights}: its weights don't fit its layers ({error!s:.400})."
        ) from error
    return model


def _parts(path: Path) -> dict[str, bytes]:
    """Return the parts of an archive, each looked at before it's read."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
            _check(listed, path)
            return {one.filename: archive.read(one) for one in listed if not one.is_dir()}
    except ValueError as error:
        if str(error).startswith(str(path)):
            raise
        raise _damaged(path, error) from error
    except MemoryError:
        raise
    except Exception as error:  # zipfile's, zlib's and struct's, whatever a damaged archive brings
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(
        f"{path} is damaged: it can't be read as an archive ({error}). Load an intact copy of the "
        "file."
    )


def _check(listed: list[zipfile.ZipInfo], path: Path) -> None:
    names = [one.filename for one in listed]
    if len(set(names)) != len(names):
        raise ValueError(f"{path} has two parts of one name: it's damaged, or made to deceive.")
    size = path.stat().st_size
    for one in listed:
        place = PurePosixPath(one.filename)
        outside = place.is_absolute() or ".." in place.parts or "\\" in one.filename
        if outside or ":" in one.filename or stat.S_ISLNK(one.external_attr >> 16):
            raise ValueError(
                f"{path} has a part {one.filename!r}, which leads out of the file; it isn't loaded."
            )
        largest = max(_SMALL, _EXPANSION * one.compress_size)
        config = place.suffix == ".json" and one.file_size > _LARGEST_CONFIG
        if one.file_size > largest or one.compress_size > size or config:
            raise ValueError(
                f"{path} says that its part {one.filename!r} has {one.file_size:,} bytes, but "
                f"holds {one.compress_size:,}: it's damaged, or made to fill the memory."
            )
    total = sum(one.file_size for one in listed)
    if total > max(4 * _SMALL, _EXPANSION * size):
        raise ValueError(
            f"{path} has {size:,} bytes, and says that they are {total:,}: it's made to fill the "
            "memory."
        )


def _parts_of_folder(path: Path) -> dict[str, bytes]:
    """Return the parts of a folder that Keras saved with ``zipped=False``."""
    return {
        one.relative_to(path).as_posix(): one.read_bytes()
        for one in sorted(path.rglob("*"))
        if one.is_file() and not one.is_symlink()
    }
