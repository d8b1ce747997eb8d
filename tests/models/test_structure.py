"""What was compiled for a model serves it only while the model is made of the same layers."""

import keras
import numpy as np
import pytest

from statewise import Sequential, layers
from statewise._keras_compat import structure_of


@pytest.fixture
def x(rng):
    return rng.normal(size=(3, 6, 2)).astype("float32")


def all_results(model, x) -> dict:
    """Return what every compiled way of running a model gives for the same inputs."""
    return {
        "predict": model.predict(x, verbose=0),
        "predict_on_batch": model.predict_on_batch(x),
        "in two batches": model.predict(x, batch_size=2, verbose=0),
        "step": model.step(x, model.initial_state(3))[0],
        "forecast": model.forecast(x, 2)[:, 0],
        "windowed": model.forecast(x, 2, window=6)[:, 0],
        "evaluate": model.evaluate(x, x, verbose=0),
        "test_on_batch": model.test_on_batch(x, x),
    }


def assert_what_it_is_now(model, x):
    now = np.asarray(model(x))
    loss = ((now - x) ** 2).mean()
    last = {"forecast": now[:, -1], "windowed": now[:, -1], "evaluate": loss, "test_on_batch": loss}
    for way, result in all_results(model, x).items():
        np.testing.assert_allclose(result, last.get(way, now), atol=1e-5, err_msg=way)


def other_output(model):
    model.pop()
    model.add(layers.Dense(2, activation="relu"))


def without_weights(model):
    model.pop()
    model.add(layers.Activation("tanh"))


def taken_off(model):
    model.pop()


def inside(model):
    model.layers[1].pop()
    model.layers[1].add(layers.Dense(2, activation="relu"))


def other_trained_layers(model):
    model.layers[1].trainable = not model.layers[1].trainable
    model.layers[2].trainable = not model.layers[2].trainable


@pytest.mark.parametrize(
    "change", [other_output, without_weights, taken_off, inside, other_trained_layers]
)
def test_layers_that_are_no_longer_there_are_not_run(change, x):
    inner = keras.Sequential([layers.Input((None, 2)), layers.Dense(2), layers.Dense(2)])
    model = Sequential([layers.Input((None, 2)), layers.GRU(2, return_sequences=True)])
    for layer in (inner, layers.Dense(2), layers.Dense(2)):
        model.add(layer)
    model.layers[1].trainable = False
    model.compile(loss="mse", optimizer="sgd")
    all_results(model, x)
    change(model)
    assert_what_it_is_now(model, x)


def test_what_stays_the_same_is_compiled_once(x):
    model = Sequential([layers.Input((None, 2)), layers.GRU(2, return_sequences=True)])
    before = structure_of(model)
    all_models = []
    for _ in range(2):
        model.step(x, model.initial_state(3))
        model.forecast(x, 2)
        all_models.append((model._compiled_step, model._forecast_program))
    assert all_models[0] == all_models[1]
    assert structure_of(model) == before  # what is kept makes no part of the model


def test_training_goes_on_after_a_change(x):
    keras.utils.set_random_seed(3)
    model = Sequential([layers.Input((None, 2)), layers.GRU(2, return_sequences=True)])
    model.add(layers.Dense(2))
    model.compile(loss="mse", optimizer="sgd")
    model.fit(x, x, verbose=0)
    model.pop()
    model.add(layers.Dense(2, activation="relu"))
    model.compile(loss="mse", optimizer="sgd")
    history = model.fit(x, x, epochs=3, verbose=0, shuffle=False)
    assert history.history["loss"][-1] < history.history["loss"][0]
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x), atol=1e-6)
