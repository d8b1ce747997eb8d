"""Which cells floor 1 computes, and which stay as they are."""

import jax
import keras
import numpy as np
import pytest

from layer_registry import Accumulator, sequences
from statewise import layers, recurrence
from statewise.layers.arithmetic import arithmetic_of, is_pure, weights_of


class OwnLSTMCell(keras.layers.LSTMCell):
    """Computes something else than its parent."""

    def call(self, inputs, states, training=False):
        output, states = super().call(inputs, states, training)
        return 2 * output, states


class OwnCellOfOurs(layers.LSTMCell):
    """The same, made of a cell of ours."""

    def call(self, inputs, states, training=False):
        output, states = super().call(inputs, states, training)
        return 2 * output, states


class NamedCell(layers.LSTMCell):
    """Computes what its parent does."""


@pytest.mark.parametrize("module", [layers, keras.layers])
def test_cells_of_keras_and_ours_are_known(module):
    assert arithmetic_of(module.LSTMCell(3)) == recurrence.LSTM()
    assert arithmetic_of(module.SimpleRNNCell(3)) == recurrence.SimpleRNN()
    known = arithmetic_of(module.GRUCell(3, reset_after=False))
    assert known == recurrence.GRU(reset_after=False)


def test_other_cells_are_not():
    assert arithmetic_of(OwnLSTMCell(3)) is None
    assert arithmetic_of(OwnCellOfOurs(3)) is None
    assert arithmetic_of(NamedCell(3)) == recurrence.LSTM()
    assert arithmetic_of(Accumulator(3)) is None


@pytest.mark.parametrize("own", [OwnLSTMCell, OwnCellOfOurs])
def test_a_cell_that_computes_something_else_is_run_as_it_is(own, rng):
    ours, theirs = layers.RNN(own(3)), keras.layers.RNN(OwnLSTMCell(3))
    x = sequences(rng)
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-6)


def test_an_activation_with_weights_is_read_in_every_call(rng):
    """An eager call is compiled once for all of its form; the slope must not stay in there."""
    slope = keras.layers.PReLU(alpha_initializer="ones")
    slope.build((None, 3))
    layer, x = layers.SimpleRNN(3, slope, kernel_initializer="ones"), -abs(sequences(rng))
    linear = layer(x)
    slope.set_weights([np.zeros(3)])
    assert not is_pure(layer.cell)
    assert np.any(linear)
    assert not np.any(layer(x))


def test_new_weights_are_used_in_the_next_call(rng):
    layer, x = layers.GRU(3), sequences(rng)
    layer(x)
    layer.set_weights([0 * w for w in layer.get_weights()])
    assert not np.any(layer(x))


def test_weights_come_in_the_precision_of_the_arithmetic():
    cell = layers.LSTMCell(3, dtype="mixed_bfloat16")
    cell.build((None, 2))
    assert {w.dtype.name for w in jax.tree.leaves(weights_of(cell))} == {"bfloat16"}
    assert weights_of(cell).kernel.shape == (2, 12)
    without = layers.LSTMCell(3, use_bias=False)
    without.build((None, 2))
    assert weights_of(without).bias is None
