"""Each layer, float32, against the cell in NumPy, float64."""

import jax
import numpy as np
import pytest

import numpy_cells
from statewise import layers

LAYERS = {
    "SimpleRNN": layers.SimpleRNN,
    "GRU": layers.GRU,
    "GRU, reset before": lambda *a, **k: layers.GRU(*a, reset_after=False, **k),
    "LSTM": layers.LSTM,
    "LayerNormLSTM": layers.LayerNormLSTM,
    "ProjectedLSTM": lambda units, **k: layers.ProjectedLSTM(units, 2, **k),
    "MinGRU": layers.MinGRU,
    "MinLSTM": layers.MinLSTM,
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("activation", "go_backwards"), [("tanh", False), ("relu", True)])
def test_a_layer_is_its_equations(name, activation, go_backwards, rng):
    layer = LAYERS[name](
        3,
        activation=activation,
        return_sequences=True,
        return_state=True,
        go_backwards=go_backwards,
    )
    layer.build((None, None, 2))
    weights = numpy_cells.random_weights(name, 2, 3, rng)
    weights = jax.tree.map(lambda w: 0.5 * w, weights)
    layer.set_weights(jax.tree.leaves(weights))
    x, mask = rng.normal(size=(4, 5, 2)).astype("float32"), rng.random((4, 5)) < 0.7
    begin = [a.astype("float32") for a in numpy_cells.random_state(name, 4, 3, rng)]
    outputs, *state = layer(x, initial_state=begin, mask=mask)
    expected, ends = numpy_cells.run(
        name,
        x,
        begin,
        weights,
        mask=mask,
        go_backwards=go_backwards,
        activation=activation,
    )
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
    for array, end in zip(state, ends, strict=True):
        np.testing.assert_allclose(array, end, rtol=1e-5, atol=1e-5)
