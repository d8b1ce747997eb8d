"""A stateful layer in a model whose trainer drops its state says so."""

import warnings

import keras
import numpy as np
import pytest

import statewise
from statewise import layers


def stateful(kind=layers.LSTM, **options):
    return kind(3, stateful=True, name="lstm", **options)


def sequential(module):
    return module.Sequential(
        [layers.Input(batch_shape=(2, 4, 1)), stateful(), keras.layers.Dense(1)]
    )


def functional(module):
    inputs = layers.Input(batch_shape=(2, 4, 1))
    return module.Model(inputs, keras.layers.Dense(1)(stateful()(inputs)))


def both_ways(module):
    inner = layers.Bidirectional(layers.GRU(3, stateful=True, name="lstm"))
    return module.Sequential([layers.Input(batch_shape=(2, 4, 1)), inner, keras.layers.Dense(1)])


MODELS = [sequential, functional, both_ways]
CALLS = {
    "fit": lambda model, x, y: model.fit(x, y, batch_size=2, verbose=0),
    "evaluate": lambda model, x, y: model.evaluate(x, y, batch_size=2, verbose=0),
    "predict": lambda model, x, y: model.predict(x, batch_size=2, verbose=0),
    "train_on_batch": lambda model, x, y: model.train_on_batch(x[:2], y[:2]),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("make", MODELS)
def test_a_model_of_kerass_own_forgets_and_says_so(make, call, rng):
    model = make(keras)
    model.compile(loss="mse", optimizer="sgd")
    x, y = rng.normal(size=(4, 4, 1)).astype("float32"), np.zeros((4, 1))
    name = "Sequential" if isinstance(model, keras.Sequential) else "Model"
    with pytest.warns(UserWarning, match=rf"lstm' is in a model of Keras's own.*statewise\.{name}"):
        CALLS[call](model, x, y)


@pytest.mark.parametrize("make", MODELS)
def test_a_model_of_ours_does_not(make, rng):
    model = make(statewise)  # warnings are errors in the tests
    model.compile(loss="mse", optimizer="sgd")
    x, y = rng.normal(size=(4, 4, 1)).astype("float32"), np.zeros((4, 1))
    for call in CALLS.values():
        call(model, x, y)
    model.forecast(x, 2, window=4)


def test_what_forgets_nothing_is_quiet(rng):
    x = rng.normal(size=(2, 4, 1)).astype("float32")
    stateless = keras.Sequential([layers.Input((4, 1)), layers.LSTM(3)])
    stateless.predict(x, verbose=0)
    model = sequential(keras)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = model(x), model(x)  # called by hand, the layer keeps its state
    assert np.abs(np.asarray(first) - np.asarray(second)).max() > 0
    nested = statewise.Sequential([layers.Input(batch_shape=(2, 4, 1)), model])
    nested.layers[0].layers[0].reset_state()
    first, second = nested.predict(x, verbose=0), nested.predict(x, verbose=0)
    assert np.abs(first - second).max() > 0
