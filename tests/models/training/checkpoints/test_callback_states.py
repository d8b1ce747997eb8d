"""What callbacks have come to is kept: what changed since the training began, to the bit."""

import collections
import random
import threading

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewise import Sequential, layers
from statewise.models.training.checkpoints import callback_states
from statewise.models.training.checkpoints.randomness import RandomState
from statewise.models.training.checkpoints.values import NotKeptError, decoded, encoded, same

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.text(max_size=3) | st.integers() | st.booleans() | st.none()
nested = st.recursive(
    plain,
    lambda part: (
        st.lists(part, max_size=3)
        | st.lists(part, max_size=3).map(tuple)
        | st.dictionaries(keys, part, max_size=3)
    ),
    max_leaves=9,
)


@given(nested)
def test_any_plain_value_comes_back(value):
    arrays = {}
    kept = encoded(value, "a", arrays)
    assert same(decoded(kept, arrays), value)
    assert arrays == {}


def test_arrays_and_numbers_keep_their_kind():
    value = {"a": np.arange(6)[::2], "b": [np.float32(0.1), jnp.ones((2, 1))], 3: np.array(True)}
    arrays = {}
    found = decoded(encoded(value, "x", arrays), arrays)
    assert same(found, value)
    found["a"][0] = 9
    assert arrays["x.0"][0] == 0
    for other in (object(), {(1, 2): 3}, np.array([None]), {1}, np.array(["text"])):
        with pytest.raises(NotKeptError, match="x"):
            encoded({"y": other}, "x", {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0.0, -0.0),
        ([1], (1,)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.ones(2), np.ones(2, "float32")),
        (np.ones(2), np.ones((2, 1))),
        (np.array([0.0]), np.array([-0.0])),
        ([np.ones(2)], [np.zeros(2)]),
    ],
)
def test_what_differs_in_a_bit_or_a_type_is_not_the_same(one, other):
    assert not same(one, other)
    assert same(one, one)


def test_random_states_come_back_from_a_file():
    keras.random.normal((1,))
    arrays = {}
    before = RandomState.now()
    kept = encoded(tuple(before), "now", arrays)
    drawn = np.random.rand(700), random.random(), np.asarray(keras.random.normal((3,)))
    RandomState(*decoded(kept, arrays)).apply()
    again = np.random.rand(700), random.random(), np.asarray(keras.random.normal((3,)))
    assert same(drawn, again)


def test_another_kind_of_generator_comes_back_too():
    before = np.random.get_bit_generator()
    try:
        np.random.set_bit_generator(np.random.PCG64(4))
        arrays = {}
        kept = encoded(tuple(RandomState.now()), "now", arrays)
        drawn = np.random.rand(9)
        RandomState(*decoded(kept, arrays)).apply()
        assert same(np.random.rand(9), drawn)
    finally:
        np.random.set_bit_generator(before)


class Busy(keras.callbacks.Callback):
    """Has attributes of all kinds."""

    def __init__(self, patience=3):
        super().__init__()
        self.patience, self.count, self.flag = patience, 0, False
        self.seen, self.best = [], {"loss": float("inf")}
        self.queue, self.lock, self.moved = collections.deque(), threading.Lock(), [set()]

    def work(self):
        self.count += 4
        self.seen.append(np.float32(self.count))
        self.best["loss"] = np.full(2, 0.1)
        self.new = (1, "b")


class Own(keras.callbacks.Callback):
    """Says itself what is kept."""

    def __init__(self):
        super().__init__()
        self.members = set()

    def get_state(self):
        return sorted(self.members)

    def set_state(self, state):
        self.members = set(state)


def kept(callbacks, work):
    arrays, begin = {}, callback_states.at_begin(callbacks)
    work()
    return callback_states.changes(callbacks, begin, arrays), arrays


def test_what_changed_is_kept_and_what_it_was_made_with_is_not():
    busy, own = Busy(), Own()
    own.members = {2}
    states, arrays = kept([busy, own], lambda: (busy.work(), own.members.add(7)))
    assert sorted(states[0]["values"]) == ["best", "count", "new", "seen"]
    assert states[0]["lost"] == []
    fresh, other = Busy(patience=8), Own()
    assert callback_states.restore([other, fresh], states, arrays) == []
    assert (fresh.patience, fresh.count, fresh.new) == (8, 4, (1, "b"))
    assert same(fresh.seen, [np.float32(4)])
    assert same(fresh.best, busy.best)
    assert other.members == {2, 7}


def test_what_cannot_be_kept_is_told():
    busy = Busy()
    states, arrays = kept([busy], lambda: (busy.queue.append(1), busy.moved[0].add(2)))
    assert states[0]["lost"] == ["queue", "moved"]
    assert callback_states.restore([Busy()], states, arrays) == ["Busy.queue", "Busy.moved"]
    busy.work()
    states, arrays = kept([busy, Own()], lambda: busy.work())
    assert callback_states.restore([], states, arrays) == ["Busy", "Own"]


def test_two_of_a_class_are_told_apart_by_their_order():
    two = [Busy(), Busy()]
    states, arrays = kept(two, lambda: (two[0].work(), two[1].work(), two[1].work()))
    fresh = [keras.callbacks.History(), Busy(), Busy()]
    assert callback_states.restore(fresh, states, arrays) == []
    assert [c.count for c in fresh[1:]] == [4, 8]


def test_a_flag_that_an_epoch_begins_by_turning_goes_back_first():
    busy = Busy()
    begin = callback_states.at_begin([busy])
    busy.flag, busy.count = True, 3
    busy.queue.append(1)
    callback_states.back_to([busy], begin)
    assert (busy.flag, busy.count, len(busy.queue)) == (False, 0, 1)
    busy.seen.append(1)
    assert begin[0]["seen"] == []


def test_early_stopping_knows_its_direction_and_its_best():
    model = Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile(loss="mse", metrics=[keras.metrics.R2Score(name="fit")])
    model.evaluate(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    for monitor, values in (("loss", (3.0, 2.0, 2.05)), ("fit", (0.1, 0.4, 0.35))):

        def stopping(monitor=monitor):
            made = keras.callbacks.EarlyStopping(
                monitor, patience=5, min_delta=0.1, restore_best_weights=True
            )
            made.set_model(model)
            made.on_train_begin()
            return made

        whole = stopping()
        states, arrays = kept(
            [whole],
            lambda whole=whole, values=values, monitor=monitor: [
                whole.on_epoch_end(epoch, {monitor: value}) for epoch, value in enumerate(values)
            ],
        )
        again = stopping()
        assert callback_states.restore([again], states, arrays) == []
        for name in ("best", "best_epoch", "wait", "min_delta", "monitor_op"):
            assert getattr(again, name) == getattr(whole, name)
        assert same(again.best_weights, whole.best_weights)
        again.on_epoch_end(3, {monitor: 0.2 if monitor == "loss" else 0.9})
        assert again.best_epoch == 3


def test_a_log_file_goes_on(tmp_path):
    rng, log = np.random.default_rng(1), tmp_path / "log.csv"
    x, y = rng.normal(size=(8, 3, 1)), rng.normal(size=(8, 1))

    def train(epochs):
        keras.utils.set_random_seed(1)
        model = Sequential([layers.Input((3, 1)), layers.SimpleRNN(1)])
        model.compile(loss="mse")
        given = {"verbose": 0, "checkpoint": tmp_path / "kept"}
        model.fit(x, y, epochs=epochs, callbacks=[keras.callbacks.CSVLogger(log)], **given)

    train(2)
    train(4)
    rows = log.read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "0", "1", "2", "3"]
    with pytest.warns(UserWarning, match="nothing is left to do"):
        train(4)
    assert log.read_text().splitlines() == rows
