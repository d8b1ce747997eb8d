"""Today's layer classes under their old names."""

import functools
from typing import Any

import keras

from statewise import layers
from statewise._keras_compat import note_input_shape
from statewise.interop.keras1.layers._first_input import take_shape
from statewise.interop.keras1.spelling import OldName, rename

_WEIGHTS = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "W_constraint": "kernel_constraint",
    "b_regularizer": "bias_regularizer",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
    "output_dim": "units",
}
# The arguments that Keras 1 spelt in another way, for the layers of the first class that fits.
_RENAMED = {
    keras.layers.RNN: _WEIGHTS
    | {
        "inner_init": "recurrent_initializer",
        "inner_activation": "recurrent_activation",
        "U_regularizer": "recurrent_regularizer",
        "dropout_W": "dropout",
        "dropout_U": "recurrent_dropout",
    },
    keras.layers.Dense: _WEIGHTS,
    keras.layers.Embedding: {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
    },
    keras.layers.Dropout: {"p": "rate"},
    keras.layers.InputLayer: {"input_shape": "shape", "batch_input_shape": "batch_shape"},
}


@functools.cache
def old_layer(name: str) -> Any:
    """Return what a layer's name stands for in old code.

    That is a class which takes the old arguments and makes today's layer; `keras.Layer` (to derive
    from) and what is no class are themselves.

    Raises:
        AttributeError: for a name that isn't there.
    """
    today = getattr(layers, name)
    is_layer = isinstance(today, type) and issubclass(today, keras.Layer)
    if not is_layer or today is keras.Layer:
        return today
    body = {
        "__doc__": f"`statewise.layers.{name}`, by its old arguments too.",
        "__module__": "statewise.interop.keras1.layers",
        "today": today,
        "_make": classmethod(_make_layer),
    }
    return OldName(name, (today,), body)


def _make_layer(cls, construct, args, kwargs):
    is_input = issubclass(cls.today, keras.layers.InputLayer)
    shape = None if is_input else take_shape(cls.today, kwargs)
    for kind, names in _RENAMED.items():
        if issubclass(cls.today, kind):
            kwargs = rename(kwargs, names, cls.__name__)
    layer = construct(*args, **kwargs)
    if shape is not None:
        # Where Keras's Sequential looks for it; the batch size beside it is for ours.
        note_input_shape(layer, shape[1:])
        layer._input_batch_size = shape[0]
    return layer
