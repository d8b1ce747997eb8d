"""Layouts of weights: what is turned into ours is turned back, and what no layer has is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.interop import weights
from statewise.interop.weights import GATES, LAYOUTS, Layout

CASES = [(kind, layout) for form in LAYOUTS.values() for kind, layout in form.items()] + [
    ("LSTM", Layout("iofc", "rows", "flat", None, "")),
    ("GRU", Layout("rzh", "rows", "pair", True, "")),
]


def drawn(kind, layout, features, units, seed):
    rng, gates = np.random.default_rng(seed), len(GATES[kind])
    after = kind == "GRU" and layout.biases != "one"
    bias = (2, gates * units) if after else (gates * units,)
    shapes = [(features, gates * units), (units, gates * units), bias]
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize(("kind", "layout"), CASES, ids=lambda one: str(one)[:60])
@settings(max_examples=20, deadline=None)
@given(
    features=st.integers(1, 5), units=st.integers(1, 5), seed=st.integers(0, 9), bias=st.booleans()
)
def test_what_is_turned_into_ours_is_turned_back(kind, layout, features, units, seed, bias):
    arrays = drawn(kind, layout, features, units, seed)[: 3 if bias else 2]
    there = weights.theirs(kind, layout, arrays)
    back = weights.ours(kind, layout, there)
    assert len(back) == len(arrays)
    for got, expected in zip(back, arrays, strict=True):
        np.testing.assert_array_equal(got, expected)
    again = weights.theirs(kind, layout, back)
    assert all((one == other).all() for one, other in zip(again, there, strict=True))


def test_two_biases_of_an_lstm_are_added():
    layout = LAYOUTS["Keras 2, CuDNNLSTM and CuDNNGRU"]["LSTM"]
    found = weights.ours("LSTM", layout, [np.ones((3, 8)), np.ones((2, 8)), np.arange(16.0)])
    np.testing.assert_array_equal(found[2], np.arange(8.0) + np.arange(8.0, 16.0))


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([(3, 8)], "two matrices"),
        ([(3,), (2, 8)], "two matrices"),
        ([(3, 7), (2, 7)], "4 gates side by side"),
        ([(3, 8), (2, 8), (9,)], "has 8 numbers"),
        ([(3, 8), (2, 8), (8,), (8,), (8,)], "has 8 numbers"),
    ],
)
def test_arrays_that_no_layer_has_are_refused(shapes, said):
    with pytest.raises(ValueError, match=said):
        weights.ours("LSTM", LAYOUTS["Keras 3"]["LSTM"], [np.ones(shape) for shape in shapes])
    with pytest.raises(ValueError, match="two or three arrays each"):
        weights.ours("LSTM", LAYOUTS["Keras 1"]["LSTM"], [np.ones((2, 2))] * 7)


def test_a_gru_of_the_other_form_is_refused():
    arrays = drawn("GRU", LAYOUTS["Keras 3"]["GRU"], 3, 2, 0)
    with pytest.raises(ValueError, match="reset_after=False alone, and this one"):
        weights.theirs("GRU", LAYOUTS["Keras 1"]["GRU"], arrays)
