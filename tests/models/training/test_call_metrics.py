"""Metrics that are updated while a model is called."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers

X = np.arange(8, dtype="float32")[:, None]
Y = np.zeros((8, 1))


class Watched(keras.layers.Layer):
    """Hands its inputs on, and keeps the mean and the count of what it has seen in training."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seen = keras.metrics.Mean(name="seen")
        self.steps = keras.metrics.Sum(name="steps")

    def call(self, inputs):
        self.seen.update_state(inputs)
        self.steps.update_state(1.0)
        return inputs


class OfTheModel(sw.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")
        self.seen = keras.metrics.Mean(name="seen")
        self.steps = keras.metrics.Sum(name="steps")

    def call(self, inputs):
        self.seen.update_state(inputs)
        self.steps.update_state(1.0)
        return self.dense(inputs)


def of_a_layer():
    return sw.Sequential([layers.Input((1,)), Watched(), layers.Dense(1)])


@pytest.mark.parametrize("make", [OfTheModel, of_a_layer], ids=["model", "layer"])
def test_they_are_reported(make):
    model = make()
    model.compile(keras.optimizers.SGD(0.001), "mse", metrics=["mae"])
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    for epochs in (1, 3):
        history = model.fit(X, Y, epochs=epochs, validation_data=(X[:4], Y[:4]), **options).history
        assert history["seen"] == pytest.approx([X.mean()] * epochs)
        assert history["steps"] == [2.0] * epochs
        assert history["val_seen"] == pytest.approx([X[:4].mean()] * epochs)
        assert all(history["mae"])
    results = model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)
    assert results["seen"] == pytest.approx(X.mean())
    assert results["steps"] == 2.0
    assert model.train_on_batch(X, Y, return_dict=True)["seen"] == pytest.approx(X.mean())


def test_the_weights_are_those_of_a_model_without_them():
    weights = []
    for watched in ([Watched()], []):
        keras.utils.set_random_seed(1)
        model = sw.Sequential([layers.Input((1,)), *watched, layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        model.fit(X, Y, epochs=4, batch_size=3, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
