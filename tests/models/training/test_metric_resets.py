"""A metric is reset between epochs in its own way, wherever the model got it from."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers

X = np.arange(24, dtype="float32").reshape(8, 3) / 24
Y = X.sum(axis=1, keepdims=True)


class Agnostic(keras.metrics.MeanSquaredError):
    """Goes on from epoch to epoch."""

    def reset_state(self):
        pass


class FromOne(keras.metrics.Mean):
    """Begins each epoch at a count of one."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(keras.ops.abs(y_true - y_pred))

    def reset_state(self):
        super().reset_state()
        self.count.assign(1.0)


class Counting(keras.metrics.MeanAbsoluteError):
    """Counts its resets in Python."""

    resets = 0

    def reset_state(self):
        super().reset_state()
        type(self).resets += 1


def model_of(kind, metrics, *, own=False):
    class Own(kind):
        def __init__(self, *args):
            super().__init__(*args)
            self.own = metrics[0]

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            self.own.update_state(y, y_pred)
            return results | {self.own.name: self.own.result()}

    inputs = layers.Input((3,))
    model = (Own if own else kind)(
        inputs, layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs)
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=None if own else metrics)
    return model


@pytest.mark.parametrize("own", [False, True], ids=["compiled", "of the model"])
@pytest.mark.parametrize("metric", [Agnostic, FromOne])
def test_history_is_that_of_keras(metric, own):
    results = []
    for kind in (sw.Model, keras.Model):
        model = model_of(kind, [metric(name="m")], own=own)
        history = model.fit(X, Y, batch_size=4, epochs=4, shuffle=False, verbose=0).history
        validated = model.fit(
            X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0, validation_data=(X[:4], Y[:4])
        )
        results.append((history, validated.history, model.evaluate(X, Y, verbose=0)))
    ours, theirs = results
    for mine, stock in zip(ours[:2], theirs[:2], strict=True):
        assert list(mine) == list(stock)
        for name in mine:
            np.testing.assert_allclose(mine[name], stock[name], rtol=1e-5)
    np.testing.assert_allclose(ours[2], theirs[2], rtol=1e-5)


def test_a_reset_in_python_is_called_for_each_epoch():
    model = model_of(sw.Model, ["mse", Counting(name="m")])
    model.fit(X, Y, epochs=1, verbose=0)
    before = Counting.resets
    model.fit(X, Y, epochs=5, verbose=0)
    assert Counting.resets - before == 5


def test_a_reset_of_the_model_is_called_for_each_epoch():
    calls = []

    class Own(sw.Sequential):
        def reset_metrics(self):
            calls.append(1)
            super().reset_metrics()

    model = Own([layers.Input((3,)), layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    model.fit(X, Y, epochs=1, verbose=0)
    calls.clear()
    model.fit(X, Y, epochs=5, verbose=0)
    assert len(calls) == 5


def test_metrics_of_keras_leave_epochs_joined():
    model = model_of(sw.Model, ["mae", keras.metrics.RootMeanSquaredError()])
    model.fit(X, Y, epochs=2, verbose=0)
    assert model._programs.joins_epochs
