"""`load`: a model from a file of any Keras, with the recurrent layers of this package."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from statewise import layers, models
from statewise._keras_compat import load_saved
from statewise._runtime.forks import check_not_forked
from statewise.interop.keras_files import hdf5
from statewise.interop.keras_files.archives import SIGNATURE, read_archive, read_numbered
from statewise.interop.keras_files.old_files import (
    compile_from,
    read_old_config,
    read_old_file,
)
from statewise.interop.keras_files.parsing import parsed
from statewise.interop.keras_files.sizes import check_sizes
from statewise.interop.keras_files.today import LAYERS, MODELS, checked, to_ours
from statewise.models import seals

_WEIGHTS_BESIDE = (".weights.h5", ".h5", ".hdf5", "_weights.h5", "_weights.hdf5")
_LARGEST_JSON = 1 << 28


def load(
    path: str | os.PathLike,
    *,
    weights: str | os.PathLike | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
) -> keras.Model:
    """Load a model from a file of Keras 1, 2 or 3; its recurrent layers become this package's.

    The weights are those of the file, exactly, and the outputs to rounding. What a file is, its
    first bytes say, not its name:

    * ``.keras`` of Keras 2 and 3, with compile settings and what the optimizer had gathered;
    * ``.h5`` of Keras 1, 2 and 3, of whole models, likewise where Keras 3 has the same;
    * ``.json`` of Keras 1, 2 and 3 with the weights in another file.

    No code is run from a file: layers and functions that hold some (``Lambda``) are refused. What
    of a file has no counterpart is named, in an error, or in a `FileWarning` where it makes no
    difference to the outputs.

    Args:
        path: of the file.
        weights: of the file of weights that belongs to a ``.json``; by default the one beside it
            with the same name and the ending ``.weights.h5``, ``.h5`` or ``_weights.h5``.
        custom_objects: classes and functions of your own, by the names that the file gives them.
        compile: whether to compile the model as it was.

    Returns:
        A `statewise.Sequential` or `statewise.Model`; of files that the model's own class wrote,
        that.

    Raises:
        ValueError: naming the file and what is wrong with it or not known of it.
        FileNotFoundError: where there is none.

    >>> import tempfile
    >>> from keras import layers
    >>> stock = keras.Sequential([layers.Input((5, 2)), layers.LSTM(3)])
    >>> path = os.path.join(tempfile.mkdtemp(), "stock.keras")
    >>> stock.save(path)
    >>> type(load(path).layers[0])
    <class 'statewise.layers.rnn.LSTM'>
    """
    check_not_forked()
    path, custom = Path(path), dict(custom_objects or {})
    if path.is_dir():
        return _folder(path, custom, compile)
    with open(path, "rb") as file:
        start = file.read(256)
    if weights is not None and not start.lstrip()[:1] == b"{":
        raise ValueError(
            f"{path} is no .json of a model, so it has its weights in it; leave weights= out."
        )
    if start.startswith(SIGNATURE):
        return read_archive(path, custom, compile)
    if start.startswith(hdf5.SIGNATURE):
        return _hdf5(path, custom, compile)
    if start.lstrip()[:1] == b"{":
        return _json(path, weights, custom)
    raise ValueError(f"{path} isn't a model in a form that is read: {_told(path, start)}")


def _told(path: Path, start: bytes) -> str:
    """Say what a file is that isn't read."""
    if not start:
        return "it's empty. Load an intact copy of the file."
    if start.startswith(b"\x80") or path.suffix in (".pkl", ".pickle", ".joblib"):
        return "it's a pickle, which runs code when it's read. Save the model as .keras or .h5."
    if path.suffix in (".yaml", ".yml"):
        return "YAML can run code when it's read. Save the configuration with to_json."
    if path.suffix == ".pb":
        return f"it's a part of a SavedModel. {_SAVED_MODEL}"
    if path.suffix == ".onnx":
        return (
            "ONNX files are written, and not read. Load the model that it was made of: .keras, .h5 "
            "or .json, or a PyTorch module by from_torch."
        )
    if path.suffix in (".keras", ".h5", ".hdf5", ".json"):
        return (
            f"it begins with {start[:8]!r}, as no {path.suffix} file does. It's damaged, or no "
            "file of Keras's."
        )
    return (
        "read are .keras, .h5 and .json files of Keras 1, 2 and 3. A Forecaster is loaded by "
        "Forecaster.load, weights by a model's load_weights."
    )


_SAVED_MODEL = (
    "A SavedModel holds a program of TensorFlow's and not the layers. Where TensorFlow is, load "
    "it with tf_keras (pip install tf_keras), tf_keras.models.load_model(path), save that as "
    '"model.h5", and load that file.'
)


def _folder(path: Path, custom: Mapping[str, Any], compile: bool) -> keras.Model:
    if (path / "saved_model.pb").exists() or (path / "saved_model.pbtxt").exists():
        raise ValueError(f"{path} is a SavedModel, which isn't read. {_SAVED_MODEL}")
    if (path / "config.json").is_file():
        return read_archive(path, custom, compile)
    raise ValueError(f"{path} is a folder, and no model's: there is no config.json in it.")


def _hdf5(path: Path, custom: Mapping[str, Any], compile: bool) -> keras.Model:
    with hdf5.opened(path, path) as file:
        if "model_config" not in file.attrs:
            raise ValueError(
                f"{path} holds weights and no model: it has no configuration. Give it as weights= "
                "beside the model's .json, or build the model in Python and call "
                "model.load_weights."
            )
        seals.check_seals(path)
        version = hdf5.text_of(file.attrs, "keras_version")
        if _number(version) < 3:
            return read_old_file(file, path, _number(version), custom, compile)
        config = parsed(hdf5.text_of(file.attrs, "model_config"), f"{path} (model_config)")
        checked(config, path, custom)
        check_sizes(config, file, path)
    return _of_today(path, custom, compile)


def _of_today(path: Path, custom: Mapping[str, Any], compile: bool) -> keras.Model:
    """Return the model of a ``.h5`` that Keras 3 wrote: it names classes without their modules."""
    ours = {name: getattr(layers, name) for name in LAYERS}
    ours |= {name: getattr(models, name) for name in MODELS if hasattr(models, name)}
    try:
        model = load_saved(str(path), custom_objects=ours | dict(custom), compile=False)
    except MemoryError:
        raise
    except Exception as error:  # whatever Keras makes of it
        raise ValueError(
            f"{path} can't be loaded as a model: {type(error).__name__}: {error!s:.800}"
        ) from error
    if compile:  # Keras 3 itself fails on the names of losses that it wrote
        with hdf5.opened(path, path) as file:
            compile_from(file, model, None, path, custom)
    return model


def _json(path: Path, weights, custom: Mapping[str, Any]) -> keras.Model:
    if path.stat().st_size > _LARGEST_JSON:
        raise ValueError(f"{path} is too large for a model's configuration.")
    config = parsed(path.read_bytes(), path)
    beside = _weights_beside(path, weights)
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ValueError(f"{path} isn't a model's configuration: it has no class_name.")
    if "module" in config:
        checked(config, path, custom)
        config = {**config, "compile_config": None}
        try:
            model = keras.saving.deserialize_keras_object(to_ours(config), custom)
            seals.check_seals(beside)
            model.load_weights(beside)
        except Exception as error:
            raise ValueError(
                f"{path} and {beside} can't be loaded as a model: {type(error).__name__}: "
                f"{error!s:.800}"
            ) from error
        return model
    version = _number(config.get("keras_version"))
    with hdf5.opened(beside, beside) as file:
        group = file.get("model_weights", file)
        numbered = "layers" in file and hdf5.names_of(group.attrs, "layer_names") is None
        if not numbered:
            return read_old_config(config, group, path, beside, version, custom)[0]
        check_sizes(config, file, beside)
    if not beside.name.endswith(".weights.h5"):
        raise ValueError(
            f"{beside} has weights as save_weights writes them into .weights.h5 files: rename it, "
            f"to {path.stem}.weights.h5."
        )
    return read_numbered(config, path, beside, custom)


def _weights_beside(path: Path, weights) -> Path:
    if weights is not None:
        if not Path(weights).is_file():
            raise FileNotFoundError(f"there is no file of weights {weights}")
        return Path(weights)
    for ending in _WEIGHTS_BESIDE:
        beside = path.with_name(path.stem + ending)
        if beside.is_file():
            return beside
    raise ValueError(
        f"{path} is a model's configuration, without its weights, and there is no "
        f"{path.stem}.h5 beside it. Name the file: load({path.name!r}, weights=...)."
    )


def _number(version: Any) -> int:
    """Return 1, 2 or 3 from the version of Keras; the first wrote none at first."""
    first = str(version).partition(".")[0] if version is not None else "1"
    if first not in ("0", "1", "2", "3"):
        raise ValueError(f"a file of Keras {version!r:.40} isn't known")
    return max(1, int(first))
