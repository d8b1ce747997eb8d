"""`fit` leaves the samples of a stateful model in their order, unless it's told to shuffle."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers

X = np.random.default_rng(0).normal(size=(24, 3, 1)).astype("float32")
Y = X.sum(axis=1)


class Rows(keras.utils.PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


def fitted(data, *, stateful, **options):
    keras.utils.set_random_seed(3)
    model = sw.Sequential([layers.Input((3, 1)), layers.LSTM(2, stateful=stateful)])
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    model.fit(*data, epochs=2, verbose=0, **options)
    return np.concatenate([w.ravel() for w in model.get_weights()])


@pytest.mark.parametrize("data", [(X, Y), (Rows(),)], ids=["arrays", "dataset"])
@pytest.mark.parametrize("stateful", [True, False])
def test_the_default_order(data, stateful):
    options = {"batch_size": 4} if len(data) == 2 else {}
    default = fitted(data, stateful=stateful, **options)
    as_given = fitted(data, stateful=stateful, shuffle=False, **options)
    shuffled = fitted(data, stateful=stateful, shuffle=True, **options)
    assert np.array_equal(default, as_given) == stateful
    assert np.array_equal(default, shuffled) == (not stateful)
