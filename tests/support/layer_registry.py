"""Every recurrent layer, described once: the tests of what all of them promise loop over this."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from statewise import layers

FEATURES = 2


@keras.saving.register_keras_serializable(package="tests")
class Accumulator(keras.Layer):
    """A cell that floor 1 doesn't know: a leaky sum, and how many steps went into it.

    Its two states differ in size, its count begins at 1, and its output is not one of its states
    where it is scaled.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, 1]
        self.output_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.built = True

    def get_initial_state(self, batch_size=None):
        return [
            ops.zeros((batch_size, self.units), self.compute_dtype),
            ops.ones((batch_size, 1), self.compute_dtype),
        ]

    def call(self, x, states):
        total, count = states
        total = 0.7 * total + ops.tanh(ops.matmul(x, self.kernel)) / count
        return total, [total, count + 1]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Described(NamedTuple):
    """A recurrent layer.

    Attributes:
        make: takes the module that has the layers (ours or Keras's) and the options that all
            recurrent layers share; returns a new layer.
        both_ways: whether the last time step is needed for the first output.
    """

    make: Callable
    both_ways: bool = False


LAYERS = {
    "SimpleRNN": Described(lambda L, **k: L.SimpleRNN(3, **k)),
    "GRU": Described(lambda L, **k: L.GRU(3, **k)),
    "LSTM": Described(lambda L, **k: L.LSTM(3, **k)),
    "LayerNormLSTM": Described(lambda L, **k: L.LayerNormLSTM(3, **k)),
    "ProjectedLSTM": Described(lambda L, **k: L.ProjectedLSTM(4, 3, **k)),
    "MinGRU": Described(lambda L, **k: L.MinGRU(3, **k)),
    "MinLSTM": Described(lambda L, **k: L.MinLSTM(3, **k)),
    "stack": Described(
        lambda L, **k: L.RNN([L.GRUCell(3), L.LSTMCell(3), L.SimpleRNNCell(3)], **k)
    ),
    "stack of single states": Described(lambda L, **k: L.RNN([L.GRUCell(4), L.GRUCell(3)], **k)),
    "cell of the user's own": Described(lambda L, **k: L.RNN(Accumulator(3), **k)),
    "stack with the user's own": Described(
        lambda L, **k: L.RNN([L.LSTMCell(3), Accumulator(3)], **k)
    ),
    "stack of the further cells": Described(
        lambda L, **k: L.RNN(
            [L.MinLSTMCell(4), L.ProjectedLSTMCell(4, 2), L.LayerNormLSTMCell(3), L.MinGRUCell(3)],
            **k,
        )
    ),
    "both ways": Described(lambda L, **k: L.Bidirectional(L.LSTM(3, **k)), both_ways=True),
    "projected, both ways": Described(
        lambda L, **k: L.Bidirectional(L.ProjectedLSTM(4, 3, **k)), both_ways=True
    ),
}
ONE_WAY = [name for name, described in LAYERS.items() if not described.both_ways]


def new(name: str, rng=None, module=layers, **options):
    """Return a new layer; built and with random weights if a generator is given."""
    layer = LAYERS[name].make(module, **options)
    if rng is not None:
        layer.build((None, None, FEATURES))
        layer.set_weights([rng.normal(scale=0.5, size=w.shape) for w in layer.weights])
    return layer


def sequences(rng, batch=2, time=5):
    """Return random inputs ``(batch, time, features)``, float32."""
    return rng.normal(size=(batch, time, FEATURES)).astype("float32")


def numbers(value) -> np.ndarray:
    """Return one array, also for bfloat16, as float64."""
    return np.asarray(ops.convert_to_numpy(value), "float64")
