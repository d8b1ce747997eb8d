"""`fit` for an epoch at drawn sizes and options: the weights are those of stock Keras's `fit`."""

import jax
import keras
import numpy as np
import pytest

from statewise import Sequential, layers

KINDS = ("SimpleRNN", "GRU", "LSTM")


def near(rng, *pieces):
    """Return a size one off a piece of the kernels' blocking, or anything up to the largest."""
    if rng.random() < 0.5:
        return int(max(1, rng.choice(pieces) + rng.integers(-1, 2)))
    return int(np.exp(rng.uniform(0, np.log(pieces[-1]))).round())


def configuration(seed):
    """Draw layers, data and an optimizer, of bounded work."""
    rng = np.random.default_rng(seed)
    while True:
        drawn = {
            "batch_size": near(rng, 1, 16, 32, 64, 128, 256, 512),
            "time": near(rng, 1, 2, 4, 8, 16, 32, 64),
            "features": near(rng, 1, 4, 8, 16, 32, 64),
            "units": near(rng, 1, 8, 12, 16, 20, 32, 64, 96, 128),
        }
        work = drawn["batch_size"] * drawn["time"] * drawn["units"] * (drawn["units"] + 1)
        if work < 2e7:
            break
    drawn["samples"] = int(drawn["batch_size"] * rng.integers(1, 4) + rng.integers(0, 3))
    drawn["kind"] = str(rng.choice(KINDS))
    drawn["stack"] = bool(rng.random() < 0.3)
    drawn["bidirectional"] = bool(rng.random() < 0.2)
    drawn["masked"] = bool(rng.random() < 0.3)
    drawn["sequences"] = bool(rng.random() < 0.5)
    options = {"use_bias": bool(rng.random() < 0.8)}
    options["go_backwards"] = bool(rng.random() < 0.2) and not drawn["bidirectional"]
    if drawn["masked"] and drawn["sequences"]:  # Keras's loss takes the mask in the wrong order
        options["go_backwards"] = False
    if drawn["kind"] == "GRU":
        options["reset_after"] = bool(rng.random() < 0.6)
    return drawn | {"options": options, "seed": seed}


def build(library, model_class, drawn):
    layer = getattr(library, drawn["kind"])
    made = []
    if drawn["masked"]:
        made.append(library.Masking())
    if drawn["stack"]:
        made.append(layer(5, return_sequences=True))
    own = layer(drawn["units"], return_sequences=drawn["sequences"], **drawn["options"])
    made.append(library.Bidirectional(own) if drawn["bidirectional"] else own)
    made.append(library.Dense(2))
    model = model_class([library.Input((drawn["time"], drawn["features"])), *made])
    optimizer = keras.optimizers.SGD(0.05, momentum=0.5)
    model.compile(loss="mse", optimizer=optimizer)
    return model


def assert_same_weights(seed):
    drawn = configuration(seed)
    rng = np.random.default_rng(seed)
    shape = (drawn["samples"], drawn["time"])
    x = rng.normal(size=(*shape, drawn["features"])).astype("float32")
    y = rng.normal(size=(*shape, 2) if drawn["sequences"] else (shape[0], 2)).astype("float32")
    if drawn["masked"]:
        x[rng.random(shape) < 0.3] = 0
    ours = build(layers, Sequential, drawn)
    stock = build(keras.layers, keras.Sequential, drawn)
    weights = [rng.normal(size=w.shape) * 0.6 * w.shape[0] ** -0.5 for w in ours.get_weights()]
    given = {"batch_size": drawn["batch_size"], "shuffle": False, "verbose": 0}
    losses = []
    for model in (ours, stock):
        model.set_weights(weights)
        losses.append(model.fit(x, y, **given).history["loss"])
    moved = 0.0
    for one, other, before in zip(ours.get_weights(), stock.get_weights(), weights, strict=True):
        moved = max(moved, np.abs(other - before).max())
        # What rounding makes of it is a part of how far the weights went.
        scale = np.abs(other - before).max() + 1e-2 * np.abs(before).max()
        assert np.abs(one - other).max() < 1e-3 * scale, drawn
    assert moved > 1e-4, drawn
    np.testing.assert_allclose(*losses, rtol=1e-5, err_msg=str(drawn))
    jax.clear_caches()
    keras.backend.clear_session()


@pytest.mark.parametrize("seed", range(2))
def test_an_epoch_gives_stock_keras_weights(seed):
    assert_same_weights(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_an_epoch_gives_stock_keras_weights_wherever_one_looks(part):
    for seed in range(1000 + 10 * part, 1010 + 10 * part):
        assert_same_weights(seed)
