"""Which models the native live step serves, and their layers as it takes them."""

import keras
import numpy as np

from statewise import layers
from statewise._keras_compat import Functional, call_of
from statewise.layers.arithmetic import arithmetic_of, weights_of
from statewise.models.structure import recurrent_layers
from statewise.recurrence.native import Dense, available
from statewise.recurrence.native.numbers import ACTIVATION_NUMBERS, numbers_of

# Layers that do nothing outside training.
_IDLE = (keras.layers.InputLayer, keras.layers.Dropout, keras.layers.GaussianNoise)
_RECURRENT = (layers.SimpleRNN, layers.GRU, layers.LSTM)
_ACTIVATIONS = {
    getattr(keras.activations, name): name
    for name in ACTIVATION_NUMBERS
    if hasattr(keras.activations, name)
}


def live_layers(model: keras.Model) -> list[keras.Layer] | None:
    """Return the layers that the native live step runs for a model, or None if it doesn't serve.

    It serves a chain (a `Sequential`, or a functional model that is one) of this package's LSTM,
    GRU and SimpleRNN with activations that the kernels know, of dense layers (in
    ``TimeDistributed`` or not) and dropout, in float32, where the extension is built.

    >>> from statewise import Sequential
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(3), layers.Dense(1)])
    >>> [layer.name for layer in live_layers(model) or []]  # doctest: +SKIP
    ['gru', 'dense']
    """
    chain = _chain(model) if available() else None
    if chain is None:
        return None
    stack = []
    for layer in chain:
        if type(layer) in (layers.TimeDistributed, keras.layers.TimeDistributed):
            layer = layer.layer
            if type(layer) is not keras.layers.Dense:
                return None
        if type(layer) in _IDLE:
            continue
        if not _serves(layer):
            return None
        stack.append(layer)
    return stack if recurrent_layers(model) == [s for s in stack if type(s) in _RECURRENT] else None


def live_layer(layer: keras.Layer):
    """Return one of them as `live_step` takes it, with its weights as they are now."""
    if type(layer) in _RECURRENT:
        return arithmetic_of(layer.cell), weights_of(layer.cell)
    kernel, bias = layer.kernel, layer.bias
    return Dense(
        np.asarray(kernel.value),
        None if bias is None else np.asarray(bias.value),
        _ACTIVATIONS[layer.activation],
    )


def _chain(model: keras.Model) -> list[keras.Layer] | None:
    """Return the layers of a model in their order; None if they aren't one after the other."""
    if isinstance(model, keras.Sequential):
        parts = model.layers
    elif isinstance(model, Functional) and len(model.inputs) == len(model.outputs) == 1:
        parts, tensor = [], model.outputs[0]
        while tensor is not model.inputs[0]:
            call = call_of(tensor)
            # Something besides the sequence, an initial state say, makes it more than a chain.
            if call.layer in parts or call.others or len(call.inputs) != 1:
                return None
            parts.insert(0, call.layer)
            tensor = call.inputs[0]
    else:
        return None
    chain = []
    for part in parts:
        inner = _chain(part) if isinstance(part, keras.Model) else [part]
        if inner is None:
            return None
        chain += inner
    return chain


def _serves(layer: keras.Layer) -> bool:
    if layer.compute_dtype != "float32" or layer.variable_dtype != "float32":
        return False
    if type(layer) in _RECURRENT:
        cell = arithmetic_of(layer.cell)
        return not layer.go_backwards and cell is not None and numbers_of(cell) is not None
    return (
        type(layer) is keras.layers.Dense
        and layer.activation in _ACTIVATIONS
        and layer.quantization_mode is None
        and not layer.lora_enabled
    )
