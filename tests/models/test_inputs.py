"""What a model is given: numbers as they are, or a word on what is wrong with them."""

import numpy as np
import pytest

from statewise import Model, Sequential, layers


@pytest.fixture
def model():
    recurrent = layers.GRU(2, return_sequences=True)
    return Sequential([layers.Input((None, 2)), recurrent, layers.Dense(2)])


@pytest.fixture
def x(rng):
    return rng.normal(size=(3, 6, 2))


def runs(model):
    """Return every way to run a model that takes arrays of its own accord."""
    return {
        "step": model.step,
        "warm_up": model.warm_up,
        "forecast": lambda x: model.forecast(x, 2),
        "windowed": lambda x: model.forecast(x, 2, window=3),
    }


WRONG = {
    "one number": (lambda x: 1.0, ValueError, "single number"),
    "one axis": (lambda x: x[0, 0], ValueError, r"shape \(2,\)|shape is \(2,\)"),
    "two axes": (lambda x: x[:, :, 0], ValueError, r"shape \(3, 6\), but the model takes"),
    "other features": (lambda x: x[..., :1], ValueError, "features"),
    "words": (lambda x: x.astype(str), TypeError, "x holds no numbers but <U"),
    "objects": (lambda x: x.astype(object), TypeError, "x holds no numbers but object"),
    "nothing": (lambda x: None, TypeError, "x holds no numbers"),
    "other lengths": (lambda x: [[1.0], [1.0, 2.0]], ValueError, "parts are of different lengths"),
    "no steps": (lambda x: x[:, :0], ValueError, "time step"),
    "complex": (lambda x: x * 1j, TypeError, r"complex numbers \(complex128\).*\.imag"),
    "masked": (lambda x: np.ma.masked_less(x, 0), ValueError, r"masked array with \d+ masked"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_input_is_refused_in_words(model, name, x):
    make, kind, message = WRONG[name]
    for run in runs(model).values():
        with pytest.raises(kind, match=message):
            run(make(x))


def test_no_samples(model, x):
    for run in (model.step, model.warm_up):
        with pytest.raises(ValueError, match="x holds no samples"):
            run(x[:0])
    assert model.forecast(x[:0], 4).shape == (0, 4, 2)


def test_lists_and_unmasked_arrays_are_arrays(model, x):
    for run in runs(model).values():
        expected = run(x)
        for given in (x.tolist(), [list(row) for row in x.tolist()], np.ma.array(x)):
            model.reset_states()
            if isinstance(expected, np.ndarray):
                np.testing.assert_array_equal(run(given), expected)
        model.reset_states()


def test_several_inputs(rng):
    one, two = layers.Input((None, 2)), layers.Input((None, 1))
    both = layers.Concatenate()([one, two])
    model = Model([one, two], layers.GRU(2)(both))
    a, b = rng.normal(size=(3, 4, 2)), rng.normal(size=(3, 4, 1))
    expected = model([a, b])
    np.testing.assert_allclose(model.step([a, b])[0], expected, atol=1e-6)
    with pytest.raises(TypeError, match="complex"):
        model.step([a, b * 1j])
    with pytest.raises(ValueError, match="single number"):
        model.step([a, np.float32(3.0)])


COUNTS = {
    2.0: (TypeError, r"2\.0: expected a whole number"),
    "x": (TypeError, "'x': expected a whole number"),
    True: (TypeError, "True: expected a whole number"),
    None: (TypeError, "None: expected a whole number"),
    0: (ValueError, "0: there must be at least one step"),
    -1: (ValueError, "-1: there must be at least one step"),
}


@pytest.mark.parametrize("value", COUNTS, ids=repr)
def test_numbers_of_steps(model, value, x):
    kind, message = COUNTS[value]
    with pytest.raises(kind, match=f"horizon={message}"):
        model.forecast(x, value)
    if value is None:  # the state is carried
        return
    if value == "x":
        kind, message = ValueError, "'x': expected a number of time steps, None .* or \"auto\""
    with pytest.raises(kind, match=f"window={message}"):
        model.forecast(x, 2, window=value)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64])
def test_whole_numbers_of_numpy(model, kind, x):
    np.testing.assert_array_equal(
        model.forecast(x, kind(4), window=kind(3)), model.forecast(x, 4, window=3)
    )
    assert model.initial_state(kind(100)).batch_size == 100
    model.step(x)
    model.reset_states(rows=[kind(1)])
    assert not np.any(model.get_state().rows(kind(1))[model.layers[0].name]["h"])


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("kind", ["int64", "uint8", "bool"])
def test_whole_numbers_are_continued_as_numbers(model, kind, window, rng):
    x = rng.integers(0, 2 if kind == "bool" else 5, size=(3, 6, 2)).astype(kind)
    expected = model.forecast(x.astype("float32"), 4, window=window)
    np.testing.assert_allclose(model.forecast(x, 4, window=window), expected, atol=1e-6)


def test_a_window_of_whole_numbers_into_a_dense_network(rng):
    model = Sequential([layers.Input((4,)), layers.Dense(1)])
    x, feed = rng.integers(0, 9, size=(3, 6)), lambda output, step: output[:, 0]
    np.testing.assert_allclose(
        model.forecast(x, 5, window=4, feed_back=feed),
        model.forecast(x.astype("float32"), 5, window=4, feed_back=feed),
        rtol=1e-5,
    )


@pytest.mark.parametrize("kind", ["uint8", "int32"])
def test_tokens_stay_tokens(kind, rng):
    tokens = layers.Input((None,), dtype="int32")
    hidden = layers.GRU(4, return_sequences=True)(layers.Embedding(9, 4)(tokens))
    model = Model(tokens, layers.Dense(9)(hidden))
    seen = []

    def choose(output, step):
        seen.append(output.argmax(-1).dtype)
        return output.argmax(-1)

    x = rng.integers(0, 9, size=(2, 5)).astype(kind)
    chosen = model.forecast(x, 4, feed_back=choose).argmax(-1)
    whole = np.concatenate([x, chosen[:, :3]], axis=1)
    np.testing.assert_array_equal(np.asarray(model(whole))[:, 4:].argmax(-1), chosen)
    assert set(map(str, seen)) == {"int32"}
