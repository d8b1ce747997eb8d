"""A model that is pickled or copied keeps its weights, and the state that it carries."""

import copy
import pickle

import numpy as np
import pytest

from statewise import Model, Sequential, layers

X = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")


def functional():
    inputs = layers.Input((None, 2))
    return Model(inputs, layers.Dense(2)(layers.GRU(3, return_sequences=True)(inputs)))


def stateful():
    return Sequential([layers.Input(batch_shape=(3, 5, 2)), layers.LSTM(4, stateful=True)])


def plain():
    return Sequential([layers.Input((None, 2)), layers.LSTM(4)])


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("make", [plain, functional, stateful])
@pytest.mark.parametrize("copied", [through_pickle, copy.deepcopy])
def test_what_goes_on_from_a_state_does_so_in_a_copy(make, copied):
    model = make()
    assert copied(model).count_params() == model.count_params()  # without a state
    model.step(X)
    other = copied(model)
    np.testing.assert_array_equal(other.step(X)[0], model.step(X)[0])
    if make is stateful:
        np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    other.reset_states()
    first = copied(other).step(X)[0]
    assert np.abs(np.asarray(first) - np.asarray(model.step(X)[0])).max() > 1e-4
