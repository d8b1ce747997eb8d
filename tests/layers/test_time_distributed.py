"""`TimeDistributed` against Keras's, folded into the batch or step by step."""

import keras
import numpy as np
import pytest

from parity import assert_same, call, copy_weights, randomise
from statewise import layers
from statewise.layers import Carry
from statewise.layers.time_distributed import folds

VECTORS = (3, 4, 2)  # (batch, time, features)
SEQUENCES = (3, 4, 5, 2)  # a sequence within every time step


def minus_batch_mean(a):
    """An activation that looks at the whole batch."""
    return a - keras.ops.mean(a, axis=0, keepdims=True)


INNER = {
    "Dense": (True, VECTORS, lambda K: K.Dense(3)),
    "Embedding": (True, (3, 4), lambda K: K.Embedding(7, 3)),
    "Conv1D": (True, SEQUENCES, lambda K: K.Conv1D(3, 2)),
    "nested": (True, SEQUENCES, lambda K: K.TimeDistributed(K.Dense(3))),
    "LSTM": (True, SEQUENCES, lambda K: K.LSTM(3)),
    "both ways": (True, SEQUENCES, lambda K: K.Bidirectional(K.GRU(3))),
    "model": (True, VECTORS, lambda K: keras.Sequential([K.Dense(3), K.ReLU()])),
    "Dropout": (False, VECTORS, lambda K: K.Dropout(0.5, seed=3)),
    "BatchNormalization": (False, VECTORS, lambda K: K.BatchNormalization()),
    "LSTM with dropout": (False, SEQUENCES, lambda K: K.LSTM(3, dropout=0.5, seed=1)),
    "activation over the batch": (False, VECTORS, lambda K: K.Dense(3, minus_batch_mean)),
    "softmax over the batch": (False, VECTORS, lambda K: K.Softmax(axis=0)),
    "model with both": (
        False,
        VECTORS,
        lambda K: keras.Sequential([K.BatchNormalization(), K.Dropout(0.5, seed=1)]),
    ),
}


def inputs_of(shape, rng):
    if len(shape) == 2:
        return rng.integers(0, 7, size=(*shape, 2))
    return rng.normal(size=shape).astype("float32")


@pytest.mark.parametrize("name", INNER)
def test_what_can_be_folded(name):
    folded, _, make = INNER[name]
    assert folds(make(keras.layers)) == folded
    assert folds(make(layers)) == folded


@pytest.mark.parametrize("name", [name for name in INNER if name != "Embedding"])
def test_it_computes_what_keras_does(name, rng):
    """Outputs, gradients, and what the inner layer keeps: seeds and moving averages."""
    _, shape, make = INNER[name]
    ours, theirs = (module.TimeDistributed(make(module)) for module in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build(shape)
    randomise(theirs, rng)
    copy_weights(theirs, ours)
    x = inputs_of(shape, rng)
    assert_same(call(ours, x, training=True), call(theirs, x, training=True))


def test_whole_numbers(rng):
    ours, theirs = (m.TimeDistributed(m.Embedding(7, 3)) for m in (layers, keras.layers))
    x = inputs_of((3, 4), rng)
    assert ours(x).shape == theirs(x).shape == (3, 4, 2, 3)
    copy_weights(theirs, ours)
    np.testing.assert_array_equal(ours(x), theirs(x))


@pytest.mark.parametrize("inner", ["Dropout", "BatchNormalization"])
def test_eager_calls_move_on_what_is_kept(inner, rng):
    _, shape, make = INNER[inner]
    ours, theirs = (module.TimeDistributed(make(module)) for module in (layers, keras.layers))
    for _ in range(2):
        x = inputs_of(shape, rng)
        np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), atol=1e-5)
    for mine, expected in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(mine.value, expected.value, atol=1e-6)


@pytest.mark.parametrize("inner", ["Dense", "BatchNormalization", "LSTM"])
def test_mixed_precision(inner, rng):
    _, shape, make = INNER[inner]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        ours, theirs = (module.TimeDistributed(make(module)) for module in (layers, keras.layers))
    finally:
        keras.config.set_dtype_policy(policy)
    for layer in (ours, theirs):
        layer.build(shape)
    copy_weights(theirs, ours)
    x = inputs_of(shape, rng)
    mine, expected = ours(x, training=True), theirs(x, training=True)
    assert mine.dtype == expected.dtype == "bfloat16"
    np.testing.assert_allclose(np.float32(mine), np.float32(expected), rtol=0.02, atol=0.02)
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        assert a.value.dtype == b.value.dtype
        np.testing.assert_allclose(a.value, b.value, atol=1e-5)


@pytest.mark.parametrize("inner", ["LSTM", "LSTM with dropout"])
def test_masks_reach_the_inner_layer(inner, rng):
    _, shape, make = INNER[inner]
    ours, theirs = (module.TimeDistributed(make(module)) for module in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build(shape)
    copy_weights(theirs, ours)
    x, mask = inputs_of(shape, rng), rng.random(shape[:3]) < 0.6
    np.testing.assert_allclose(ours(x, mask=mask), theirs(x, mask=mask), atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_outer_sequences_do_not_reach_inside(dropout, rng):
    """Resets, and the states of the layers around, belong to the outer time axis."""
    inner = layers.LSTM(3, dropout=dropout)
    layer, x = layers.TimeDistributed(inner), inputs_of(SEQUENCES, rng)
    expected = layer(x)
    with Carry({inner: None}, resets=rng.random(SEQUENCES[:2]) < 0.5) as carry:
        np.testing.assert_allclose(layer(x), expected, atol=1e-6)
    assert carry.final == {inner: None}


def test_a_stateful_inner_layer():
    inner = keras.Sequential([layers.LSTM(3, stateful=True, name="memory")], name="inner")
    with pytest.raises(ValueError, match=r"layer 'inner' .* is stateful \('memory'\).*=False"):
        layers.TimeDistributed(inner)


def test_a_mask_of_another_shape(rng):
    layer = layers.TimeDistributed(keras.layers.Dense(3))
    message = r"shape \(3, 5\); its first two axes must be \(batch, time\) = \(3, 4\)"
    with pytest.raises(ValueError, match=message):
        layer(inputs_of(VECTORS, rng), mask=np.ones((3, 5), bool))


@pytest.mark.parametrize("name", ["Dense", "BatchNormalization", "LSTM"])
def test_a_saved_model_computes_the_same(name, rng, tmp_path):
    _, shape, make = INNER[name]
    inputs = keras.Input((None, *shape[2:]))
    model = keras.Model(inputs, layers.TimeDistributed(make(layers))(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[1]) is layers.TimeDistributed
    assert model.output_shape[:2] == (None, None)
    x = inputs_of(shape, rng)
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)


@pytest.mark.parametrize("library", [layers, keras.layers])
def test_an_inner_layer_with_several_outputs(library, rng):
    inner = library.LSTM(3, return_sequences=True, return_state=True)
    inputs = keras.Input(SEQUENCES[1:])
    outputs = layers.TimeDistributed(inner)(inputs)
    assert [one.shape for one in outputs] == [(None, 4, 5, 3), (None, 4, 3), (None, 4, 3)]
    x = inputs_of(SEQUENCES, rng)
    found = keras.Model(inputs, outputs)(x)
    for step in range(SEQUENCES[1]):
        expected = inner(x[:, step])
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one[:, step], other, atol=1e-6)
