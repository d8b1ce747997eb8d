"""`run_eagerly=True` and `jit_compile=False`: the same numbers, step by step, as values."""

import jax
import keras
import numpy as np
import pytest

from statewise import Model, Sequential, layers

EAGER = ({"run_eagerly": True}, {"jit_compile": False})


def data(samples=21, time=4):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples, time, 2)).astype("float32")
    return x, rng.normal(size=(samples, 1)).astype("float32")


def network(units=3, **options):
    keras.utils.set_random_seed(0)
    model = Sequential([layers.Input((4, 2)), layers.LSTM(units), layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), **options)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("options", EAGER)
def test_everything_gives_what_the_compiled_programs_give(options):
    x, y = data()
    results = []
    for given in ({"jit_compile": True}, options):
        model = network(metrics=["mae"], **given)
        keras.utils.set_random_seed(1)
        history = model.fit(x, y, batch_size=4, epochs=2, verbose=0, validation_data=(x, y))
        results.append(
            [
                *map(np.asarray, history.history.values()),
                np.asarray(model.evaluate(x, y, batch_size=4, verbose=0)),
                model.predict(x, batch_size=4, verbose=0),
                np.asarray(model.train_on_batch(x[:5], y[:5])),
                np.asarray(model.test_on_batch(x[:5], y[:5])),
                model.predict_on_batch(x[:5]),
                *model.get_weights(),
            ]
        )
    for compiled, eager in zip(*results, strict=True):
        np.testing.assert_allclose(eager, compiled, rtol=2e-4, atol=1e-5)


def test_predictions_of_nine_full_batches_keep_every_row():
    x, _ = data(36)  # an array with room for ten batches of 4
    eager, compiled = (network(run_eagerly=eager) for eager in (True, False))
    found = eager.predict(x, batch_size=4, verbose=0)
    assert found.shape == (36, 1)
    np.testing.assert_allclose(found, compiled.predict(x, batch_size=4, verbose=0), atol=1e-6)


def test_adams_native_update_serves_eagerly(monkeypatch):
    x, y = data(8)
    called = []
    from statewise.models.training import updates

    native = updates.native.adam
    monkeypatch.setattr(updates.native, "adam", lambda *a, **k: called.append(1) or native(*a, **k))
    monkeypatch.setattr(updates, "_pays", lambda gradients: updates.native.available())
    weights = []
    for options in ({}, {"run_eagerly": True}):
        model = network(**options)
        model.fit(x, y, batch_size=4, epochs=2, verbose=0, shuffle=False)
        weights.append(model.get_weights())
    if updates.native.available():
        assert len(called) == 1 + 4  # traced once; four eager steps
    for compiled, eager in zip(*weights, strict=True):
        np.testing.assert_allclose(eager, compiled, rtol=1e-4, atol=1e-6)


class Seen(Model):
    """Keeps what its ``call`` is given."""

    def __init__(self):
        super().__init__()
        self.dense, self.seen = layers.Dense(1), []

    def call(self, x):
        self.seen.append(x)
        return self.dense(x)


@pytest.mark.parametrize("options", EAGER)
def test_call_sees_the_values_of_every_batch(options):
    x, y = data(8)
    model = Seen()
    model.compile(loss="mse", optimizer="sgd", **options)
    model.fit(x[:, 0], y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    values = [np.asarray(a) for a in model.seen if not isinstance(a, jax.core.Tracer)]
    batches = [x[:4, 0], x[4:, 0]] * 2
    for found, expected in zip(values[-4:], batches, strict=True):
        np.testing.assert_array_equal(found, expected)
    model.seen.clear()
    model.predict(x[:, 0], batch_size=4, verbose=0)
    model.evaluate(x[:, 0], y, batch_size=4, verbose=0)
    assert len(model.seen) == 4
    for found, expected in zip(model.seen, batches, strict=True):
        np.testing.assert_array_equal(found, expected)


class OwnStep(Seen):
    """Has a step of its own, whose logs are plain values."""

    def train_step(self, state, data):
        logs, state = super().train_step(state, data)
        return logs | {"seven": 7.0, "last": data[0][-1, 0]}, state


def test_a_train_step_of_ones_own_runs_eagerly():
    x, y = data(8)
    model = OwnStep()
    model.compile(loss="mse", optimizer="sgd", run_eagerly=True)
    history = model.fit(x[:, 0], y, batch_size=4, shuffle=False, verbose=0).history
    assert history["seven"] == [7.0]
    assert history["last"] == [x[-1, 0, 0]]


def test_an_error_in_call_is_raised_as_it_is_and_leaves_the_weights():
    class Broken(Seen):
        def call(self, x):
            if len(self.seen) > 3:
                raise RuntimeError("the fourth time")
            return super().call(x)

    x, y = data(16)
    model = Broken()
    model.compile(loss="mse", optimizer="sgd", run_eagerly=True)
    with pytest.raises(RuntimeError, match="the fourth time"):
        model.fit(x[:, 0], y, batch_size=4, epochs=2, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_a_stateful_network_carries_its_state_eagerly():
    x = np.random.default_rng(0).normal(size=(8, 4, 2)).astype("float32")
    found = []
    for eager in (False, True):
        keras.utils.set_random_seed(0)
        model = Sequential(
            [layers.Input((4, 2), batch_size=2), layers.GRU(3, stateful=True), layers.Dense(1)]
        )
        model.compile(loss="mse", optimizer="sgd", run_eagerly=eager)
        model.fit(x, x[:, 0, :1], batch_size=2, epochs=2, shuffle=False, verbose=0)
        found.append([model.predict(x, batch_size=2, verbose=0), *model.get_weights()])
    for compiled, eager in zip(*found, strict=True):
        np.testing.assert_allclose(eager, compiled, rtol=1e-4, atol=1e-6)
