"""Files of whole models that Keras 1 and 2 wrote: configuration, weights, training."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no types
import keras

from statewise.interop.keras_files.hdf5 import text_of
from statewise.interop.keras_files.old_arrays import give_weights
from statewise.interop.keras_files.old_graph import model_of
from statewise.interop.keras_files.old_layers import Reading
from statewise.interop.keras_files.old_slots import give_named
from statewise.interop.keras_files.old_training import compile_as_it_was
from statewise.interop.keras_files.parsing import parsed
from statewise.interop.keras_files.sizes import check_sizes
from statewise.interop.keras_files.time_major import batch_first


def read_old_file(
    file: h5py.File, path: Path, version: int, custom: Mapping[str, Any], compile: bool
) -> keras.Model:
    """Return the model of an HDF5 file of Keras 1 or 2.

    Args:
        file: opened.
        path: of it.
        version: 1 or 2.
        custom: classes and functions of the user's own, by name.
        compile: whether to compile it as it was.

    Raises:
        ValueError: naming the file, and what is wrong with it.
    """
    config = parsed(text_of(file.attrs, "model_config"), f"{path} (model_config)")
    group = file.get("model_weights", file)
    model, names = read_old_config(config, group, path, path, version, custom)
    if compile:
        compile_from(file, model, names, path, custom)
    return model


def compile_from(
    file: h5py.File, model: keras.Model, names: Mapping | None, path: Path, custom: Mapping
) -> None:
    """Compile a loaded model as a file says, if it says so.

    Args:
        file: opened.
        model: with its weights.
        names: its trained variables by their names in the file, for what the optimizer gathered.
        path: of the file.
        custom: classes and functions of the user's own, by name.
    """
    training = text_of(file.attrs, "training_config")
    if training is not None:
        training = parsed(training, f"{path} (training_config)")
        group = file.get("optimizer_weights")
        gathered = None
        if isinstance(group, h5py.Group):
            gathered = partial(give_named, group=group, names=names, path=path)
        compile_as_it_was(model, training, gathered, path, custom)


def read_old_config(
    config: Any, group: h5py.Group, path: Path, weights: Path, version: int, custom: Mapping
) -> tuple[keras.Model, dict[str, keras.Variable] | None]:
    """Return a model of Keras 1 or 2 from its configuration and its weights.

    Args:
        config: of the model.
        group: with the weights.
        path: of the file with the configuration.
        weights: of the file with the weights.
        version: 1 or 2.
        custom: classes and functions of the user's own, by name.

    Returns:
        The model, and its trained variables by their names in the file; None instead of these where
        they don't correspond one to one.

    Raises:
        ValueError: naming the file, and what is wrong with it.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"{path} isn't a model of Keras: its configuration is {config!r:.80}.")
    reading = Reading(path, version, custom)
    config = batch_first(config, reading)
    check_sizes(config, group, path)
    model = model_of(config, reading)
    return model, give_weights(model, group, version, weights)
