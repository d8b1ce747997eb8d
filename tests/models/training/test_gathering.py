"""Batches that come one by one are run many at a time, to the same weights to the bit."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers
from statewise.models.training import fit, gathering, piece_runs
from statewise.models.training.gathering import Gathering


def model_of(stateful=False):
    keras.utils.set_random_seed(3)
    model = sw.Sequential(
        [layers.Input((None, 2)), layers.GRU(3, stateful=stateful), layers.Dense(1)]
    )
    model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    return model


class Given(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, i):
        return self.batches[i]


def drawn(seed, sizes, steps, weights=False):
    rng = np.random.default_rng(seed)
    batches = []
    for size, length in zip(sizes, steps, strict=True):
        batch = rng.normal(size=(size, length, 2)), rng.normal(size=(size, 1))
        batches.append((*batch, rng.uniform(size=size)) if weights else batch)
    return batches


class EachBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None): ...


def weights_of(model):
    return [np.asarray(one) for one in model.get_weights()]


@pytest.mark.parametrize(
    ("seed", "count", "weights"),
    [pytest.param(0, 47, True, marks=pytest.mark.slow), (5, 6, False)],
)
def test_the_same_weights_as_batch_by_batch(seed, count, weights):
    rng = np.random.default_rng(seed)
    sizes, steps = [4] * count, [5] * count
    for place in rng.integers(0, count, rng.integers(0, 3)):
        steps[place] = 3
    sizes[-1] = int(rng.integers(1, 5))
    batches = drawn(seed, sizes, steps, weights)
    one, many = model_of(), model_of()
    # A callback that looks at every batch lets them be read one by one.
    slow = one.fit(Given(batches), epochs=2, shuffle=False, verbose=0, callbacks=[EachBatch()])
    fast = many.fit(Given(batches), epochs=2, shuffle=False, verbose=0)
    assert slow.history == fast.history
    for a, b in zip(weights_of(one), weights_of(many), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.evaluate(Given(batches), verbose=0) == many.evaluate(Given(batches), verbose=0)


def test_many_batches_are_one_call(monkeypatch):
    calls = []
    real = piece_runs.train_piece

    def counted(model, programs, piece, span):
        calls.append((piece.first, piece.steps))
        return real(model, programs, piece, span)

    monkeypatch.setattr(fit, "train_piece", counted)
    monkeypatch.setattr(gathering, "MOST", 32)
    monkeypatch.setattr(gathering, "FIRST_SECONDS", 1e9)
    monkeypatch.setattr(gathering, "SECONDS", 1e9)
    batches = drawn(1, [4] * 70, [5] * 70)
    model_of().fit((batch for batch in batches), steps_per_epoch=70, shuffle=False, verbose=0)
    assert sorted(set(calls)) == [(0, 32), (32, 32), (64, 6)]
    calls.clear()
    model_of().fit(Given(batches), verbose=0, callbacks=[EachBatch()])
    assert calls == [(i, 1) for i in range(70)]


def test_a_stateful_model_goes_on_from_batch_to_batch():
    batches = drawn(2, [4] * 41, [5] * 41)
    one, many = model_of(True), model_of(True)
    one.fit(Given(batches), shuffle=False, verbose=0, callbacks=[EachBatch()])
    many.fit(Given(batches), shuffle=False, verbose=0)
    for a, b in zip(weights_of(one), weights_of(many), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(one.layers[0].states, many.layers[0].states, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_predictions_of_many_batches():
    batches = drawn(3, [4] * 39 + [2], [5] * 40)
    model = model_of()
    x = np.concatenate([batch[0] for batch in batches])
    found = model.predict(Given([batch[:1] for batch in batches]), verbose=0)
    assert found.shape == (158, 1)
    np.testing.assert_allclose(found, model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


def test_what_came_before_a_fault_is_trained_on():
    batches = drawn(4, [4] * 9, [5] * 9)

    def breaks():
        yield from batches
        raise RuntimeError("the line is dead")

    expected, broken = model_of(), model_of()
    expected.fit(Given(batches), shuffle=False, verbose=0)
    with pytest.raises(RuntimeError, match="the line is dead"):
        broken.fit(breaks(), shuffle=False, verbose=0)
    for a, b in zip(weights_of(expected), weights_of(broken), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_generator_that_is_slow_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(gathering, "FIRST_SECONDS", -1.0)
    pieces = list(Gathering().pieces((i, (np.ones((2, 1)),)) for i in range(3)))
    assert [(piece.first, piece.steps) for piece in pieces] == [(0, 1), (1, 1), (2, 1)]


def test_large_batches_stay_few(monkeypatch):
    monkeypatch.setattr(gathering, "MOST_BYTES", 3 * 16)
    pieces = list(Gathering().pieces((i, (np.ones((2, 1)),)) for i in range(5)))
    assert [piece.steps for piece in pieces] == [2, 2, 1]
    assert {piece.data[0].shape for piece in pieces} == {(4, 1)}  # one program for all


def filled_anew(batches):
    """Yield batches in the same arrays, which are filled anew for each."""
    x, y = (np.empty_like(array) for array in batches[0])
    for x[:], y[:] in batches:
        yield x, y


class FilledAnew(Given):
    def __getitem__(self, i):
        if i == 0:
            self.same = tuple(np.empty_like(array) for array in self.batches[0])
        for array, values in zip(self.same, self.batches[i], strict=True):
            array[:] = values
        return self.same


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
@pytest.mark.parametrize("kind", [filled_anew, FilledAnew])
def test_whoever_gives_batches_may_fill_the_same_arrays_anew(kind):
    batches = drawn(8, [4] * 9, [5] * 9)
    found, expected = model_of(), model_of()
    steps = {"steps_per_epoch": 9, "validation_steps": 9, "shuffle": False, "verbose": 0}
    history = found.fit(kind(batches), validation_data=kind(batches), **steps)
    plain = expected.fit(Given(batches), validation_data=Given(batches), **steps)
    assert history.history == plain.history
    for ours, theirs in zip(weights_of(found), weights_of(expected), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    scores = [m.evaluate(kind(batches), steps=9, verbose=0) for m in (found, expected)]
    assert scores[0] == scores[1] == expected.evaluate(Given(batches), verbose=0)
    predicted = found.predict(kind(batches), steps=9, verbose=0)
    np.testing.assert_array_equal(predicted, expected.predict(Given(batches), verbose=0))
