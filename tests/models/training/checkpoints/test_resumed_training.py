"""A training that was interrupted ends with the weights of one that wasn't, to the bit."""

import random

import keras
import numpy as np
import pytest
import scipy.sparse

from interrupted_training import assert_same_training, interrupted
from statewise import Model, Sequential, layers
from statewise.models.training import batches, lane_batches, window_pieces
from statewise.sequences import lanes, windows

rng = np.random.default_rng(5)
X, Y = rng.normal(size=(44, 5, 2)), rng.normal(size=(44, 1))
SERIES = [rng.normal(size=(n, 2)) for n in (19, 8, 31, 12, 5, 9)]
EVEN = rng.normal(size=(24, 5, 2)), rng.normal(size=(24, 1))
VALIDATION = rng.normal(size=(12, 5, 2)), rng.normal(size=(12, 1))


def model(optimizer=None, cell=layers.LSTM, stateful=False, steps=False, **options):
    """Return a fresh model with dropout, the same one each time."""
    keras.utils.set_random_seed(11)
    built = Sequential(
        [
            layers.Input((None, 2)),
            cell(4, dropout=0.2, stateful=stateful, return_sequences=steps),
            keras.layers.Dropout(0.1),
            layers.Dense(2 if steps else 1),
        ]
    )
    built.compile(loss="mse", optimizer=optimizer or "adam", **options)
    return built


def flat_model():
    """Return a fresh model of one step's features."""
    keras.utils.set_random_seed(11)
    built = Sequential([layers.Input((2,)), layers.Dense(3), keras.layers.BatchNormalization()])
    built.add(layers.Dense(1))
    built.compile(loss="mse", optimizer="adam")
    return built


def two_inputs():
    """Return a fresh model of two inputs and two outputs, in half precision."""
    keras.utils.set_random_seed(11)
    first, second = layers.Input((5, 2), name="a"), layers.Input((5, 1), name="b")
    cell = layers.GRU(3, dropout=0.2, recurrent_dropout=0.1, dtype="mixed_bfloat16")
    seen = keras.layers.Concatenate()([cell(first), layers.SimpleRNN(2)(second)])
    built = Model([first, second], [layers.Dense(1, name=name)(seen) for name in "cd"])
    built.compile(loss=["mse", "mae"], optimizer="lion", metrics=[["mae"], ["mse"]])
    return built


def give(seed=3, size=11, count=None):
    """Yield batches drawn from a generator of its own."""
    drawn, number = np.random.default_rng(seed), 0
    while count is None or number < count:
        number += 1
        yield drawn.normal(size=(size, 5, 2)), drawn.normal(size=(size, 1))


class Batches(keras.utils.PyDataset):
    """Batches by number, which notes what it is told."""

    def __init__(self, count=4, **options):
        super().__init__(**options)
        self.count, self.epoch, self.order = count, 0, np.arange(count)
        self.random = np.random.default_rng(8)

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        drawn = np.random.default_rng([self.epoch, self.order[number]])
        return drawn.normal(size=(7, 5, 2)), drawn.normal(size=(7, 1))

    def on_epoch_end(self):
        self.epoch += 1
        self.random.shuffle(self.order)


class Counting(keras.callbacks.Callback):
    """Counts, lowers the learning rate by it, and draws numbers."""

    def __init__(self):
        super().__init__()
        self.count, self.seen = 0, []

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = self.model.optimizer.learning_rate * 0.9

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        self.seen.append(float(logs["loss"]) + np.random.rand() + random.random())

    def on_epoch_end(self, epoch, logs):
        logs["seen"] = sum(self.seen) + self.count


def stopping():
    """Return new callbacks with a state of their own."""
    return [
        keras.callbacks.EarlyStopping(
            "loss", patience=2, min_delta=0.01, restore_best_weights=True
        ),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.02, cooldown=1),
    ]


def of_arrays(**options):
    made = {
        name: value if callable(value) else lambda v=value: v for name, value in options.items()
    }
    return lambda: (
        model(),
        {"x": X, "y": Y, "batch_size": 8} | {name: make() for name, make in made.items()},
    )


CASES = {
    "arrays": of_arrays(),
    "lanes": lambda: (
        model(steps=True),
        {"x": lanes(SERIES, lanes=3, steps=4, seed=7), "validation_data": (validation_lanes(),)},
    ),
    "a generator": lambda: (model(), {"x": give(), "steps_per_epoch": 4, "shuffle": False}),
    "a PyDataset": lambda: (model(), {"x": Batches(), "shuffle": True}),
}
MORE = {
    "sparse": lambda: (
        flat_model(),
        {"x": scipy.sparse.csr_matrix(np.round(X[:, 0])), "y": Y, "batch_size": 8},
    ),
    "several inputs": lambda: (
        two_inputs(),
        {"x": {"a": X, "b": X[:, :, :1]}, "y": [Y, Y[::-1]], "batch_size": 8},
    ),
    "arrays, several epochs a call": lambda: (
        model(),
        {"x": EVEN[0], "y": EVEN[1], "batch_size": 8, "epochs": 12, "every": 6},
    ),
    "callbacks": lambda: (
        model(keras.optimizers.Adam(0.1)),
        {"x": X, "y": Y, "epochs": 9, "every": "epoch", "callbacks": stopping()},
    ),
    "each batch": of_arrays(callbacks=lambda: [Counting()]),
    "stateful": lambda: (
        model(stateful=True, cell=layers.GRU),
        {"x": EVEN[0], "y": EVEN[1], "batch_size": 6, "validation_data": VALIDATION},
    ),
    "shuffled within batches": of_arrays(shuffle="batch"),
    "every batch": of_arrays(every=1),
    "turns": lambda: (
        model(steps_per_execution=2),
        {"x": X, "y": Y, "batch_size": 8, "callbacks": [Counting()]},
    ),
    "eager": lambda: (
        model(run_eagerly=True, cell=layers.SimpleRNN),
        {"x": EVEN[0], "y": EVEN[1], "batch_size": 12, "every": 1},
    ),
    "steps of arrays": lambda: (
        model(),
        {"x": EVEN[0], "y": EVEN[1], "batch_size": 4, "steps_per_epoch": 3},
    ),
    "class weights": lambda: (
        model(loss_weights=[2.0]),
        {"x": X, "y": (Y > 0) * 1, "batch_size": 8, "class_weight": {0: 1.0, 1: 3.0}},
    ),
    "validation": of_arrays(
        validation_split=0.3, callbacks=lambda: [keras.callbacks.EarlyStopping()]
    ),
    "validation by a generator": of_arrays(validation_data=lambda: give(4, 5), validation_steps=2),
    "lanes as given": lambda: (
        model(steps=True, cell=layers.GRU),
        {"x": lanes(SERIES, lanes=2, steps=3)},
    ),
    "a finite generator": lambda: (model(), {"x": give(count=4), "epochs": 1, "shuffle": False}),
    "a PyDataset, steps": lambda: (model(), {"x": Batches(6), "steps_per_epoch": 3}),
    "moving averages": lambda: (
        model(keras.optimizers.AdamW(0.01, use_ema=True, ema_overwrite_frequency=5)),
        {"x": X, "y": Y, "batch_size": 8},
    ),
    "accumulated gradients": lambda: (
        model(keras.optimizers.SGD(0.1, momentum=0.5, gradient_accumulation_steps=4)),
        {"x": X, "y": Y, "batch_size": 8},
    ),
    "a scaled loss": lambda: (
        model(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), dynamic_growth_steps=3)),
        {"x": X, "y": Y, "batch_size": 8},
    ),
}


def validation_lanes():
    return lanes(SERIES[:4], lanes=2, steps=4, seed=1)


def train_case(case, folder):
    """Return the function that trains a case, with checkpoints or without."""

    def train(kept):
        built, options = case()
        options = {"epochs": 4, "verbose": 0, **options}
        every = options.pop("every", 3)
        if kept:
            options |= {"checkpoint": folder, "every": every, "keep": 2}
        return built, built.fit(**options)

    return train


@pytest.mark.parametrize("name", CASES)
def test_an_interrupted_training_ends_as_one_that_was_not(name, tmp_path, monkeypatch):
    train = train_case(CASES[name], tmp_path)
    whole = train(False)
    after = np.random.rand(), random.random()
    assert_same_training(interrupted(train, monkeypatch), whole)
    if "generator" not in name:  # these are the same draws only if nothing else was drawn
        assert (np.random.rand(), random.random()) == after


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # a finite generator's
@pytest.mark.parametrize("name", MORE)
def test_more_of_what_is_interrupted(name, tmp_path, monkeypatch):
    train = train_case(MORE[name], tmp_path)
    whole = train(False)
    finite = name == "a finite generator"
    assert_same_training(interrupted(train, monkeypatch, (1,) if finite else (1, 2)), whole)


def test_arrays_in_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "WHOLE_LIMIT", 1000)
    monkeypatch.setattr(batches, "CHUNK_LIMIT", 1200)
    train = train_case(of_arrays(), tmp_path)
    assert_same_training(interrupted(train, monkeypatch), train(False))


@pytest.mark.slow
@pytest.mark.parametrize("of", ["lanes", "windows"])
def test_what_is_read_piece_by_piece(of, tmp_path, monkeypatch):
    monkeypatch.setattr(lane_batches, "WHOLE_LIMIT", 0)
    monkeypatch.setattr(lane_batches, "PIECE_BYTES", 2000)
    monkeypatch.setattr(window_pieces, "PIECE_BYTES", 2000)

    def case():
        if of == "lanes":
            return model(steps=True), {"x": lanes(SERIES, lanes=2, steps=3, seed=2)}
        cut = windows(SERIES, 4, targets=0, batch=7, seed=3)
        validation = windows(SERIES[:3], 4, targets=0, batch=5)
        return of_windows(), {"x": cut, "validation_data": (validation,), "every": 7}

    train = train_case(case, tmp_path)
    assert_same_training(interrupted(train, monkeypatch, (1, 3)), train(False))


def of_windows():
    """Return a fresh model that gives the one step after a window."""
    built = model()
    built.add(keras.layers.Reshape((1, 1)))
    built.compile(loss="mse", optimizer="adam")
    return built


def test_one_too_many_that_a_kill_left_goes_where_nothing_is_left_to_do(tmp_path):
    kept = {"checkpoint": tmp_path, "every": "epoch", "verbose": 0, "epochs": 3}
    flat_model().fit(X[:, 0], Y, **kept, keep=3)
    (oldest, *last) = sorted(path.name for path in tmp_path.iterdir())
    with pytest.warns(UserWarning, match="nothing is left to do"):
        flat_model().fit(X[:, 0], Y, **kept, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == last
    (tmp_path / oldest).touch()  # another training's folder is left as it is
    with pytest.raises(ValueError, match="checkpoint"):
        model().fit(X, Y, **kept, keep=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [oldest, *last]
