import re

import jax.numpy as jnp
import numpy as np
import pytest

from statewise import Model, Sequential, layers, sequences
from statewise.pictures import explain

L = layers


def stack(*parts, shape=(3, 2)):
    return Sequential([L.Input(shape), *parts])


def said(explanation):
    return " ".join(explanation.sentences)


def test_samples_steps_and_features():
    found = explain(stack(L.LSTM(4), L.Dense(1)), (32, 3, 2))
    assert found.sentences[0] == (
        "(batch 32, time steps 3, features 2): 32 samples in a batch, each a sequence of 3 time "
        "steps with 2 numbers known at each."
    )
    assert found.warnings == []
    assert "Forgotten after each batch" in said(found)
    assert "Carried to the next batch" in said(explain(stack(L.LSTM(4, stateful=True))))
    assert "There is no state" in said(explain(stack(L.Dense(4))))


@pytest.mark.parametrize(
    "layer",
    [
        L.SimpleRNN(3),
        L.GRU(3),
        L.GRU(3, reset_after=False),
        L.GRU(3, use_bias=False),
        L.Bidirectional(L.LSTM(3)),
        L.TimeDistributed(L.Dense(4)),
        L.Embedding(7, 3),
        L.Conv1D(4, 2),
        L.BatchNormalization(),
    ],
    ids=lambda layer: layer.name,
)
def test_the_formulas_give_the_weights(layer):
    model = stack(layer, shape=(3,) if isinstance(layer, L.Embedding) else (3, 2))
    table = explain(model).weights
    assert table["weights"].sum() == model.count_params()
    for formula, weights in zip(table["formula"], table["weights"], strict=True):
        numbers = [int(word) for word in formula.split() if word.isdigit()]
        assert np.prod(numbers) == weights, formula
    if isinstance(layer, L.GRU) and layer.reset_after and layer.use_bias:
        assert table["formula"][2] == "2 biases x 3 gates x 3 units"


def test_the_gradient_tells_what_gets_where(rng):
    many = stack(L.GRU(3, return_sequences=True), L.Dense(2), shape=(4, 2))
    found = explain(many)
    assert ((found.reach.to_numpy() > 0) == np.tril(np.ones((4, 4), bool))).all()
    assert list(found.reach.columns) == ["input 1", "input 2", "input 3", "input 4"]
    # The same by hand: change an input step, and look what moves.
    x = rng.normal(size=(1, 4, 2)).astype("float32")
    for step in range(4):
        changed = x.copy()
        changed[:, step] += 1
        moved = np.abs(np.asarray(many(changed)) - np.asarray(many(x))).max(axis=(0, 2)) > 0
        assert (moved == (found.reach.iloc[:, step] > 0)).all()


def test_tokens_are_measured_by_what_is_made_of_them():
    found = explain(stack(L.Embedding(9, 3), L.GRU(2), L.Dense(1), shape=(5,)))
    assert (found.reach.to_numpy() > 0).all()
    assert found.reach.shape == (1, 5)
    assert "each a sequence of 5 time steps with a token known at each" in found.sentences[0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: stack(L.Lambda(lambda x: x[:, 2:]), L.GRU(2), shape=(5, 1)),
         r"No output hangs on steps 1 to 2 of the input"),
        (lambda: stack(L.LSTM(2), L.Dense(1), L.Activation("softmax")), "its gradient is 0"),
        (lambda: stack(L.SimpleRNN(2, return_sequences=True, recurrent_initializer="zeros")),
         "The output of step 2 should see step 1, but its gradient there is exactly 0"),
        (lambda: stack(L.LSTM(2), shape=(1, 3)), r"one time step of 3 features.*\(batch, 3, 1\)"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
def test_warnings(make, words):
    (warning, *_) = explain(make()).warnings
    assert re.search(words, warning), warning


def test_a_maximum_is_no_reason_to_warn():
    found = explain(stack(L.MaxPooling1D(2), L.LSTM(2), shape=(8, 2)))
    assert found.warnings == []


def test_a_gradient_that_vanishes_is_found():
    found = explain(stack(L.SimpleRNN(2, recurrent_initializer="zeros"), shape=(5, 1)))
    (warning, _) = found.warnings
    assert warning.startswith("No output hangs on steps 1 to 4 of the input")
    assert ((found.reach.to_numpy() > 0) == [[False] * 4 + [True]]).all()


def test_data_instead_of_a_shape(rng):
    model = stack(L.LSTM(2), L.Dense(1), shape=(3, 1))
    found = explain(model, rng.normal(size=(20, 3, 1)))
    assert "20 samples in a batch" in found.sentences[0]
    assert found.cut is None
    # Where relu is switched off for these very data, the gradient says so.
    off = stack(L.Dense(1, activation="relu", kernel_initializer="ones"), shape=(3,))
    assert explain(off, -np.ones((4, 3))).warnings == [
        "No output hangs on the input at all: its gradient is 0."
    ]
    assert explain(off, np.ones((4, 3))).warnings == []


def test_windows_and_lanes():
    cut = sequences.windows(np.arange(20.0), lookback=3)
    found = explain(stack(L.LSTM(2), L.Dense(1), shape=(3, 1)), cut)
    assert found.cut.picture == "windows"
    assert "every row is a sequence of its own" in said(found)
    assert found.warnings == []
    stateful = stack(L.LSTM(2, stateful=True), L.Dense(1), shape=(3, 1))
    (warning,) = explain(stateful, cut).warnings
    assert "The windows overlap, and the model is stateful" in warning
    apart = sequences.windows(np.arange(20.0), lookback=3, stride=3)
    assert explain(stateful, apart).warnings == []
    laid = sequences.lanes([np.arange(9.0), np.arange(6.0)], lanes=2, steps=4)
    found = explain(stack(L.GRU(2, return_sequences=True), L.Dense(1), shape=(None, 1)), laid)
    assert found.cut.picture == "lanes"
    assert "The state goes on from chunk to chunk" in said(found)


def test_several_inputs_and_outputs():
    a, b = L.Input((3, 1)), L.Input((2,))
    both = L.Concatenate()([L.LSTM(2)(a), b])
    model = Model([a, b], [L.Dense(1)(both), L.Dense(2)(b)])
    found = explain(model, [(8, 3, 1), (8, 2)])
    assert list(found.reach.index) == ["output 1", "output 2"]
    assert list(found.reach.columns) == ["input 1 1", "input 1 2", "input 1 3", "input 2"]
    assert (found.reach.loc["output 2"] > 0).tolist() == [False, False, False, True]
    assert found.warnings == []


def test_it_says_itself():
    found = explain(stack(L.Lambda(lambda x: jnp.zeros_like(x)), L.GRU(2)))
    assert "Warning: No output hangs on the input at all" in str(found)
    assert "3 gates x 2 features x 2 units" in str(found)
    page = found._repr_html_()
    assert page.startswith("<svg")
    assert "<b>Warning:</b>" in page
