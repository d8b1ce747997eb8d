"""What a folder of checkpoints refuses, and what it goes on with."""

import datetime
import os

import keras
import numpy as np
import pytest

from statewise import Model, Sequential, layers
from statewise.models import Checkpoints
from statewise.models.training.checkpoints.container import DamagedCheckpointError
from statewise.models.training.checkpoints.identity import facts_of_model
from statewise.sequences import lanes

rng = np.random.default_rng(2)
X, Y = rng.normal(size=(12, 3, 2)), rng.normal(size=(12, 1))
SERIES = [rng.normal(size=(n, 2)) for n in (9, 7, 5)]


def model(units=3, cell=layers.SimpleRNN, loss="mse", optimizer=None, metrics=None, **options):
    keras.utils.set_random_seed(1)
    built = Sequential([layers.Input((3, 2)), cell(units, **options), layers.Dense(1)])
    built.compile(loss=loss, optimizer=optimizer or keras.optimizers.SGD(0.1), metrics=metrics)
    return built


def of_lanes():
    keras.utils.set_random_seed(1)
    built = Sequential(
        [layers.Input((None, 2)), layers.GRU(2, return_sequences=True), layers.Dense(2)]
    )
    built.compile(loss="mse", optimizer="sgd")
    return built


def fit(built, folder, x=X, y=Y, **options):
    given = {"batch_size": 4, "epochs": 2, "verbose": 0, "checkpoint": folder} | options
    return built.fit(x, y, **given)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a finished training, its model and its history."""
    folder = tmp_path_factory.mktemp("finished")
    built = model()
    return folder, built, fit(built, folder, validation_data=(X[:4], Y[:4])).history


OTHERS = {
    "units": (lambda: (model(4), {}), "units: 3 in the checkpoint, 4 now"),
    "another layer": (lambda: (model(cell=layers.GRU), {}), "class_name: 'SimpleRNN' in"),
    "activation": (lambda: (model(activation="relu"), {}), "activation: 'tanh' in .*'relu' now"),
    "loss": (lambda: (model(loss="mae"), {}), "loss: 'mse' in the checkpoint, 'mae' now"),
    "metric": (lambda: (model(metrics=["mae"]), {}), "metrics"),
    "optimizer": (lambda: (model(optimizer="adam"), {}), "optimizer, class_name: 'SGD' in"),
    "rate": (
        lambda: (model(optimizer=keras.optimizers.SGD(0.2)), {}),
        "_rate: 0.1 in .* 0.2",
    ),
    "momentum": (lambda: (model(optimizer=keras.optimizers.SGD(0.1, 0.9)), {}), "momentum: 0"),
    "batch size": (lambda: (model(), {"batch_size": 6}), "batch_size: 4 in the checkpoint, 6 now"),
    "order": (lambda: (model(), {"shuffle": False}), "shuffle: True in the checkpoint, False"),
    "one number": (lambda: (model(), {"y": Y + (np.arange(12) == 7)[:, None]}), "hold others"),
    "fewer": (lambda: (model(), {"x": X[:8], "y": Y[:8]}), "samples: 12 in the checkpoint, 8 now"),
    "weights": (lambda: (model(), {"sample_weight": np.ones(12)}), "data, arrays"),
    "validation": (lambda: (model(), {"validation_data": (X[1:5], Y[:4])}), "validation, numbers"),
    "no validation": (lambda: (model(), {"validation_data": None}), "validation: .* nothing now"),
    "first epoch": (lambda: (model(), {"initial_epoch": 1}), "initial_epoch: 0 in .* 1 now"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_training_is_refused_and_nothing_changes(name, finished):
    folder, _, _ = finished
    before = {file: (folder / file).read_bytes() for file in os.listdir(folder)}
    make, words = OTHERS[name]
    built, options = make()
    weights = built.get_weights()
    with pytest.raises(ValueError, match="is of another training") as info:
        fit(built, folder, **{"validation_data": (X[:4], Y[:4])} | options)
    with pytest.raises(ValueError, match=words):
        raise info.value
    assert all(map(np.array_equal, built.get_weights(), weights))
    assert {file: (folder / file).read_bytes() for file in os.listdir(folder)} == before


def test_a_finished_training_has_nothing_left_and_says_so(finished):
    folder, whole, history = finished
    for epochs in (2, 1):
        built = model()
        with pytest.warns(UserWarning, match="finished after 2 epochs.*nothing is left to do"):
            found = fit(built, folder, epochs=epochs, validation_data=(X[:4], Y[:4]))
        assert all(map(np.array_equal, built.get_weights(), whole.get_weights()))
        assert found.history == history
        assert found.epoch == [0, 1]


def test_more_epochs_go_on_as_if_they_had_been_given_first(tmp_path):
    whole = model()
    history = fit(whole, None, epochs=4).history
    fit(model(), tmp_path, epochs=2)
    longer = model()
    assert fit(longer, tmp_path, epochs=4).history == history
    assert all(map(np.array_equal, longer.get_weights(), whole.get_weights()))


def test_an_early_stop_is_an_end(tmp_path):
    def train(epochs):
        stop = keras.callbacks.EarlyStopping("loss", patience=1, min_delta=9)
        built = model()
        return built, fit(built, tmp_path, epochs=epochs, callbacks=[stop]).history

    whole, history = train(9)
    with pytest.warns(UserWarning, match="stopped early after 2 epochs"):
        again, found = train(20)
    assert found == history
    assert again.stop_training
    assert all(map(np.array_equal, again.get_weights(), whole.get_weights()))


def test_lanes_know_their_series_and_their_seed(tmp_path):
    fit(of_lanes(), tmp_path, lanes(SERIES, lanes=2, steps=3, seed=1), None, batch_size=None)
    for other, words in (
        (lanes(SERIES, lanes=2, steps=3, seed=2), "seed: 1 in the checkpoint, 2 now"),
        (lanes(SERIES, lanes=2, steps=4, seed=1), "steps: 3 in the checkpoint, 4 now"),
        (lanes(SERIES[:2], lanes=2, steps=3, seed=1), "series: 3"),
        (lanes([s + 1 for s in SERIES], lanes=2, steps=3, seed=1), "hold others"),
    ):
        with pytest.raises(ValueError, match=words):
            fit(of_lanes(), tmp_path, other, None, batch_size=None)


def give(seed, count):
    drawn = np.random.default_rng(seed)
    for _ in range(count):
        yield drawn.normal(size=(4, 3, 2)), drawn.normal(size=(4, 1))


def test_a_generator_that_gives_other_batches_is_refused(tmp_path):
    options = {"y": None, "batch_size": None, "steps_per_epoch": 2, "shuffle": False}
    fit(model(), tmp_path, give(3, 9), **options)
    with pytest.raises(ValueError, match=r"the first of the batches .* is another one"):
        fit(model(), tmp_path, give(4, 9), epochs=4, **options)
    less = pytest.raises(ValueError, match="gave 1 batches in epoch 2, and 2 were trained on")
    with less, pytest.warns(UserWarning, match="ran out of data"):
        fit(model(), tmp_path, give(3, 3), epochs=4, **options)


def test_a_damaged_checkpoint_is_refused_by_choice(tmp_path):
    whole = model()
    fit(whole, tmp_path, every=2)
    newest = max(tmp_path.iterdir())
    newest.write_bytes(newest.read_bytes()[:-3])
    with pytest.raises(DamagedCheckpointError, match=newest.name):
        fit(model(), Checkpoints(tmp_path, every=2, damaged="refuse"))
    again = model()
    with pytest.warns(UserWarning, match=f"{newest.name} .*goes on from the one before"):
        fit(again, tmp_path, every=2)
    assert all(map(np.array_equal, again.get_weights(), whole.get_weights()))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"checkpoint": 3}, TypeError, "checkpoint=3: expected the path of a folder"),
        ({"checkpoint": ""}, TypeError, "checkpoint=''"),
        ({"checkpoint": __file__}, ValueError, "a file is there; name a folder"),
        ({"every": 0}, ValueError, "every"),
        ({"every": 1.5}, TypeError, "every"),
        ({"every": "batch"}, ValueError, 'expected "epoch", a number of batches'),
        ({"every": datetime.timedelta(0)}, ValueError, "expected a time above 0"),
        ({"keep": 0}, ValueError, "keep"),
        ({"checkpoint": None, "every": 3}, ValueError, "every: came without checkpoint"),
        ({"checkpoint": None, "keep": 3}, ValueError, "keep: came without checkpoint"),
        ({"checkpoint": Checkpoints("a"), "keep": 3}, ValueError, "beside Checkpoints"),
        ({"callbacks": [keras.callbacks.BackupAndRestore("b")]}, ValueError, "BackupAndRestore"),
    ],
)
def test_wrong_options_are_told_by_name(options, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        fit(
            model(),
            **{"folder": tmp_path, **options}
            if "checkpoint" not in options
            else {
                "folder": options["checkpoint"],
                **{k: v for k, v in options.items() if k != "checkpoint"},
            },
        )
    with pytest.raises(ValueError, match="damaged='no'"):
        Checkpoints("a", damaged="no")


def test_one_by_time_and_at_the_end(tmp_path):
    fit(model(), tmp_path / "often", every=datetime.timedelta(microseconds=1), keep=9)
    assert len(os.listdir(tmp_path / "often")) > 1
    fit(model(), tmp_path / "seldom", every=datetime.timedelta(days=9))
    assert os.listdir(tmp_path / "seldom") == ["training-000000000006.safetensors"]


@pytest.mark.slow
def test_names_that_keras_numbers_are_no_other_model():
    @keras.saving.register_keras_serializable("test_other_trainings")
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.cell, self.head = layers.GRU(2), layers.Dense(1)

        def call(self, x):
            return self.head(self.cell(x))

    def graph():
        inputs = layers.Input((3, 2))
        side = layers.GRU(2)(inputs)
        return Model(inputs, keras.layers.Concatenate()([side, layers.LSTM(2)(inputs)]))

    for make in (model, graph, Own):
        two = [make(), make()]
        for built in two:
            built.compile(loss=keras.losses.Huber(), optimizer="adam")
            built(X)
            built.optimizer.build(built.trainable_variables)
        assert facts_of_model(two[0]) == facts_of_model(two[1])
