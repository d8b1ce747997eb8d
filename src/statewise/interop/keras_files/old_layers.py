"""Layers of today from the configurations that Keras 1 and 2 wrote."""

import inspect
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras

from statewise import layers
from statewise.interop.keras_files.faults import FileWarning
from statewise.interop.keras_files.old_fields import (
    AS_TODAY,
    IN_TRAINING_ALONE,
    KERAS1_FIELDS,
    RENAMED_CLASSES,
    WITHOUT_BEARING,
    activation_of,
    dtype_of,
    part_of,
)

_PARTS = ("initializer", "regularizer", "constraint")
_CUDNN = ("CuDNNLSTM", "CuDNNGRU")
_NO_CODE = {
    "Lambda": "holds code of its own, and no code is run from a file",
    "TFSMLayer": "runs a program of TensorFlow's from elsewhere",
    "TorchModuleWrapper": "holds a pickled object, and no code is run from a file",
}
_OF_TENSORFLOW = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod")


class Reading(NamedTuple):
    """What is known while a file is read.

    Attributes:
        path: of the file, for errors.
        version: 1 or 2: which Keras wrote it.
        custom: classes and functions of the user's own, by name.
    """

    path: Any
    version: int
    custom: Mapping[str, Any]


def layer_of(described: Mapping, reading: Reading) -> keras.Layer:
    """Return the layer that a configuration describes, with this package's recurrent layers.

    Args:
        described: ``class_name`` and ``config``.
        reading: of which file.

    Raises:
        ValueError: naming the layer, and the class, field or value that isn't known.
    """
    kind, config = class_and_config(described, reading)
    name = config.get("name")
    where = f"{reading.path}: layer {name!r} ({kind})" if name else f"{reading.path}: {kind}"
    if kind in _NO_CODE:
        raise ValueError(
            f"{where} {_NO_CODE[kind]}. Build the model in Python, and give it the weights of the "
            "file with load_weights."
        )
    if kind in _OF_TENSORFLOW:
        raise ValueError(
            f"{where} is an operation of TensorFlow's within the model, which isn't read. Build "
            "the model in Python, and give it the weights of the file with load_weights."
        )
    if kind == "TimeDistributedDense":
        inner = {"class_name": "Dense", "config": {**config, "name": f"{name}_dense"}}
        described = {"class_name": "TimeDistributed", "config": {"name": name, "layer": inner}}
        return layer_of(described, reading)
    if kind == "Merge":
        kind, config = _merge(config, where)
    cls = _class_named(kind, where, reading)
    try:
        fields = _fields(kind, cls, config, reading)
        made = cls(**fields)
    except ValueError as error:
        raise error if str(error).startswith(str(reading.path)) else _named(where, error) from error
    except Exception as error:  # whatever Keras makes of wrong values
        raise _named(where, error) from error
    return made


def class_and_config(described: Any, reading: Reading) -> tuple[str, dict]:
    """Return the name of a class and a copy of its configuration.

    Raises:
        ValueError: where that isn't what is described.
    """
    kind = described.get("class_name") if isinstance(described, Mapping) else None
    config = described.get("config") if isinstance(described, Mapping) else None
    if not isinstance(kind, str) or not isinstance(config, Mapping):
        raise ValueError(
            f"{reading.path}: a layer is described by its class and its configuration, but one is "
            f"{described!r:.120}. The file is damaged, or no model of Keras's."
        )
    return kind.rpartition(">")[2] if kind not in reading.custom else kind, dict(config)


def _class_named(kind: str, where: str, reading: Reading) -> type:
    if kind in reading.custom:
        return reading.custom[kind]
    today = RENAMED_CLASSES.get(kind, kind)
    found = None if today.startswith("_") else getattr(layers, today, None)
    if not (isinstance(found, type) and issubclass(found, keras.Layer)):
        raise ValueError(
            f"{where} is of a class that isn't known. Give it: custom_objects={{{kind!r}: ...}}"
        )
    return found


def _fields(kind: str, cls: type, config: dict, reading: Reading) -> dict[str, Any]:
    """Return the arguments of today's class; each field is understood, or named in an error."""
    if kind in reading.custom:
        return {name: value for name, value in config.items() if name != "batch_input_shape"}
    config = _by_todays_names(kind, config) if reading.version == 1 else dict(config)
    if kind in _CUDNN:
        config |= {"activation": "tanh", "recurrent_activation": "sigmoid"}
    if issubclass(cls, (keras.layers.GRU, keras.layers.GRUCell)):
        config.setdefault("reset_after", kind == "CuDNNGRU")
    if "alpha" in config and cls in (keras.layers.LeakyReLU,):
        config["negative_slope"] = config.pop("alpha")
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    accepted, fields = arguments_of(cls), {}
    for field, value in config.items():
        if field in accepted and field not in WITHOUT_BEARING - {"input_shape"}:
            fields[field] = _value(field, value, reading)
        elif not _says_nothing(kind, field, value, reading):
            raise ValueError(
                f"its field {field}={value!r:.120} isn't known. If it has no bearing on what the "
                "layer computes, take it out of the configuration; otherwise build the model in "
                "Python, and give it the weights of the file with load_weights."
            )
    return fields


def _value(field: str, value: Any, reading: Reading) -> Any:
    """Return what the value of a field is today."""
    ending = field.rpartition("_")[2]
    if ending in _PARTS:
        return part_of(f"{ending}s", value, reading.custom)
    if field in ("activation", "recurrent_activation"):
        return activation_of(value, reading.custom)
    if field == "dtype":
        return dtype_of(value)
    if field in ("layer", "cell", "backward_layer") and value is not None:
        return inner_layer(value, reading)
    if field == "cells":
        return [layer_of(one, reading) for one in value]
    return value


def inner_layer(described: Any, reading: Reading) -> keras.Layer:
    """Return the layer within a wrapper, which may be a model."""
    from statewise.interop.keras_files.old_graph import is_model, model_of

    if isinstance(described, list):
        return layer_of({"class_name": "StackedRNNCells", "config": {"cells": described}}, reading)
    if isinstance(described, Mapping) and is_model(described):
        return model_of(described, reading)
    return layer_of(described, reading)


def _says_nothing(kind: str, field: str, value: Any, reading: Reading) -> bool:
    """Whether a field that today's class hasn't makes no difference; a word where it makes some."""
    if field in WITHOUT_BEARING or field == "time_major":
        return True
    if field in ("input_dim", "input_length"):  # of the model's first layer: the input's shape
        return True
    if field == "forget_bias_init":  # how it began
        return True
    if field in AS_TODAY:
        return value in AS_TODAY[field] or kind in ("Input", "InputLayer")
    if field in IN_TRAINING_ALONE:
        if value not in IN_TRAINING_ALONE[field]:
            warnings.warn(
                f"{reading.path}: the field {field}={value!r} of {kind} isn't there today; trained "
                "further, the layer does without.",
                FileWarning,
                stacklevel=2,
            )
        return True
    empty = value is None or (field.rpartition("_")[2] in _PARTS and not value)
    return empty and reading.version == 1


def _by_todays_names(kind: str, config: dict) -> dict:
    """Return the fields of Keras 1 by today's names."""
    names = KERAS1_FIELDS[""] | KERAS1_FIELDS.get(kind, {})
    renamed = {names.get(field, field): value for field, value in config.items()}
    if "forget_bias_init" in renamed:
        renamed["unit_forget_bias"] = renamed["forget_bias_init"] == "one"
    return renamed


_MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
}


def _merge(config: dict, where: str) -> tuple[str, dict]:
    """Return the class and the configuration that Keras 1's ``Merge`` is by its mode."""
    mode = config.get("mode")
    raw = config.get("mode_type", "raw") == "raw" and not config.get("layers")
    if mode not in _MERGES or not raw:
        raise ValueError(
            f"{where} merges by mode={mode!r}, which isn't read; read are {', '.join(_MERGES)} in "
            "a functional model. Build the model in Python, and give it the weights of the file."
        )
    if mode == "concat":
        return "Concatenate", {"name": config.get("name"), "axis": config.get("concat_axis", -1)}
    return _MERGES[mode], {"name": config.get("name")}


def arguments_of(cls: type) -> set[str]:
    """Return the names of all arguments that a layer's class takes, those it hands on too."""
    found: set[str] = set()
    for base in cls.__mro__:
        if "__init__" in vars(base) and base is not object:
            for name, parameter in inspect.signature(vars(base)["__init__"]).parameters.items():
                if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                    found.add(name)
        if base is keras.Layer:
            break
    return found - {"self"}


def _named(where: str, error: Exception) -> ValueError:
    return ValueError(f"{where} can't be made: {error!s:.400}")
