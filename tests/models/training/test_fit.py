"""`fit` gives the weights that Keras's own gives, however the data come."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers
from statewise.models.training import batches as batches_module


class TrackedLSTM(keras.layers.LSTM):
    """Keras's LSTM with its states among its variables, so that Keras's JAX trainer carries them.

    In Keras 3.15.1 they are not, and `fit` begins every batch of a stateful model at zeros.
    """

    def build(self, sequences_shape, initial_state_shape=None):
        super().build(sequences_shape, initial_state_shape)
        for variable in self.states or ():
            self._track_variable(variable)


def data(samples=20, time=5, features=2, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, time, features)).astype("float32")
    y = (x.sum(axis=(1, 2), keepdims=True)[:, 0] > 0).astype("float32")
    return x, y + rng.normal(size=y.shape).astype("float32") / 10


def pair(make, **compile_options):
    """Return our model and Keras's, with the same weights."""
    options = {"loss": "mse", "optimizer": "adam"} | compile_options
    models = []
    for ours in (True, False):
        keras.utils.set_random_seed(7)
        model = make(sw.Sequential, layers) if ours else make(keras.Sequential, keras.layers)
        model.compile(**{k: v() if callable(v) else v for k, v in options.items()})
        models.append(model)
    models[0].set_weights(models[1].get_weights())
    return models


def small(sequential, lib, **options):
    return sequential([lib.Input((5, 2)), lib.LSTM(3, **options), lib.Dense(1)])


def assert_same_weights(ours, theirs, **tolerances):
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, **({"rtol": 2e-4, "atol": 2e-6} | tolerances))


def fit_both(models, *args, **options):
    histories = []
    for model in models:
        keras.utils.set_random_seed(3)
        histories.append(model.fit(*args, verbose=0, **options).history)
    ours, theirs = histories
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("shuffle", "batch_size"), [(False, 4), (True, 7), ("batch", 7), (True, 64)]
)
def test_same_weights_as_keras(shuffle, batch_size):
    models = pair(small, metrics=["mae"])
    x, y = data()
    fit_both(models, x, y, shuffle=shuffle, batch_size=batch_size, epochs=3)
    assert_same_weights(*models)


OPTIONS = {
    "validation_split": {"validation_split": 0.25},
    "validation_data": {"validation_data": data(9, seed=1), "validation_batch_size": 4},
    "validation_freq": {"validation_data": data(9, seed=1), "validation_freq": 2},
    "sample_weight": {"sample_weight": np.linspace(0, 2, 20)},
    "initial_epoch": {"initial_epoch": 1},
    "steps_per_epoch": {"steps_per_epoch": 2},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_same_weights_with_options(name):
    models = pair(small, weighted_metrics=["mae"])
    fit_both(models, *data(), batch_size=6, epochs=3, **OPTIONS[name])
    assert_same_weights(*models)


def test_same_weights_with_class_weights():
    def make(sequential, lib):
        return sequential([lib.Input((5, 2)), lib.GRU(3), lib.Dense(2, activation="softmax")])

    models = pair(make, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = data()
    fit_both(models, x, (y[:, 0] > 0.5).astype(int), class_weight={0: 1.0, 1: 3.0}, epochs=2)
    assert_same_weights(*models)


@pytest.mark.slow
def test_same_weights_with_dropout_and_schedules():
    def make(sequential, lib):
        return small(sequential, lib, dropout=0.3, recurrent_dropout=0.2, seed=5)

    def optimizer():
        schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5)
        return keras.optimizers.RMSprop(schedule, clipnorm=1.0)

    models = pair(make, optimizer=optimizer)
    fit_both(models, *data(), batch_size=6, epochs=2)
    assert_same_weights(*models)


def test_same_weights_for_a_stateful_model():
    def make(sequential, lib):
        lstm = lib.LSTM if lib is layers else TrackedLSTM
        return sequential(
            [lib.Input(batch_shape=(4, 5, 2)), lstm(3, stateful=True, name="lstm"), lib.Dense(1)]
        )

    models = []
    for ours in (True, False):
        keras.utils.set_random_seed(7)
        model = make(sw.Sequential, layers) if ours else make(keras.Sequential, keras.layers)
        model.compile(loss="mse", optimizer="adam")
        models.append(model)
    ours, theirs = models
    for a, b in zip(ours.trainable_variables, theirs.trainable_variables, strict=True):
        a.assign(b)
    fit_both(models, *data(), batch_size=4, shuffle=False, epochs=3)
    for a, b in zip(ours.trainable_variables, theirs.trainable_variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-4, atol=2e-6)
    for a, b in zip(ours.layers[0].states, theirs.layers[0].states, strict=True):
        assert np.abs(b.numpy()).max() > 0.01
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-4, atol=2e-6)


class _Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        x, y = data()
        return x[index * 5 : index * 5 + 5], y[index * 5 : index * 5 + 5]


def _generator():
    while True:
        dataset = _Sequence()
        for i in range(4):
            yield dataset[i]


@pytest.mark.parametrize(
    ("way", "stateful"),
    [
        ("dataset", True),
        ("generator", True),
        ("generator", False),
        ("memmap", False),
        ("large", True),
        ("every batch", True),
    ],
)
def test_however_the_data_come_the_weights_are_the_same(way, stateful, tmp_path, monkeypatch):
    def fitted(*args, **options):
        keras.utils.set_random_seed(1)
        lstm = layers.LSTM(3, stateful=stateful)
        model = sw.Sequential([layers.Input((5, 2)), lstm, layers.Dense(1)])
        model.compile(loss="mse", optimizer="adam")
        model.fit(*args, epochs=2, shuffle=False, verbose=0, **options)
        return model

    x, y = data()
    whole = fitted(x, y, batch_size=5)
    if way == "dataset":
        other = fitted(_Sequence())
    elif way == "generator":
        other = fitted(_generator(), steps_per_epoch=4)
    elif way == "memmap":
        on_disk = np.memmap(tmp_path / "x", "float64", "w+", shape=x.shape)
        on_disk[:] = x
        monkeypatch.setattr(batches_module, "CHUNK_LIMIT", 5 * x[0].nbytes * 3)
        other = fitted(on_disk, y, batch_size=5)
    elif way == "large":
        monkeypatch.setattr(batches_module, "WHOLE_LIMIT", 10)
        monkeypatch.setattr(batches_module, "CHUNK_LIMIT", 10 * x[0].nbytes * 2)
        other = fitted(x, y, batch_size=5)
    else:
        other = fitted(x, y, batch_size=5, callbacks=[_EachBatch()])
    assert_same_weights(whole, other, rtol=1e-6, atol=1e-7)


class _EachBatch(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.begun, self.losses = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.begun.append(batch)

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])


def test_a_callback_sees_every_batch_with_keras_logs():
    models = pair(small)
    seen = []
    for model in models:
        seen.append(_EachBatch())
        model.fit(*data(), batch_size=6, shuffle=False, verbose=0, callbacks=[seen[-1]])
    assert seen[0].begun == seen[1].begun == [0, 1, 2, 3]
    np.testing.assert_allclose(seen[0].losses, seen[1].losses, rtol=1e-5)


def test_a_callback_can_stop_within_an_epoch_and_after_one():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = pair(small)[0]
    model.fit(*data(), batch_size=5, epochs=4, verbose=0, callbacks=[Stop()])
    assert int(model.optimizer.iterations) == 2
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=100, baseline=0.0)
    assert len(model.fit(*data(), epochs=50, verbose=0, callbacks=[stop]).epoch) < 50


def test_epoch_callbacks_see_current_weights(tmp_path):
    model = pair(small)[0]
    path = tmp_path / "best.weights.h5"
    keep = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0])
    )
    model.fit(*data(), epochs=2, verbose=0, callbacks=[keep, look])
    assert np.abs(seen[0] - seen[1]).max() > 0
    np.testing.assert_array_equal(seen[1], model.get_weights()[0])
    weights = model.get_weights()
    model.load_weights(path)
    np.testing.assert_array_equal(weights[0], model.get_weights()[0])


def test_an_interruption_keeps_what_was_trained():
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    model, other = pair(small)
    x, y = data()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=9, shuffle=False, verbose=0, callbacks=[Interrupt()])
    other.fit(x, y, epochs=3, shuffle=False, verbose=0)
    assert_same_weights(model, other)
    model.fit(x, y, epochs=1, verbose=0)


def test_a_train_step_of_ones_own_is_used():
    class Own(sw.Model):
        def __init__(self):
            super().__init__()
            self.lstm, self.dense = layers.LSTM(3), layers.Dense(1)

        def call(self, x):
            return self.dense(self.lstm(x))

        def train_step(self, state, batch):
            logs, state = super().train_step(state, batch)
            return {"twice": logs["loss"] * 2}, state

    model = Own()
    model.compile(loss="mse", optimizer="sgd")
    history = model.fit(*data(), batch_size=20, epochs=2, verbose=0).history
    assert list(history) == ["twice"]
    assert history["twice"][1] < history["twice"][0]


def test_run_eagerly_computes_the_same():
    ours, eager = pair(small)[0], pair(small)[0]
    eager.compile(loss="mse", optimizer="adam", run_eagerly=True)
    for model in (ours, eager):
        model.fit(*data(), batch_size=8, shuffle=False, verbose=0)
    assert_same_weights(ours, eager)


def test_progress_is_printed(capsys):
    model = pair(small)[0]
    model.fit(*data(), batch_size=2, epochs=2, verbose=1)
    out = capsys.readouterr().out
    assert "Epoch 2/2" in out
    assert "10/10" in out
    model.fit(*data(), batch_size=2, verbose=2)
    assert "10/10 - " in capsys.readouterr().out


def test_on_batch_functions_equal_keras():
    ours, theirs = pair(small, metrics=["mae"])
    x, y = data()
    for _ in range(2):
        theirs.reset_metrics()  # Keras before 3.15 averages over the calls
        np.testing.assert_allclose(
            ours.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-5
        )
    assert_same_weights(ours, theirs)
    theirs.reset_metrics()
    np.testing.assert_allclose(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), rtol=1e-4)
    assert ours.train_on_batch(x, y, return_dict=True).keys() == {"loss", "mae"}
    np.testing.assert_allclose(
        ours.predict_on_batch(x), ours.predict(x, verbose=0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("batch_size", [3, 20, 50])
def test_evaluate_and_predict_equal_keras(batch_size):
    ours, theirs = pair(small, metrics=["mae"])
    x, y = data()
    for options in ({}, {"sample_weight": np.linspace(0, 1, 20)}):
        np.testing.assert_allclose(
            ours.evaluate(x, y, batch_size=batch_size, verbose=0, **options),
            theirs.evaluate(x, y, batch_size=batch_size, verbose=0, **options),
            rtol=1e-5,
        )
    np.testing.assert_allclose(
        ours.predict(x, batch_size=batch_size, verbose=0),
        theirs.predict(x, batch_size=batch_size, verbose=0),
        rtol=1e-5,
        atol=1e-6,
    )


def test_several_inputs_and_outputs():
    def make(module, lib):
        a, b = lib.Input((5, 2), name="a"), lib.Input((3,), name="b")
        h = lib.LSTM(4)(a)
        joined = lib.Concatenate()([h, b])
        outputs = {"p": lib.Dense(1, name="p")(joined), "q": lib.Dense(2, name="q")(joined)}
        model = module.Model({"a": a, "b": b}, outputs)
        model.compile(loss={"p": "mse", "q": "mae"}, optimizer="sgd")
        return model

    ours, theirs = make(sw, layers), make(keras, keras.layers)
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    x = {"a": data(12)[0], "b": rng.normal(size=(12, 3))}
    y = {"p": rng.normal(size=(12, 1)), "q": rng.normal(size=(12, 2))}
    fit_both([ours, theirs], x, y, batch_size=5, epochs=2)
    assert_same_weights(ours, theirs)
    mine, other = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    assert mine.keys() == other.keys()
    np.testing.assert_allclose(mine["q"], other["q"], rtol=1e-4, atol=1e-6)


def test_wrong_data_is_refused_in_keras_words():
    model = pair(small)[0]
    x, y = data()
    with pytest.raises(ValueError, match="cardinality"):
        model.fit(x, y[:3], verbose=0)
    with pytest.raises(ValueError, match="must call `compile"):
        sw.Sequential([layers.Input((5, 2)), layers.LSTM(1)]).fit(x, y)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
def test_one_plain_batch_is_predicted_as_any_other(dtype, rng):
    model = sw.Sequential([layers.Input((4, 2)), layers.LSTM(3), layers.Dense(1)])
    x = (10 * rng.normal(size=(5, 4, 2))).astype(dtype)
    first = model.predict(x, verbose=0)  # the long way: there are no programs yet
    for again in (
        model.predict(x, verbose=0),
        model.predict_on_batch(x),
        model.predict(x, verbose=0, batch_size=2),
        model.predict(keras.ops.convert_to_tensor(x), verbose=0),
    ):
        np.testing.assert_allclose(again, first, atol=1e-6)
    with pytest.raises(ValueError, match="features"):
        model.predict(x[..., :1], verbose=0)


@pytest.mark.parametrize("limit", ["epochs", "steps_per_epoch"])
def test_keras_limits_for_debugging_hold(limit):
    ours, theirs = pair(small)
    x, y = data()
    set_limit = getattr(keras.config, f"set_max_{limit}")
    set_limit(2)
    try:
        with pytest.warns(UserWarning, match="(?i)limit"):
            fit_both([ours, theirs], x, y, batch_size=4, epochs=3 if limit == "epochs" else 1)
    finally:
        set_limit(None)
    assert_same_weights(ours, theirs)


@pytest.mark.parametrize("ema", [True, False])
def test_an_optimizers_last_word_is_heard(ema):
    class Rounding(keras.optimizers.SGD):
        def finalize_variable_values(self, var_list):
            super().finalize_variable_values(var_list)
            for variable in var_list:
                variable.assign(keras.ops.round(variable * 8) / 8)

    optimizer = (
        {"optimizer": Rounding}
        if not ema
        else {"optimizer": lambda: keras.optimizers.Adam(use_ema=True, ema_momentum=0.9)}
    )
    ours, theirs = pair(small, **optimizer)
    x, y = data()
    fit_both([ours, theirs], x, y, batch_size=4, epochs=2)
    assert_same_weights(ours, theirs)
