"""A layer begins at the state it is given: by order, by name, and of its own samples and units."""

import keras
import numpy as np
import pytest

from layer_registry import ONE_WAY, new, sequences
from statewise import Model, Sequential, layers
from statewise.layers.arithmetic import array_names


def random_state(layer, rng, batch=2):
    arrays = keras.tree.flatten(layer.get_initial_state(batch))
    return [rng.normal(size=a.shape).astype("float32") for a in arrays]


@pytest.mark.parametrize("name", ONE_WAY)
def test_a_state_by_names_in_any_order(name, rng):
    layer, x = new(name, rng, return_state=True), sequences(rng)
    arrays = random_state(layer, rng)
    named = dict(reversed(list(zip(array_names(layer), arrays, strict=True))))
    nested = keras.tree.pack_sequence_as(layer._state_structure(), arrays)
    for ours, expected in zip(
        keras.tree.flatten(layer(x, initial_state=named)),
        keras.tree.flatten(layer(x, initial_state=nested)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, expected)
    with pytest.raises(ValueError, match=r"has entries .*; expected"):
        layer(x, initial_state={**named, "other": arrays[0]})


def test_the_entry_of_a_models_state(rng):
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    model = Sequential([layers.Input((None, 3)), layers.LSTM(3, name="lstm")])
    state = model.warm_up(x[:, :2])
    begun = model.layers[0](x[:, 2:], initial_state=state["lstm"])
    np.testing.assert_allclose(begun, model(x), atol=1e-6)
    with pytest.raises(ValueError, match=r"entries \['lstm'\]; expected .*state\[layer\.name\]"):
        model.layers[0](x, initial_state=state)


def test_names_in_a_model(rng):
    inputs, h, c = layers.Input((None, 2)), layers.Input((3,)), layers.Input((3,))
    layer = layers.LSTM(3)
    model = Model([inputs, h, c], layer(inputs, initial_state={"c": c, "h": h}))
    x, (h, c) = rng.normal(size=(2, 4, 2)), rng.normal(size=(2, 2, 3))
    expected = layer(x.astype("float32"), initial_state=[h, c])
    np.testing.assert_allclose(model.predict([x, h, c], verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "relu"])  # the kernels', and the reference's
@pytest.mark.parametrize(
    "change",
    [
        lambda h, c: [h, c[:, :1]],
        lambda h, c: [h[:, :2], c],
        lambda h, c: [h[:1], c[:1]],
        lambda h, c: [h, c[..., None]],
        lambda h, c: [h],
        lambda h, c: [h, c, c],
        lambda h, c: h,
        lambda h, c: [0.0, 0.0],
    ],
)
def test_a_state_of_other_shapes(change, activation, rng):
    layer = layers.LSTM(3, activation=activation)
    x, (h, c) = rng.normal(size=(2, 4, 2)).astype("float32"), rng.normal(size=(2, 2, 3))
    with pytest.raises(ValueError, match=r"of the shapes .* 2 samples .* 2 arrays \(2, \.\.\.\)"):
        layer(x, initial_state=change(h, c))
