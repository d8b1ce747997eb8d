"""Which models the native step runs: chains of layers, however they were written."""

import numpy as np
import pytest

from statewise import Model, Sequential, layers
from statewise.recurrence.native import available
from statewise.streams.engines import CompiledEngine, NativeEngine, engine_of
from statewise.streams.live_layers import live_layers

needs_extension = pytest.mark.skipif(not available(), reason="no native extension")


def functional():
    inputs = layers.Input((None, 3))
    inner = Sequential([layers.Input((None, 4)), layers.GRU(5, return_sequences=True)])
    hidden = inner(layers.LSTM(4, return_sequences=True)(inputs))
    return Model(inputs, layers.TimeDistributed(layers.Dense(2))(layers.Dropout(0.5)(hidden)))


def with_a_short_cut():
    inputs = layers.Input((None, 3))
    hidden = layers.LSTM(3, return_sequences=True)(inputs)
    return Model(inputs, layers.Dense(2)(layers.add([inputs, hidden])))


def twice_the_same_layer():
    inputs = layers.Input((None, 3))
    dense = layers.Dense(3, activation="tanh")
    return Model(inputs, dense(layers.GRU(3, return_sequences=True)(dense(inputs))))


def with_two_outputs():
    inputs = layers.Input((None, 3))
    hidden = layers.LSTM(3, return_sequences=True)(inputs)
    return Model(inputs, [layers.Dense(2)(hidden), hidden])


@needs_extension
def test_a_functional_chain_is_stepped_natively_and_computes_the_same(rng):
    model = functional()
    assert [type(layer).__name__ for layer in live_layers(model)] == ["LSTM", "GRU", "Dense"]
    x = rng.normal(size=(2, 3)).astype("float32")
    state = [rng.normal(size=(2, n)).astype("float32") for n in (4, 4, 5)]
    engine = engine_of(model, True)
    assert isinstance(engine, NativeEngine)
    (ours, after), (theirs, others) = (
        one.step(x[:, None], [a.copy() for a in state])
        for one in (engine, CompiledEngine(model, True))
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for mine, other in zip(after, others, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)


@pytest.mark.parametrize("make", [with_a_short_cut, twice_the_same_layer, with_two_outputs])
def test_what_is_no_chain_is_not_taken_for_one(make):
    assert live_layers(make()) is None
