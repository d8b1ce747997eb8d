"""Models of Keras 2 whose arrays were ``(time, batch, features)``: told with the batch first."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from statewise.interop.keras_files.faults import FileWarning

# Layers that treat every step of every sample alike.
_ALIKE = set(
    "InputLayer Input Dense Dropout Activation LayerNormalization Embedding Masking Add Multiply "
    "Average Maximum Concatenate GaussianNoise GaussianDropout ReLU LeakyReLU ELU Softmax".split()
)
_RECURRENT = set("SimpleRNN GRU LSTM RNN CuDNNGRU CuDNNLSTM".split())
_HOLDERS = set("Bidirectional Sequential Model Functional".split())
_CELLS = set("SimpleRNNCell GRUCell LSTMCell StackedRNNCells".split())


def batch_first(config: Mapping, reading) -> Mapping:
    """Return a model's configuration with the samples before the time steps.

    Where every recurrent layer is time-major and every other layer treats all steps alike, the
    model is the same one with the first two axes of inputs and sequences exchanged. A `FileWarning`
    says so. Other models are returned as they are.

    Raises:
        ValueError: where some layers are time-major and others aren't, or one mixes the axes.
    """
    found = list(_layers(config))
    majors = [fields for kind, fields in found if kind in _RECURRENT and fields.get("time_major")]
    if not majors:
        return config
    minors = [f for kind, f in found if kind in _RECURRENT and not f.get("time_major")]
    known = _ALIKE | _RECURRENT | _HOLDERS | _CELLS
    others = [(kind, f) for kind, f in found if kind not in known and "activation" not in kind]
    others = [(kind, fields) for kind, fields in others if _is_layer(kind)]
    if minors or others:
        kind, fields = others[0] if others else ("recurrent", minors[0])
        raise ValueError(
            f"{reading.path}: layer {majors[0].get('name')!r} is time-major, its arrays (time, "
            f"batch, features), and beside it layer {fields.get('name')!r} ({kind}) isn't or may "
            "mix these axes. Here all arrays are (batch, time, features): build the model so in "
            "Python, and give it the weights of the file with load_weights."
        )
    warnings.warn(
        f"{reading.path}: the model took and gave sequences as (time, batch, features). As loaded "
        "it takes and gives (batch, time, features): exchange the first two axes.",
        FileWarning,
        stacklevel=2,
    )
    return _exchanged(config)


def _is_layer(kind: str) -> bool:
    import keras

    found = getattr(keras.layers, kind, None)
    known = isinstance(found, type) and issubclass(found, keras.Layer)
    return known or not hasattr(keras.initializers, kind)


def _layers(config: Any) -> Iterator[tuple[str, Mapping]]:
    """Yield the class and the fields of all layers, those within others too, and of models."""
    if isinstance(config, list):
        for one in config:
            yield from _layers(one)
    elif isinstance(config, Mapping):
        kind, fields = config.get("class_name"), config.get("config")
        if isinstance(kind, str) and isinstance(fields, (Mapping, list)):
            yield kind.rpartition(">")[2], fields if isinstance(fields, Mapping) else {}
            inner = fields if isinstance(fields, list) else _within(fields)
            yield from _layers(inner)


def _within(fields: Mapping) -> list:
    return [fields.get(name) for name in ("layers", "layer", "backward_layer", "cell", "cells")]


def _exchanged(config: Any) -> Any:
    if isinstance(config, list):
        return [_exchanged(one) for one in config]
    if not isinstance(config, Mapping):
        return config
    changed = {name: _exchanged(value) for name, value in config.items()}
    for field in ("batch_input_shape", "batch_shape", "build_input_shape"):
        shape = changed.get(field)
        if isinstance(shape, list) and len(shape) >= 2 and not isinstance(shape[0], list):
            changed[field] = [shape[1], shape[0], *shape[2:]]
    return {name: value for name, value in changed.items() if name != "time_major"}
