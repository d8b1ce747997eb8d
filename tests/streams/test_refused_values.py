"""What would spoil a stream, or be taken for another one's, is refused before anything changes."""

import enum

import numpy as np
import pytest

from statewise import Sequential, layers, models
from statewise.models.state import State
from statewise.streams import Streams

# isort: split
import keras


def of_numbers():
    keras.utils.set_random_seed(3)
    return Sequential(
        [layers.Input((None, 3)), layers.LSTM(4, return_sequences=True), layers.Dense(3)]
    )


MODEL = of_numbers()


def arrays(streams, key):
    return [a for layer in streams.state(key).values() for a in layer.values()]


def snapshot(streams):
    rows = streams._states.gather(streams.keys())
    return streams.keys(), {name: array.tobytes() for name, array in rows.items()}


def of_tokens(kind="int32", *, nested=False):
    keras.utils.set_random_seed(0)
    embedding = layers.Embedding(9, 4)
    if nested:
        embedding = Sequential([layers.Input((None,), dtype=kind), embedding])
    return Sequential([layers.Input((None,), dtype=kind), embedding, layers.GRU(3)])


def two_embeddings():
    inputs = layers.Input((None,), dtype="int32")
    small, large = layers.Embedding(9, 2)(inputs), layers.Embedding(12, 2)(inputs)
    return models.Model(inputs, layers.GRU(3)(layers.Concatenate()([small, large])))


@pytest.mark.parametrize(
    "make",
    [
        of_tokens,
        two_embeddings,
        lambda: of_tokens("float32"),
        lambda: of_tokens("uint8"),
        lambda: of_tokens(nested=True),
    ],
    ids=["plain", "two embeddings", "of floats", "of bytes", "nested"],
)
def test_tokens_that_the_embedding_doesn_t_know(make):
    streams = Streams(make())
    streams.push({"a": 3, "b": [1, 8]})
    before = snapshot(streams)
    for wrong in (9, -1, [1, 9], 1 << 32, (1 << 32) + 3, [2, -(1 << 40)], np.int64(1 << 33)):
        for values in ({"a": wrong}, {"b": [0, 1], "a": wrong}):
            for call in (streams.push, streams.peek):
                with pytest.raises(ValueError, match=r"'a' hold the token .*from 0 to 8\."):
                    call(values)
        with pytest.raises(ValueError, match="'a' hold the token"):
            streams["a"].push(wrong)
    with pytest.raises((ValueError, TypeError), match=r"'a' (hold the token 2\.5|must be whole)"):
        streams.push({"a": 2.5})
    with pytest.raises(ValueError, match="fed back hold the token 11"):
        streams.forecast("a", 3, feed_back=lambda y, step: np.array([11]))
    assert snapshot(streams) == before
    assert np.isfinite(streams.push({"a": [0, 8]})["a"]).all()


def test_whole_numbers_that_don_t_fit_are_refused_not_wrapped():
    inputs = layers.Input((None, 2), dtype="int8")
    model = models.Model(inputs, layers.GRU(3)(layers.Rescaling(0.1)(inputs)))
    streams = Streams(model)
    streams.push({"a": [127, -128]})
    for values in ({"a": [128, 0]}, {"a": [256, 0]}, {"a": [1, 1], "b": [0, 300]}):
        with pytest.raises(ValueError, match="a number too large for int8"):
            streams.push(values)
    assert streams.keys() == ["a"]


@pytest.mark.parametrize("stored", [True, False])
def test_states_that_would_overflow(tmp_path, stored):
    model = Sequential([layers.Input((None, 2)), layers.SimpleRNN(3, activation="relu")])
    model.set_weights([np.full((2, 3), 4.0), np.ones((3, 3)), np.zeros(3)])
    with Streams(model, store=tmp_path / "a.db" if stored else None) as streams:
        streams.push({"a": np.ones(2), "b": np.ones(2)})
        before = snapshot(streams)
        for call in (streams.push, streams.peek):
            with pytest.raises(FloatingPointError, match=r"The state of key 'b' would hold NaN"):
                call({"a": [1.0, 1.0], "b": [3e38, 3e38]})
        assert snapshot(streams) == before


@pytest.mark.parametrize("stored", [True, False])
def test_no_key_is_left_at_nan(tmp_path, stored):
    """Large inputs may cancel as infinities; weights are spoilt by a training."""
    keras.utils.set_random_seed(0)
    model = Sequential([layers.Input((None, 2)), layers.GRU(3), layers.Dense(2)])
    kernel, *others = model.get_weights()
    signs = np.tile([[4.0], [-4.0]], (1, kernel.shape[1]))
    model.set_weights([signs, *others])
    with Streams(model, store=tmp_path / "a.db" if stored else None) as streams:
        streams.push({"a": np.ones(2), "b": np.ones(2)})
        before = snapshot(streams)
        wild = np.float32([3e38, 3e38])  # infinity minus infinity
        for attempt in (
            lambda: streams.push({"a": wild}),
            lambda: streams["a"].push(wild),
            lambda: streams.push({"b": np.ones(2), "a": wild}),
            lambda: streams.push({"b": np.ones((2, 2)), "a": [wild, wild]}),
        ):
            try:
                attempt()
            except FloatingPointError as error:
                assert "The state of key 'a' would hold NaN" in str(error)  # noqa: PT017
                assert snapshot(streams) == before
            assert all(np.isfinite(a).all() for key in streams for a in arrays(streams, key))
            streams.reset()
            streams.push({"a": np.ones(2), "b": np.ones(2)})
        before = snapshot(streams)
        model.set_weights([np.full_like(kernel, np.nan), *others])
        for attempt in (
            lambda: streams.push({"a": np.ones(2)}),
            lambda: streams.push({"a": np.ones(2), "b": np.ones(2)}),
            lambda: streams["b"].push(np.ones(2, "float32")),
            lambda: streams.push({"new": np.ones((3, 2))}),
        ):
            with pytest.raises(FloatingPointError, match="spoilt by a training"):
                attempt()
            assert snapshot(streams) == before
        model.set_weights([signs, *others])
        state = streams.state("a")
        broken = {name: {k: a * np.nan for k, a in layer.items()} for name, layer in state.items()}
        with pytest.raises(FloatingPointError, match="key 'a' would hold NaN"):
            streams.set_state("a", State(broken))
        assert snapshot(streams) == before
        assert np.isfinite(streams["a"].push(np.ones(2, "float32"))).all()


class Tank(str, enum.Enum):  # noqa: UP042 (str() of a StrEnum's member is its text)
    NORTH = "north"


class Odd(str):
    """A text that a dictionary doesn't take for its equal."""

    __slots__ = ()

    def __hash__(self):
        return 1


class Number(enum.IntEnum):
    SEVEN = 7


def test_what_is_equal_to_a_key_and_none(rng):
    x = rng.normal(size=3)
    streams = Streams(MODEL)
    streams.push({1: x, 7: x, "north": x, "last": x})
    before = snapshot(streams)
    for wrong in (True, 1.0, np.float64(1), np.bool_(True), None, (1,), b"north"):
        for call in (
            streams.steps,
            streams.state,
            lambda key: streams.set_state(key, streams.state(1)),
            lambda key: streams[key],
            lambda key: streams.push({key: x}),
            lambda key: streams.push({key: x, "north": x}),
            lambda key: streams.peek({key: x}),
            lambda key: streams.forecast([key], 2),
            lambda key: streams.join([key]),
            lambda key: streams.reset([key]),
            lambda key: streams.forget([key]),
        ):
            with pytest.raises(TypeError, match="text or an integer"):
                call(wrong)
        assert wrong not in streams
    for wrong in (True, 1.0, b"north"):
        for call in (streams.reset, streams.forget, streams.join, lambda k: streams.forecast(k, 1)):
            with pytest.raises(TypeError, match="text or an integer"):
                call(wrong)
    assert snapshot(streams) == before


def test_keys_that_are_others_by_their_looks_only(rng):
    """A member of an enumeration is the text or number that it holds."""
    x = rng.normal(size=3)
    streams = Streams(MODEL)
    streams.push({1: x, 7: x, "north": x, "last": x})
    others = [(Tank.NORTH, "north"), (Number.SEVEN, 7), (np.int8(7), 7), (np.str_("new"), "new")]
    for key, plain in others:
        pushed = streams.push({key: x, "last": x})
        assert list(pushed) == [key, "last"]
        assert pushed[key].shape == (3,)
        assert key in streams
        assert streams.steps(key) == streams.steps(plain)
        assert streams[key].key == plain
        assert type(streams[key].key) in (str, int)
    assert streams.keys() == [1, 7, "north", "last", "new"]
    assert all(type(key) in (str, int) for key in streams)
    assert [streams.steps(key) for key in streams] == [1, 3, 2, 5, 1]
    with pytest.raises(ValueError, match="'north' is given twice"):
        streams.push({Odd("north"): x, "north": x})
    assert streams.push({Odd("last"): x}).keys() == {Odd("last")}
    assert streams.steps("last") == 6


def test_changed_weights_serve_every_handle(rng):
    model = of_numbers()
    x = rng.normal(size=3).astype("float32")
    streams = Streams(model)
    streams.join(["a", "b"])
    handles = [streams["a"], streams["b"]]
    first = [handle.push(x) for handle in handles]
    model.layers[-1].bias.assign(model.layers[-1].bias + 1.0)
    streams.reset()
    for handle, before in zip(handles, first, strict=True):
        np.testing.assert_allclose(handle.push(x), before + 1.0, atol=2e-6)


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_a_model_of_other_layers_isn_t_taken_for_the_one_it_was(activation, rng):
    model = Sequential([layers.Input((None, 3)), layers.GRU(4), layers.Dense(3, activation)])
    streams = Streams(model)
    streams.push({"a": rng.normal(size=3), "b": rng.normal(size=3)})
    handle, before = streams["a"], snapshot(streams)
    model.pop()
    model.add(layers.Dense(3))
    x = rng.normal(size=3).astype("float32")
    for call in (
        lambda: handle.push(x),
        lambda: streams.push({"a": x}),
        lambda: streams.push({"a": x, "b": x}),
        lambda: streams.peek({"a": [x, x]}),
        lambda: streams.forecast("a", 3),
    ):
        with pytest.raises(RuntimeError, match="is made of other layers now than when its streams"):
            call()
    assert snapshot(streams) == before
    assert np.isfinite(Streams(model).push({"a": x})["a"]).all()


def test_an_output_is_the_caller_s_to_change(rng):
    x = rng.normal(size=(2, 3)).astype("float32")
    streams, other = Streams(MODEL), Streams(MODEL)
    for one in (streams, other):
        one.join(["a", "b"])
    for push in (
        lambda s: s["a"].push(x[0]),
        lambda s: s.push({"a": x[1]})["a"],
        lambda s: s.push({"a": x[0], "b": x[1]})["a"],
    ):
        push(other)
        push(streams)[:] = 7.0
        np.testing.assert_array_equal(streams.forecast("a", 3)["a"], other.forecast("a", 3)["a"])
