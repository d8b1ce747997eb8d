import keras
import numpy as np
import pytest

from statewise import layers
from statewise.models import Sequential
from statewise.recurrence import CELLS
from statewise.tasks.forecasting.local_model.ensemble import LEARNING_RATE, Blocks, side_by_side

NETWORKS, UNITS = 3, 2
LAYERS = {
    "lstm": (layers.LSTM, 4),
    "gru": (layers.GRU, 3),
    "rnn": (layers.SimpleRNN, 1),
}


def alone(model, cell, k):
    """Return network k as a model of its own, with the weights it has side by side."""
    layer, gates = LAYERS[cell]
    one = Sequential(
        [layers.Input((None, 1)), layer(UNITS, return_sequences=True), layers.Dense(1)]
    )
    units = slice(k * UNITS, (k + 1) * UNITS)

    def of(matrix, rows):
        apart = matrix.reshape(*matrix.shape[:-1], gates, NETWORKS * UNITS)
        return apart[..., rows, :, units].reshape(-1, gates * UNITS)

    kernel, recurrent, bias, dense, constant = model.get_weights()
    biases = bias.reshape(*bias.shape[:-1], gates, -1)[..., units].reshape(*bias.shape[:-1], -1)
    one.set_weights(
        [
            of(kernel, slice(k, k + 1)),
            of(recurrent, units),
            biases,
            dense[units, k : k + 1],
            constant[k : k + 1],
        ]
    )
    one.compile(loss="mse", optimizer=keras.optimizers.Adam(LEARNING_RATE))
    return one


@pytest.mark.parametrize("cell", CELLS)
def test_side_by_side_is_each_alone(cell, rng):
    model = side_by_side(cell, networks=NETWORKS, units=UNITS, seed=7)
    ones = [alone(model, cell, k) for k in range(NETWORKS)]
    x = rng.normal(size=(2, 9, NETWORKS)).astype("float32")
    before = model.predict(x, verbose=0)
    for k, one in enumerate(ones):
        np.testing.assert_allclose(before[..., k], one(x[..., k : k + 1])[..., 0], atol=1e-6)

    model.fit(x[:, :-1], x[:, 1:], epochs=10, verbose=0, shuffle=False)
    after = model.predict(x, verbose=0)
    assert np.abs(after - before).max() > 0.01
    one = ones[1]
    one.fit(x[:, :-1, 1:2], x[:, 1:, 1:2], epochs=10, verbose=0, shuffle=False)
    np.testing.assert_allclose(after[..., 1], one(x[..., 1:2])[..., 0], atol=1e-3)


@pytest.mark.parametrize("kind", ["glorot_uniform", "orthogonal"])
def test_blocks(kind):
    draw = Blocks(kind, 3, 2, seed=5)
    matrix = np.asarray(draw((6, 12)))  # 3 networks of 2 rows and 2 gates of 2 columns
    blocks = matrix.reshape(3, 2, 2, 3, 2)
    for row in range(3):
        for column in range(3):
            block = blocks[row, :, :, column].reshape(2, 4)
            assert (block != 0).all() if row == column else (block == 0).all()
    first = blocks[0, :, :, 0].reshape(2, 4)
    if kind == "orthogonal":
        np.testing.assert_allclose(first @ first.T, np.eye(2), atol=1e-6)
    else:
        assert np.abs(matrix).max() <= 1
    assert not np.array_equal(first, blocks[1, :, :, 1].reshape(2, 4))
    np.testing.assert_array_equal(matrix, Blocks.from_config(draw.get_config())((6, 12)))


def test_seeds():
    weights = [
        side_by_side("rnn", networks=2, units=2, seed=seed).get_weights() for seed in (0, 0, 1)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_refuses():
    with pytest.raises(ValueError, match=r"cell='tcn': it must be one of lstm, gru, rnn"):
        side_by_side("tcn", networks=1, units=1)
    with pytest.raises(ValueError, match="networks=0, units=1: both must be at least 1"):
        side_by_side("lstm", networks=0, units=1)
