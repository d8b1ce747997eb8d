"""Streams equal whole sequences, whatever stands beside them; bad input changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise import Sequential, layers, models
from statewise.models.state import State
from statewise.recurrence.native import available
from statewise.streams import Stream, Streams
from statewise.streams.engines import CompiledEngine, NativeEngine

# isort: split
import keras

FEATURES = 3
KEYS = ["north", "south", 7, -2]


def stack(*, sequences=True, native=True, outputs=FEATURES):
    """A small model with random weights; the compiled engine runs it where it isn't native."""
    keras.utils.set_random_seed(3)
    model = Sequential(
        [
            layers.Input((None, FEATURES)),
            layers.LSTM(5, return_sequences=True, bias_initializer="uniform"),
            layers.Dropout(0.5),
            layers.GRU(4, return_sequences=sequences, bias_initializer="uniform"),
            layers.Dense(outputs, activation="tanh" if native else keras.ops.sin),
        ]
    )
    for variable in model.weights:
        variable.assign(
            variable + 0.1 * np.sin(np.arange(variable.value.size)).reshape(variable.shape)
        )
    return model


MODELS = {
    "native": stack(),
    "compiled": stack(native=False),
    "native, last only": stack(sequences=False),
    "compiled, last only": stack(sequences=False, native=False),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


def whole(model, x):
    """What the model makes of one sequence ``(time, features)``."""
    return np.asarray(model(x[None]))[0]


def arrays(streams, key):
    return [a for layer in streams.state(key).values() for a in layer.values()]


def snapshot(streams):
    kept = {key: ([a.copy() for a in arrays(streams, key)], streams.steps(key)) for key in streams}
    outputs = {k: streams.forecast(k, 1)[k] for k in streams if streams.steps(k)}
    return kept, outputs


def assert_same(one, other):
    (kept, outputs), (kept2, outputs2) = one, other
    assert list(kept) == list(kept2)
    for key in kept:
        assert kept[key][1] == kept2[key][1]
        for a, b in zip(kept[key][0], kept2[key][0], strict=True):
            np.testing.assert_array_equal(a, b)
    for key in outputs:
        np.testing.assert_array_equal(outputs[key], outputs2[key])


@pytest.mark.skipif(not available(), reason="the native extension isn't built")
def test_which_engine_serves():
    kinds = {name: type(Streams(model)._runner.engine) for name, model in MODELS.items()}
    assert [k is NativeEngine for k in kinds.values()] == [True, False, True, False]
    assert kinds["compiled"] is CompiledEngine


@settings(deadline=None, max_examples=10)
@given(data=st.data(), name=st.sampled_from(list(MODELS)))
def test_any_interleaving_equals_the_whole_sequence(data, name):
    model = MODELS[name]
    rng = np.random.default_rng(5)
    series = {key: rng.normal(size=(9, FEATURES)).astype("float32") for key in KEYS}
    streams, at = Streams(model), dict.fromkeys(KEYS, 0)
    outputs = {key: [] for key in KEYS}
    for _ in range(data.draw(st.integers(1, 6))):
        values = {}
        for key in data.draw(st.lists(st.sampled_from(KEYS), unique=True)):
            steps = min(data.draw(st.sampled_from([None, 1, 2, 3])) or 0, 9 - at[key])
            if at[key] == 9:
                continue
            values[key] = series[key][at[key] : at[key] + steps] if steps else series[key][at[key]]
            at[key] += steps or 1
        for key, y in streams.push(values).items():
            many = model.output_shape[1] is None and values[key].ndim == 2
            outputs[key].append(y if many else y[None])
    for key in KEYS:
        if not at[key]:
            assert key not in streams
            continue
        expected = whole(model, series[key][: at[key]])
        if len(model.output_shape) == 2:
            np.testing.assert_allclose(outputs[key][-1][0], expected, atol=2e-6)
        else:
            got = np.concatenate([np.atleast_2d(y) for y in outputs[key]])
            np.testing.assert_allclose(got, expected, atol=2e-6)
        assert streams.steps(key) == at[key]


def test_a_handle_pushes_like_the_rest(model, rng):
    x = rng.normal(size=(6, FEATURES)).astype("float32")
    streams, other = Streams(model), Streams(model)
    streams.join(["a", "b"])
    stream = streams["a"]
    for step in x[:3]:
        y = stream.push(step)
        np.testing.assert_allclose(y, other.push({"a": step})["a"], atol=1e-6)
    streams.join([f"more{i}" for i in range(40)])  # the arrays grow under the handle
    y = stream.push(x[3].tolist())  # no array, no float32
    np.testing.assert_allclose(y, other.push({"a": x[3]})["a"], atol=1e-6)
    y = stream.push(x[4:])
    np.testing.assert_allclose(y, other.push({"a": x[4:]})["a"], atol=1e-6)
    assert stream.steps == 6
    np.testing.assert_array_equal(stream.forecast(3), streams.forecast("a", 3)["a"])
    assert all((np.asarray(a) == 0).all() for a in arrays(streams, "b"))
    assert str(stream.state) == str(streams.state("a"))
    assert repr(stream) == "<Stream 'a', 6 steps>"
    stream.reset()
    np.testing.assert_allclose(stream.push(x[0]), streams.push({"new": x[0]})["new"], atol=1e-6)
    streams.forget("a")
    streams.join("thief")  # gets the slot
    with pytest.raises(KeyError, match="No such key: 'a'"):
        stream.push(x[0])
    assert streams.steps("thief") == 0


def test_forecast_equals_the_model_s_and_leaves_no_trace(model, rng):
    x = rng.normal(size=(2, 6, FEATURES)).astype("float32")
    streams = Streams(model)
    streams.push({"a": x[0], "b": x[1], "c": x[1, 0]})
    before = snapshot(streams)
    got = streams.forecast(["a", "b"], 5)
    expected = model.forecast(x, 5, window=None)
    np.testing.assert_allclose(np.stack([got["a"], got["b"]]), expected, atol=2e-6)
    double = streams.forecast("a", 3, feed_back=lambda y, step: y * (step + 1))
    doubled = model.forecast(x[:1], 3, window=None, feed_back=lambda y, step: y * (step + 1))
    np.testing.assert_allclose(double["a"], doubled[0], atol=2e-6)
    assert_same(before, snapshot(streams))


def test_peek_says_what_push_will_and_leaves_no_trace(model, rng):
    x = rng.normal(size=(4, FEATURES)).astype("float32")
    streams = Streams(model)
    streams.push({"a": x[0]})
    before = snapshot(streams)
    peeked = streams.peek({"a": x[1:], "b": x[0]})
    assert_same(before, snapshot(streams))
    pushed = streams.push({"a": x[1:], "b": x[0]})
    for key in pushed:
        np.testing.assert_allclose(peeked[key], pushed[key], atol=1e-6)


@settings(deadline=None, max_examples=5)
@given(st.data())
def test_pushes_of_many_keys_equal_pushes_of_one(data):
    """Whichever keys, in whichever order, while others join and leave."""
    model, rng = MODELS["native"], np.random.default_rng(5)
    together, alone = Streams(model), Streams(model)
    keys: list = [f"key {i}" if i % 3 else i for i in range(60)]
    for _ in range(5):
        pushed = data.draw(st.permutations(keys))[: data.draw(st.sampled_from([40, 60, 60]))]
        values = {key: rng.normal(size=FEATURES) for key in pushed}
        for _ in range(data.draw(st.integers(1, 2))):  # again, which is found faster
            outputs = together.push(values)
            assert list(outputs) == pushed
            for key in pushed:
                one = alone.push({key: values[key]})[key]
                np.testing.assert_allclose(one, outputs[key], atol=1e-5)
        leaving = data.draw(st.lists(st.sampled_from(pushed), unique=True, max_size=4))
        for streams in (together, alone):
            streams.forget(leaving)
            streams.join(leaving[:1])
    for key in together:
        assert together.steps(key) == alone.steps(key)
        for one, other in zip(arrays(together, key), arrays(alone, key), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
        if together.steps(key):
            one, other = (s.forecast(key, 1)[key] for s in (together, alone))
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300, "text", [1.0], None])
def test_one_wrong_value_of_many_is_found_and_named(wrong, rng):
    streams = Streams(MODELS["native"])
    values = {f"key {i}": rng.normal(size=FEATURES) for i in range(50)}
    streams.push(values)
    before = snapshot(streams)
    values["key 31"] = wrong if wrong is None or wrong == "text" else np.full(FEATURES, wrong)
    if wrong == [1.0]:
        values["key 31"] = np.ones(FEATURES + 1)
    with pytest.raises((ValueError, TypeError), match="'key 31'"):
        streams.push(values)
    assert_same(before, snapshot(streams))


@settings(deadline=None, max_examples=15)
@given(leaving=st.lists(st.sampled_from(KEYS[1:]), unique=True), joining=st.integers(0, 40))
def test_keys_that_come_and_go_disturb_nobody(leaving, joining):
    model = MODELS["native"]
    rng = np.random.default_rng(6)
    x = rng.normal(size=(len(KEYS), 6, FEATURES)).astype("float32")
    streams = Streams(model)
    streams.push(dict(zip(KEYS, x[:, :3], strict=True)))
    streams.forget(leaving)
    streams.push({f"new{i}": x[0, 0] + i for i in range(joining)})
    stay = [key for key in KEYS if key not in leaving]
    got = streams.push({key: x[KEYS.index(key), 3:] for key in stay})
    for key in stay:
        expected = whole(model, x[KEYS.index(key)])[3:]
        np.testing.assert_allclose(got[key], expected, atol=2e-6)
    again = streams.push(dict.fromkeys(leaving, x[0, 0]))  # from the beginning
    for key in leaving:
        np.testing.assert_allclose(again[key], whole(model, x[0, :1])[0], atol=2e-6)
    assert len(streams) == len(KEYS) + joining


def test_states_are_read_set_reset_and_moved_to_other_keys(model, rng):
    x = rng.normal(size=(5, FEATURES)).astype("float32")
    streams = Streams(model)
    streams.push({"a": x[:3]})
    streams.set_state("b", streams.state("a"))
    with pytest.raises(ValueError, match="'b' has no output to go on from"):
        streams.forecast("b", 1)
    got = streams.push({"a": x[3:], "b": x[3:]})
    np.testing.assert_allclose(got["a"], got["b"], atol=1e-6)
    warm = model.warm_up(x[None, :3])
    streams.set_state("c", warm)  # of JAX
    np.testing.assert_allclose(streams.push({"c": x[3:]})["c"], got["a"], atol=2e-6)
    streams.reset("a")
    assert streams.steps("a") == 0
    assert streams.steps("b") == 2
    streams.reset()
    assert all((a == 0).all() for key in streams for a in arrays(streams, key))
    fixed = streams.state("a")
    streams.push({"a": x})
    assert all((a == 0).all() for layer in fixed.values() for a in layer.values())  # a copy
    with pytest.raises(ValueError, match=r"lstm.*: expected .*, got nothing"):
        streams.set_state("a", State({"gru": {"h": np.zeros((1, 4), "float32")}}))
    with pytest.raises(ValueError, match="of 1 sample; got 2"):
        streams.set_state("a", model.initial_state(2).numpy())


def test_changed_weights_serve_at_once(rng):
    model = stack()
    x = rng.normal(size=(2, FEATURES)).astype("float32")
    streams = Streams(model)
    streams.join("a")
    stream = streams["a"]
    first = stream.push(x[0])
    model.layers[-1].bias.assign(model.layers[-1].bias + 1.0)
    stream.reset()
    second = stream.push(x[0])
    assert np.abs(first - second).max() > 0.1
    np.testing.assert_allclose(second, whole(model, x[:1])[0], atol=2e-6)


def test_tokens_stream_too(rng):
    keras.utils.set_random_seed(0)
    model = Sequential(
        [layers.Input((None,), dtype="int32"), layers.Embedding(9, 4), layers.GRU(3)]
    )
    streams = Streams(model)
    streams.push({"a": 3, "b": [1, 2]})
    y = streams.push({"a": [4, 5]})["a"]
    expected = np.asarray(model(np.array([[3, 4, 5]])))[0]
    np.testing.assert_allclose(y, expected, atol=1e-6)
    with pytest.raises(TypeError, match="key 'a' must be whole numbers"):
        streams.push({"a": 0.5})


def test_missing_steps_are_carried_over(model, rng):
    x = rng.normal(size=(6, FEATURES)).astype("float32")
    holes = x.copy()
    holes[[1, 4], 2] = np.nan
    streams = Streams(model, missing="carry")
    seen = [0, 2, 3, 5]
    got = streams.push({"a": holes, "b": x[:2]})["a"]
    expected = whole(model, x[seen])
    if got.ndim == 2:
        assert np.isnan(got[[1, 4]]).all()
        got = got[seen]
    np.testing.assert_allclose(got, expected, atol=2e-6)
    before = arrays(streams, "a")
    assert np.isnan(streams.push({"a": holes[1]})["a"]).all()
    assert np.isnan(streams.push({"a": holes[[1, 4]]})["a"]).all()
    for a, b in zip(before, arrays(streams, "a"), strict=True):
        np.testing.assert_array_equal(a, b)
    assert streams.steps("a") == 9
    last = expected[-1] if expected.ndim == 2 else expected
    np.testing.assert_allclose(streams.forecast("a", 1)["a"][0], last, atol=2e-6)
    stream = streams["a"]
    assert np.isnan(stream.push(holes[1])).all()


BAD = [
    ({"a": np.ones(2)}, ValueError, r"key 'a' have the shape \(2,\); expected \(3,\)"),
    ({"b": np.ones(3), "a": np.ones((2, 4))}, ValueError, r"'a' have the shape \(2, 4\)"),
    ({"a": np.ones((0, 3))}, ValueError, r"'a' have the shape \(0, 3\)"),
    ({"a": np.ones((1, 1, 3))}, ValueError, r"'a' have the shape \(1, 1, 3\)"),
    ({"a": 1.0}, ValueError, r"'a' have the shape \(\)"),
    ({"b": np.ones(3), "a": [1, np.nan, 1]}, ValueError, "'a' hold NaN in 1 of 1 time steps"),
    ({"a": [1, np.inf, 1]}, ValueError, "key 'a' hold an infinity"),
    ({"a": [1, 1e300, 1]}, ValueError, "too large for float32"),
    ({"a": ["1", "2", "3"]}, TypeError, "key 'a' must be numbers"),
    ({"a": [[1, 2, 3], [1]]}, TypeError, "key 'a' must be numbers"),
    ({"a": [1, None, 3]}, TypeError, "key 'a' must be numbers"),
    ({"b": np.ones(3), 1.5: np.ones(3)}, TypeError, "text or an integer; got 1.5, a float"),
    ({7: np.ones(3), True: np.ones(3)}, TypeError, "text or an integer; got True, a bool"),
    ({7.0: np.ones(3)}, TypeError, r"text or an integer; got 7\.0, a float"),
    ({"a": np.ma.masked_equal([1.0, 0, 2], 0)}, ValueError, "key 'a' hold NaN in 1 of 1"),
    ({(1, 2): np.ones(3)}, TypeError, r"text or an integer; got \(1, 2\)"),
    ({1 << 63: np.ones(3)}, ValueError, "more than 64 bits"),
    ({"\ud800": np.ones(3)}, ValueError, "isn't valid text"),
    ([1, 2, 3], TypeError, "takes a mapping {key: values}, got a list"),
]


@pytest.mark.parametrize("name", ["native", "compiled"])
def test_a_bad_push_changes_nothing(name, rng):
    streams = Streams(MODELS[name])
    streams.push({"a": rng.normal(size=(2, FEATURES)), "b": rng.normal(size=FEATURES)})
    streams.join([1, 7])  # equal to True and 7.0
    before = snapshot(streams)
    for values, kind, message in BAD:
        with pytest.raises(kind, match=message):
            streams.push(values)
        assert_same(before, snapshot(streams))


def test_bad_values_through_a_handle_change_nothing(rng):
    streams = Streams(MODELS["native"])
    streams.push({"a": rng.normal(size=FEATURES)})
    before = snapshot(streams)
    for values in (np.ones(2, "f4"), np.full(3, np.nan, "f4"), np.full(3, np.inf, "f4")):
        with pytest.raises(ValueError, match="key 'a'"):
            streams["a"].push(values)
    assert_same(before, snapshot(streams))


def test_large_values_aren_t_taken_for_infinities():
    streams = Streams(MODELS["native"])
    streams.push({"a": np.full(3, 2e38, "f4"), "b": np.full(3, 3e38, "f4")})
    assert np.isfinite(streams["a"].push(np.full(3, 2e38, "f4"))).all()


def test_unknown_keys(rng):
    x = rng.normal(size=FEATURES)
    streams = Streams(MODELS["native"], unknown="raise")
    assert streams.push({}) == {}
    streams.join(["a", np.int64(7)])
    streams.push({"a": x, 7: x})
    before = snapshot(streams)
    several = {"a": x, "b": x, "c": x, "d": x, "e": x}
    for attempt, message in [
        (lambda: streams.push(several), r"'b', 'c', 'd' and 1 more. There are 2 keys"),
        (lambda: streams.peek({"b": x}), "'b'"),
        (lambda: streams.set_state("b", streams.state("a")), "'b'"),
        (lambda: streams["b"], "'b'"),
        (lambda: streams.steps("b"), "'b'"),
        (lambda: streams.state("b"), "'b'"),
        (lambda: streams.forecast(["a", "b"], 2), "'b'"),
        (lambda: streams.reset(["a", "b"]), "'b'"),
        (lambda: streams.forget(["a", "b"]), "'b'"),
    ]:
        with pytest.raises(KeyError, match=f"No such key: {message}"):
            attempt()
    with pytest.raises(ValueError, match="'a' is given twice"):
        streams.forget(["a", "b", "a"])
    assert_same(before, snapshot(streams))
    assert streams.keys() == list(streams) == ["a", 7]
    assert type(streams.keys()[1]) is int
    assert "a" in streams
    assert "b" not in streams
    assert isinstance(streams["a"], Stream)
    assert repr(streams) == f"<Streams of {streams.model.name!r}: 2 keys in memory>"


def test_bad_arguments(rng):
    model = MODELS["native"]
    with pytest.raises(ValueError, match="unknown='maybe': expected 'join' or 'raise'"):
        Streams(model, unknown="maybe")
    with pytest.raises(ValueError, match="missing='drop': expected 'raise' or 'carry'"):
        Streams(model, missing="drop")
    with pytest.raises(ValueError, match="history=-1: expected 0 or more time steps"):
        Streams(model, history=-1)
    with pytest.raises(TypeError, match=r"history=1\.5: expected a whole number"):
        Streams(model, history=1.5)
    with pytest.raises(ValueError, match="can't learn yet: compile it"):
        Streams(model, history=3)
    streams = Streams(model)
    with pytest.raises(ValueError, match="can't learn yet: compile it"):
        streams.learn({"a": (np.ones(3), np.ones(3))})
    streams.push({"a": rng.normal(size=3)})
    with pytest.raises(ValueError, match="horizon=0"):
        streams.forecast("a", 0)
    with pytest.raises(TypeError, match=r"horizon=2\.0: expected a whole number"):
        streams.forecast("a", 2.0)
    streams = Streams(stack(outputs=2))
    streams.push({"a": rng.normal(size=3)})
    assert streams.forecast("a", 1)["a"].shape == (1, 2)
    with pytest.raises(ValueError, match=r"can't be fed back: it has the shape \(1, 2\)"):
        streams.forecast("a", 2)
    assert streams.forecast([], 2) == {}


def two_inputs():
    a, b = layers.Input((None, 1)), layers.Input((None, 1))
    return models.Model([a, b], layers.GRU(2)(layers.Concatenate()([a, b])))


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: keras.Sequential([layers.Input((None, 1)), layers.GRU(2)]),
            TypeError,
            "statewise",
        ),
        (lambda: Sequential([layers.GRU(2)]), ValueError, "begin it with"),
        (two_inputs, ValueError, "has 2 and 1"),
        (
            lambda: Sequential([layers.Input((None, 1)), layers.Dense(2)]),
            ValueError,
            "no recurrent",
        ),
        (
            lambda: Sequential([layers.Input((None, 1)), layers.Bidirectional(layers.GRU(2))]),
            ValueError,
            "needs several time steps at once",
        ),
    ],
)
def test_models_that_can_t_stream(make, kind, message):
    with pytest.raises(kind, match=message):
        Streams(make())
