"""Learning online: the gradient of the last steps, the states that go with the new weights."""

import numpy as np
import pytest

from statewise import Sequential, layers
from statewise.streams import Streams

# isort: split
import keras

FEATURES = 2


def network(*, sequences=True, loss="mse", outputs=2, seed=4, rate=0.1):
    keras.utils.set_random_seed(seed)
    model = Sequential(
        [
            layers.Input((None, FEATURES)),
            layers.LSTM(4, return_sequences=sequences),
            layers.Dense(outputs, activation="softmax" if "sparse" in loss else None),
        ]
    )
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(rate), metrics=[])
    return model


def weights(model):
    return [np.array(w) for w in model.get_weights()]


def assert_weights(model, expected, atol=2e-6):
    for got, want in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(got, want, atol=atol)


def test_the_gradient_is_that_of_the_whole_sequence_while_it_is_kept(rng):
    x = rng.normal(size=(3, 5, FEATURES)).astype("float32")
    y = rng.normal(size=(3, 5, 2)).astype("float32")
    model, other = network(), network()
    streams = Streams(model, history=4)
    for t in range(5):
        keys = range(3) if t else range(2)  # the third key comes later, its window is shorter
        logs = streams.learn({key: (x[key, t], y[key, t]) for key in keys})
        sequences = [
            (x[k, 0 if k < 2 else 1 : t + 1], y[k, 0 if k < 2 else 1 : t + 1]) for k in keys
        ]
        with_shares = expected_step(other, sequences)
        assert logs["loss"] == pytest.approx(with_shares, rel=1e-5)
        assert_weights(model, weights(other))
    for key in (0, 1):  # recomputed with the new weights from the beginning, all of it being kept
        expected = np.asarray(other(x[[key]]))[0]
        np.testing.assert_allclose(streams.forecast(key, 1)[key][0], expected[-1], atol=2e-6)


def expected_step(model, sequences):
    """Train on whole sequences of any lengths, each step counting once; return the loss."""
    longest = max(len(x) for x, _ in sequences)
    x = np.zeros((len(sequences), longest, FEATURES), "float32")
    y = np.zeros((len(sequences), longest, 2), "float32")
    share = np.zeros((len(sequences), longest), "float32")
    for i, (values, targets) in enumerate(sequences):
        x[i, : len(values)], y[i, : len(values)], share[i, : len(values)] = values, targets, 1
    share *= share.size / share.sum()
    return model.train_on_batch(x, y, sample_weight=share, return_dict=True)["loss"]


def test_beyond_the_history_only_the_state_counts(rng):
    x = rng.normal(size=(7, FEATURES)).astype("float32")
    y = rng.normal(size=(7, 2)).astype("float32")
    model = network(rate=0.0)
    streams = Streams(model, history=2)
    streams.push({"a": x[:3]})
    for t in range(3, 6):
        streams.learn({"a": (x[t], y[t])})
    model.optimizer.learning_rate = 0.1
    state = model.warm_up(x[None, :4])  # the new step and the two before it are learned from
    expected = gradient_step(network(), state, x[None, 4:7], y[None, 4:7])
    streams.learn({"a": (x[6], y[6])})
    assert_weights(model, expected)
    after = model.warm_up(x[None, 4:7], state)  # with the new weights
    for name, arrays in streams.state("a").items():
        for array, value in arrays.items():
            np.testing.assert_allclose(value, after[name][array], atol=2e-6)


def gradient_step(model, state, x, y, rate=0.1):
    """Return the weights after one step of plain gradient descent from a given state."""
    import jax

    from statewise.models.inference.stepping import run
    from statewise.models.structure import recurrent_layers

    found = recurrent_layers(model)
    arrays = [[layer[name] for name in layer] for layer in state.values()]

    def loss(trainable):
        outputs, _ = run(model, found, (trainable, others), x, arrays)
        return ((outputs - y) ** 2).mean()

    values = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]
    return [np.asarray(v - rate * g) for v, g in zip(values, jax.grad(loss)(values), strict=True)]


def test_a_pushed_step_is_looked_back_on_without_a_target(rng):
    x = rng.normal(size=(3, FEATURES)).astype("float32")
    y = rng.normal(size=(2,)).astype("float32")
    model, other = network(), network()
    streams = Streams(model, history=5)
    streams.push({"a": x[:2]})
    streams.learn({"a": (x[2], y)})
    share = np.array([[0, 0, 3]], "float32")
    targets = np.stack([np.zeros(2), np.zeros(2), y])[None]
    other.train_on_batch(x[None], targets, sample_weight=share)
    assert_weights(model, weights(other))


def test_a_model_that_gives_its_last_output(rng):
    x = rng.normal(size=(2, 4, FEATURES)).astype("float32")
    y = rng.normal(size=(2, 2)).astype("float32")
    model, other = network(sequences=False), network(sequences=False)
    streams = Streams(model, history=3)
    streams.push({"a": x[0, :3], "b": x[1, :3]})
    streams.learn({"a": (x[0, 3], y[0]), "b": (x[1, 3:], y[1])})
    other.train_on_batch(x, y)
    assert_weights(model, weights(other))
    streams.learn({"a": (x[0, :1], y[0]), "new": (x[1, :2], y[1])})  # windows of 4 and 2 steps
    assert streams.steps("a") == 5
    assert streams.steps("new") == 2


def test_sparse_targets_and_rows_that_fill_the_batch(rng):
    x = rng.normal(size=(3, 2, FEATURES)).astype("float32")
    y = rng.integers(0, 5, (3, 2))
    loss = "sparse_categorical_crossentropy"
    model, other = network(loss=loss, outputs=5), network(loss=loss, outputs=5)
    streams = Streams(model)
    logs = streams.learn({key: (x[key], y[key]) for key in range(3)})
    assert logs["loss"] == pytest.approx(other.train_on_batch(x, y), rel=1e-5)
    assert_weights(model, weights(other))


def test_classes_that_there_aren_t(rng):
    loss = "sparse_categorical_crossentropy"
    model = network(loss=loss, outputs=5)
    streams, before = Streams(model), weights(model)
    for wrong in (5, -1, 2.5, 1e9):
        with pytest.raises(ValueError, match="number of a class, 0 to 4"):
            streams.learn({"a": (np.ones(2), 0), "b": (np.ones(2), wrong)})
    assert_weights(model, before, atol=0)
    assert streams.keys() == []
    ignoring = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    model.compile(loss=ignoring, optimizer="sgd")
    assert np.isfinite(Streams(model).learn({"a": (np.ones((2, 2)), [-1, 3])})["loss"])


def test_learning_learns_and_leaves_other_keys_alone(rng):
    model = network()
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.03))
    streams = Streams(model, history=6)
    streams.push({"other": rng.normal(size=FEATURES)})
    kept = [np.array(a) for layer in streams.state("other").values() for a in layer.values()]
    losses = []
    x = np.zeros((2, FEATURES), "float32")
    for _ in range(600):
        new = rng.normal(size=(2, FEATURES)).astype("float32")
        losses.append(streams.learn({key: (new[key], x[key]) for key in (0, 1)})["loss"])  # echo
        x = new
    assert np.mean(losses[-30:]) < 0.5 * np.mean(losses[1:31])
    for a, b in zip(
        kept, [a for layer in streams.state("other").values() for a in layer.values()], strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_missing_steps_are_left_out_with_their_targets(rng):
    x = rng.normal(size=(4, FEATURES)).astype("float32")
    y = rng.normal(size=(4, 2)).astype("float32")
    holes = x.copy()
    holes[1, 0] = np.nan
    model, other = network(), network()
    streams = Streams(model, missing="carry", history=4)
    streams.learn({"a": (holes, y)})
    Streams(other).learn({"a": (x[[0, 2, 3]], y[[0, 2, 3]])})
    assert_weights(model, weights(other))
    assert streams.steps("a") == 4
    assert streams.learn({"a": (holes[1], y[1]), "b": (holes[1], y[1])}) == {}
    assert (streams.steps("a"), streams.steps("b")) == (5, 1)
    with pytest.raises(ValueError, match="'a' hold NaN in 1 of 4 time steps"):
        Streams(other).learn({"a": (holes, y)})


def test_a_model_compiled_anew_learns_with_its_new_loss(rng):
    model = network()
    streams = Streams(model, history=2)
    x, y = rng.normal(size=(2, FEATURES)), np.full((2, 2), 3.0)
    squared = streams.learn({"a": (x, y)})["loss"]
    model.compile(loss="mae", optimizer="adam", metrics=["mse"])
    logs = streams.learn({"b": (x, y)})
    assert logs["loss"] < squared
    assert logs["mse"] == pytest.approx(logs["loss"] ** 2, rel=0.3)


@pytest.mark.parametrize(
    ("pairs", "kind", "message"),
    [
        ([1], TypeError, r"learn takes a mapping {key: \(x, y\)}"),
        ({"a": np.ones(2)}, TypeError, r"learn takes a mapping {key: \(x, y\)}"),
        (
            {"a": (np.ones(2), np.ones(3))},
            ValueError,
            r"key 'a' has the shape \(3,\); expected \(2,\)",
        ),
        ({"a": (np.ones((4, 2)), np.ones(2))}, ValueError, r"shape \(2,\); expected \(4, 2\)"),
        ({"a": (np.ones(2), [1, np.nan])}, ValueError, "target for key 'a' holds NaN"),
        ({"a": (np.ones(2), ["x", "y"])}, TypeError, "target for key 'a' must be numbers"),
        ({"a": (np.ones(2), ["1", "2"])}, TypeError, "target for key 'a' must be numbers"),
        ({"a": (np.ones(2), [1j, 2])}, TypeError, "target for key 'a' must be numbers"),
        ({True: (np.ones(2), np.ones(2))}, TypeError, "text or an integer; got True"),
        (
            {"a": (np.ones(2), np.ma.masked_equal([1.0, 0], 0))},
            ValueError,
            "target for key 'a' holds NaN",
        ),
        ({"a": (np.ones(3), np.ones(2))}, ValueError, r"values for key 'a' have the shape \(3,\)"),
        ({"a": ([1, 1], [1e30, 1])}, FloatingPointError, "loss is inf, so nothing was learned"),
    ],
)
def test_what_can_t_be_learned_changes_nothing(pairs, kind, message, rng):
    model = network()
    streams = Streams(model, history=2)
    streams.learn({"a": (rng.normal(size=(3, 2)), np.ones((3, 2)))})
    before = weights(model), streams.forecast("a", 4)["a"], int(model.optimizer.iterations)
    with pytest.raises(kind, match=message):
        streams.learn(pairs)
    assert_weights(model, before[0], atol=0)
    np.testing.assert_array_equal(streams.forecast("a", 4)["a"], before[1])
    assert int(model.optimizer.iterations) == before[2]
    assert streams.steps("a") == 3


def test_a_store_that_fails_takes_the_weights_back(tmp_path, rng):
    model = network()
    with Streams(model, store=tmp_path / "a.db", history=2) as streams:
        streams.push({"a": rng.normal(size=2)})
        before = weights(model)
        streams._states.store.close()
        with pytest.raises(OSError, match="closed"):
            streams.learn({"a": (rng.normal(size=2), np.ones(2))})
        assert_weights(model, before, atol=0)
        assert streams.steps("a") == 1
