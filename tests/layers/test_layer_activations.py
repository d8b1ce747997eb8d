"""Layers with each activation that has a native kernel, against Keras's own."""

import keras
import pytest

from parity import assert_same, call, copy_weights, randomise
from some_slow import some_slow
from statewise import layers
from statewise.layers.arithmetic import arithmetic_of, is_pure
from statewise.recurrence import native
from statewise.recurrence.activations import ACTIVATIONS, GATE_ACTIVATIONS, old_hard_sigmoid
from statewise.recurrence.native.numbers import numbers_of

KERAS_NAMES = [name for name in ACTIVATIONS if hasattr(keras.activations, name)]
GATE_NAMES = [name for name in GATE_ACTIVATIONS if name in KERAS_NAMES]
SHAPE = (5, 7, 3)


@pytest.mark.parametrize("activation", [*KERAS_NAMES, None])
@pytest.mark.parametrize("name", some_slow(["LSTM", "GRU", "SimpleRNN"], 3))
def test_a_layer_computes_what_keras_does_with_every_activation(name, activation, rng):
    options = {"activation": activation, "return_sequences": True, "return_state": True}
    if name != "SimpleRNN":
        place = (KERAS_NAMES.index(activation) if activation else 0) % len(GATE_NAMES)
        options["recurrent_activation"] = GATE_NAMES[place]
    ours, theirs = (getattr(kind, name)(6, **options) for kind in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build(SHAPE)
    randomise(theirs, rng)
    theirs.set_weights([0.2 * w for w in theirs.get_weights()])
    copy_weights(theirs, ours)
    if native.available():
        assert numbers_of(arithmetic_of(ours.cell)) is not None
    x = rng.normal(size=SHAPE).astype("float32")
    assert_same(call(ours, x), call(theirs, x))


def test_the_hard_sigmoid_of_keras_1_and_2(rng):
    def written_out(x):
        return keras.ops.clip(0.2 * x + 0.5, 0, 1)

    ours = layers.LSTM(6, recurrent_activation=old_hard_sigmoid, return_sequences=True)
    theirs = keras.layers.LSTM(6, recurrent_activation=written_out, return_sequences=True)
    for layer in (ours, theirs):
        layer.build(SHAPE)
    randomise(theirs, rng)
    copy_weights(theirs, ours)
    assert is_pure(ours.cell)
    if native.available():
        assert numbers_of(arithmetic_of(ours.cell)).recurrent_activation == 6
    x = rng.normal(size=SHAPE).astype("float32")
    assert_same(call(ours, x), call(theirs, x))
    again = type(ours).from_config(ours.get_config())
    assert again.cell.recurrent_activation is old_hard_sigmoid


def test_a_function_of_ones_own_runs_too(rng):
    def own(x):
        return keras.ops.tanh(x) + 0.1 * x

    ours, theirs = (kind.LSTM(6, activation=own) for kind in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build(SHAPE)
    randomise(theirs, rng)
    copy_weights(theirs, ours)
    assert numbers_of(arithmetic_of(ours.cell)) is None
    x = rng.normal(size=SHAPE).astype("float32")
    assert_same(call(ours, x), call(theirs, x))
