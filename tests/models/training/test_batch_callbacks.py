"""Callbacks of a batch are called when Keras calls them, with what Keras tells them."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)).astype("float32")
Y = RNG.normal(size=(50, 2)).astype("float32")


class Recorder(keras.callbacks.Callback):
    """Writes down every call, with the numbers of batches and the logs."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def _begin(self, name, batch):
        self.calls.append((name, batch, {}))

    def _end(self, name, batch, logs):
        self.calls.append((name, batch, {k: np.asarray(v) for k, v in logs.items()}))

    def on_train_batch_begin(self, batch, logs=None):
        self._begin("train begin", batch)

    def on_train_batch_end(self, batch, logs=None):
        self._end("train end", batch, logs)

    def on_test_batch_begin(self, batch, logs=None):
        self._begin("test begin", batch)

    def on_test_batch_end(self, batch, logs=None):
        self._end("test end", batch, logs)

    def on_predict_batch_begin(self, batch, logs=None):
        self._begin("predict begin", batch)

    def on_predict_batch_end(self, batch, logs=None):
        self._end("predict end", batch, logs)


def model_of(kind, steps_per_execution=1):
    inputs = layers.Input((3,))
    model = kind(inputs, layers.Dense(2, kernel_initializer="ones")(inputs))
    model.compile("sgd", "mse", metrics=["mae"], steps_per_execution=steps_per_execution)
    return model


def generator(batches, size=4):
    for i in range(batches):
        yield X[i * size : (i + 1) * size], Y[i * size : (i + 1) * size]


# 50 samples are 12 batches of 4 and one of 2: turns of 1, 3, 5 and 13 batches end with the epoch,
# are cut short by it, and reach over the smaller batch.
@pytest.mark.parametrize("steps_per_execution", [1, 3, 5, 13, 40])
def test_callbacks_are_called_as_by_keras(steps_per_execution):
    recorders, predictions, losses = [], [], []
    for kind in (sw.Model, keras.Model):
        model, recorder = model_of(kind, steps_per_execution), Recorder()
        options = {"batch_size": 4, "callbacks": [recorder], "verbose": 0}
        model.fit(X, Y, epochs=2, shuffle=False, validation_data=(X[:9], Y[:9]), **options)
        losses.append(model.evaluate(X, Y, **options))
        predictions.append(model.predict(X, **options))
        recorders.append(recorder)
    ours, theirs = (r.calls for r in recorders)
    assert [call[:2] for call in ours] == [call[:2] for call in theirs]
    for (*_, mine), (*_, stock) in zip(ours, theirs, strict=True):
        assert list(mine) == list(stock)
        for name in mine:
            np.testing.assert_allclose(mine[name], stock[name], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(*losses, rtol=1e-4)
    np.testing.assert_allclose(*predictions, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("steps_per_execution", [1, 3])
def test_turns_of_a_generator(steps_per_execution):
    model, recorder = model_of(sw.Model, steps_per_execution), Recorder()
    data = generator(12)
    model.fit(data, steps_per_epoch=4, epochs=2, shuffle=False, callbacks=[recorder], verbose=0)
    firsts = [0, 1, 2, 3] if steps_per_execution == 1 else [0, 3]
    begun = [batch for name, batch, _ in recorder.calls if name == "train begin"]
    ended = [batch for name, batch, _ in recorder.calls if name == "train end"]
    assert begun == firsts * 2
    assert ended == [first + steps_per_execution - 1 for first in firsts] * 2


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(
    ("method", "flag"), [("evaluate", "evaluating"), ("predict", "predicting")]
)
def test_a_callback_stops_after_its_batch(method, flag, size):
    class Stop(Recorder):
        def _end(self, name, batch, logs):
            super()._end(name, batch, logs)
            if len(self.calls) == 4:
                setattr(self.model, f"stop_{flag}", True)

    stop, model = Stop(), model_of(sw.Model, size)
    given = (X, Y) if method == "evaluate" else (X,)
    result = getattr(model, method)(*given, batch_size=4, callbacks=[stop], verbose=0)
    assert len(stop.calls) == 4
    if method == "predict":
        np.testing.assert_allclose(result, model(X[: 2 * size * 4]), rtol=1e-5)


def test_weights_that_a_callback_changes_serve_from_the_next_batch_on():
    class Doubles(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            kernel = self.model.layers[-1].kernel
            kernel.assign(kernel * 2)

    outputs = model_of(sw.Model).predict(X, batch_size=25, callbacks=[Doubles()], verbose=0)
    np.testing.assert_allclose(
        outputs[25:], 2 * X[25:].sum(axis=1, keepdims=True) + [0, 0], rtol=1e-4, atol=1e-5
    )


def test_without_callbacks_turns_change_nothing():
    weights = []
    for size in (1, 4):
        model = model_of(sw.Model, size)
        model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_turns_of_a_part_of_the_data():
    # Keras takes whole turns: 6 batches in the first epoch of 5, and what is left in the second.
    results = []
    for kind in (sw.Model, keras.Model):
        model, recorder = model_of(kind, 2), Recorder()
        model.fit(
            *(X[:40], Y[:40]),
            batch_size=4,
            steps_per_epoch=5,
            epochs=2,
            shuffle=False,
            callbacks=[recorder],
            verbose=0,
        )
        results.append(([call[:2] for call in recorder.calls], model.get_weights()))
    (calls, weights), (calls_of_keras, weights_of_keras) = results
    assert calls == calls_of_keras
    for one, other in zip(weights, weights_of_keras, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
