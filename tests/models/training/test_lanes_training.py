"""Training, evaluating and predicting on lanes equals doing it with each series alone."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import statewise as sw
from statewise import layers
from statewise.sequences import lanes


def make(stateful=False, **options):
    keras.utils.set_random_seed(5)
    model = sw.Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(3, return_sequences=True, stateful=stateful),
            layers.GRU(3, return_sequences=True),
            layers.Dense(2),
        ]
    )
    model.compile(loss="mse", optimizer="adam", metrics=["mae"], **options)
    return model


@pytest.fixture
def series(rng):
    return {
        name: rng.normal(size=(length, 2)).astype("float32")
        for name, length in {"A": 9, "B": 4, "C": 6, "D": 3}.items()
    }


# Lanes as they may come; few batch sizes and chunks, so that few programs are compiled.
LENGTHS = st.lists(st.integers(1, 12), min_size=3, max_size=8)
CUTS = {"count": st.integers(1, 3), "steps": st.sampled_from([2, 5]), "seed": st.integers(0, 99)}


@pytest.fixture(scope="module")
def trained():
    """A model that every example of a property test runs."""
    return make()


def drawn(lengths):
    rng = np.random.default_rng(sum(lengths))
    return {f"series {i}": rng.normal(size=(n, 2)).astype("float32") for i, n in enumerate(lengths)}


@pytest.mark.slow
@settings(deadline=None, max_examples=12)
@given(lengths=LENGTHS, **CUTS)
def test_any_prediction_through_lanes_equals_the_series_alone(trained, lengths, count, steps, seed):
    series = drawn(lengths)
    cut = lanes(series, lanes=count, steps=steps, targets=None, seed=seed)
    # Every step is there once, whatever the order.
    where = np.concatenate([chunk.where[chunk.valid] for chunk in cut.epoch(1)])
    every = [(i, step) for i, length in enumerate(lengths) for step in range(length)]
    assert sorted(map(tuple, where.tolist())) == every
    results = trained.predict(cut, verbose=0)
    assert list(results) == list(series)
    for name, values in series.items():
        alone, _ = trained.step(values[None], trained.initial_state(1))
        np.testing.assert_allclose(results[name], alone[0], rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=12)
@given(lengths=LENGTHS, value=st.sampled_from([1e6, np.nan, np.inf]), data=st.data(), **CUTS)
def test_no_value_of_a_series_reaches_another(trained, lengths, value, data, count, steps, seed):
    series = drawn(lengths)
    changed = data.draw(st.sampled_from(list(series)))

    def results():
        cut = lanes(series, lanes=count, steps=steps, targets=None, seed=seed)
        return trained.predict(cut, verbose=0)

    before = results()
    series[changed][data.draw(st.integers(0, len(series[changed]) - 1))] = value
    after = results()
    assert not np.array_equal(before.pop(changed), after.pop(changed))
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name])


@settings(deadline=None, max_examples=5)
@given(count=st.integers(1, 3), per_lane=st.integers(1, 3), seed=st.integers(0, 99))
@pytest.mark.slow
def test_training_equals_each_series_alone_when_a_chunk_is_one(count, per_lane, seed):
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(count * per_lane, 5, 2)).astype("float32")
    cut = lanes(data, lanes=count, steps=4, seed=seed)
    on_lanes, alone = make(), make()
    on_lanes.fit(cut, verbose=0)
    for chunk in cut.epoch(0):
        rows = chunk.where[:, 0, 0]  # the series in each lane
        alone.train_on_batch(data[rows, :-1], data[rows, 1:])
    for a, b in zip(on_lanes.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_predictions_equal_each_series_alone(series):
    model = make()
    results = model.predict(lanes(series, lanes=2, steps=3), verbose=0)
    assert list(results) == list("ABCD")
    for name, values in series.items():
        alone = model.predict(values[None], verbose=0)[0]
        np.testing.assert_allclose(results[name], alone, rtol=1e-5, atol=1e-6)


def test_the_order_of_the_series_makes_no_difference_to_predictions(series):
    model = make()
    plain = model.predict(lanes(series, lanes=2, steps=3), verbose=0)
    turned = dict(reversed(series.items()))
    other = model.predict(lanes(turned, lanes=3, steps=2, seed=3), verbose=0)
    for name in series:
        np.testing.assert_allclose(plain[name], other[name], rtol=1e-5, atol=1e-6)


def test_a_value_changed_in_one_series_changes_no_other(series):
    model = make()
    before = model.predict(lanes(series, lanes=2, steps=3), verbose=0)
    series["B"][:] += 1
    after = model.predict(lanes(series, lanes=2, steps=3), verbose=0)
    assert np.abs(after["B"] - before["B"]).max() > 1e-3
    for name in "ACD":
        np.testing.assert_array_equal(before[name], after[name])


def test_training_equals_whole_series_when_each_chunk_is_one(rng):
    data = rng.normal(size=(6, 5, 2)).astype("float32")  # six series of five steps: four pairs
    on_lanes, on_arrays = make(), make()
    ours = on_lanes.fit(lanes(data, lanes=2, steps=4), epochs=2, verbose=0).history
    # Lane 0 takes series 0, 2, 4 and lane 1 the others, as they come.
    x, y = data[:, :-1], data[:, 1:]
    theirs = on_arrays.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)
    for a, b in zip(on_lanes.get_weights(), on_arrays.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_state_is_carried_from_chunk_to_chunk_and_gradients_are_not(rng):
    data = rng.normal(size=(2, 9, 2)).astype("float32")
    on_lanes, by_hand = make(), make(stateful=True)
    on_lanes.fit(lanes(data, lanes=2, steps=4), verbose=0)
    # One layer of the other model is stateless: give it a state by building it stateful too.
    by_hand.layers[1].stateful = True
    for start in (0, 4):
        by_hand.train_on_batch(data[:, start : start + 4], data[:, start + 1 : start + 5])
    for a, b in zip(on_lanes.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_loss_counts_every_pair_once(series):
    model = make()
    on_lanes = model.evaluate(lanes(series, lanes=2, steps=4), verbose=0, return_dict=True)
    errors = [
        model.predict(values[None, :-1], verbose=0)[0] - values[1:] for values in series.values()
    ]
    errors = np.concatenate(errors)
    assert on_lanes["loss"] == pytest.approx(np.mean(errors**2), rel=1e-5)
    assert on_lanes["mae"] == pytest.approx(np.mean(np.abs(errors)), rel=1e-5)


def test_training_reports_the_loss_of_the_pairs_that_count(series):
    model = make()
    model.optimizer.learning_rate = 0.0
    data = lanes(series, lanes=2, steps=4)
    expected = model.evaluate(data, verbose=0, return_dict=True)
    history = model.fit(data, verbose=0, validation_data=lanes(series, lanes=1, steps=5)).history
    for name, value in expected.items():
        assert history[name][0] == pytest.approx(value, rel=1e-5)
        assert history[f"val_{name}"][0] == pytest.approx(value, rel=1e-5)


def test_training_on_lanes_learns_and_leaves_a_kept_state_alone(series):
    model = make(stateful=True)
    model.predict(series["A"][None], verbose=0)
    kept = model.layers[0].states[0].numpy()
    losses = model.fit(lanes(series, lanes=2, steps=4, seed=1), epochs=30, verbose=0).history[
        "loss"
    ]
    assert losses[-1] < losses[0] * 0.95
    np.testing.assert_array_equal(kept, model.layers[0].states[0].numpy())


def test_chunks_read_one_by_one_give_the_same(series, monkeypatch):
    whole, single = make(), make()
    data = lanes(series, lanes=2, steps=3, seed=2)
    whole.fit(data, epochs=2, verbose=0)
    monkeypatch.setattr("statewise.models.training.lane_batches.WHOLE_LIMIT", 1)
    single.fit(data, epochs=2, verbose=0)
    for a, b in zip(whole.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    results = single.predict(data, verbose=0)
    assert results["A"].shape == (9, 2)


def test_what_does_not_go_with_lanes_is_said(series):
    data = lanes(series, lanes=2, steps=3)
    with pytest.raises(ValueError, match="y, batch_size: not to be given with lanes"):
        make().fit(data, series["A"], batch_size=3)
    with pytest.raises(ValueError, match=r"lanes have no targets.*targets=\"next\""):
        make().fit(lanes(series, lanes=2, steps=3, targets=None))
    one = sw.Sequential([layers.Input((None, 2)), layers.LSTM(3), layers.Dense(2)])
    one.compile(loss="mse", optimizer="sgd")
    with pytest.raises(ValueError, match="Set return_sequences=True in every recurrent layer"):
        one.predict(data, verbose=0)
    with pytest.raises(ValueError, match="Set return_sequences=True in every recurrent layer"):
        one.fit(data, verbose=0)
    both = sw.Sequential(
        [layers.Input((None, 2)), layers.Bidirectional(layers.GRU(1, return_sequences=True))]
    )
    both.compile(loss="mse", optimizer="sgd")
    with pytest.raises(ValueError, match="needs several time steps at once"):
        both.fit(data, verbose=0)
    inputs = [layers.Input((None, 2)) for _ in range(2)]
    two = sw.Model(inputs, layers.GRU(1, return_sequences=True)(keras.layers.Add()(inputs)))
    with pytest.raises(ValueError, match="hold one array of inputs, but the model takes 2"):
        two.predict(data, verbose=0)
    inputs, shared = layers.Input((None, 2)), layers.GRU(2, return_sequences=True, name="shared")
    twice = sw.Model(inputs, shared(shared(inputs)))
    twice.compile(loss="mse", optimizer="sgd")
    with pytest.raises(ValueError, match="'shared' is called more than once"):
        twice.fit(data, verbose=0)


@pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch", "predict_on_batch"])
def test_lanes_are_no_single_batch(method, series):
    with pytest.raises(TypeError, match=r"x is lanes, .* Give lanes to fit, evaluate or predict"):
        getattr(make(), method)(lanes(series, lanes=2, steps=3, targets="next"))
