import keras
import numpy as np
import pytest

from statewise import layers
from statewise.tasks.text import weight_drop
from statewise.tasks.text.network import Plan, network
from statewise.tasks.text.passing import Passes

PLAN = Plan(7, 5, "lstm", 6, 1, 0.0, 0.0, False, False, 3)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def by_hand(model, numbers):
    """The log-likelihood of each token and the last state of an LSTM, in plain NumPy."""
    table, kernel, recurrent, bias, dense, shift = (
        np.asarray(v.value, np.float64) for v in model.trainable_variables
    )
    units = len(recurrent)
    h, c, told, before = np.zeros(units), np.zeros(units), [], len(table) - 1
    for number in [*numbers, None]:
        i, f, g, o = np.split(table[before] @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        scores = h @ dense + shift
        if number is None:
            return np.array(told), h, c
        told.append(scores[number] - np.log(np.exp(scores).sum()))
        before = number
    return None


def test_likelihoods_and_states_are_those_by_hand(rng):
    model = network(PLAN)
    passes = Passes(model, 7)
    texts = [rng.integers(0, 7, n) for n in (600, 3, 0, 1030, 17)]
    found = passes.states(texts)
    for row, text in enumerate(texts[:3]):
        told, h, c = by_hand(model, text)
        cuts = np.sort(rng.integers(0, len(text) + 1, 4))
        got = np.concatenate([np.zeros(0), *passes.log_likelihoods(np.split(text, cuts))])
        np.testing.assert_allclose(got, told, atol=2e-5)
        np.testing.assert_allclose(found[0][0][row], h, atol=2e-5)
        np.testing.assert_allclose(found[0][1][row], c, atol=2e-5)
    _, h, _ = by_hand(model, texts[3])
    np.testing.assert_allclose(found[0][0][3], h, atol=2e-5)


def test_weights_depend_on_the_seed_alone():
    first, same, other = (network(p) for p in (PLAN, PLAN, Plan(*[*vars(PLAN).values()][:-1], 4)))
    values = [[np.asarray(v.value) for v in m.trainable_variables] for m in (first, same, other)]
    assert all(map(np.array_equal, values[0], values[1]))
    assert not np.array_equal(values[0][0], values[2][0])
    matrices = [v for v in values[0] if v.ndim == 2]
    assert all(np.unique(m).size > m.size // 2 for m in matrices)
    assert PLAN.weights == sum(m.size for m in matrices)


@pytest.mark.slow
def test_tied_scores_are_those_of_the_embedding(rng):
    model = network(Plan(7, 5, "gru", 6, 2, 0.0, 0.0, True, True, 0))
    assert sum(v.path.startswith("tokens") for v in model.trainable_variables) == 1
    numbers = rng.integers(0, 8, (2, 3, 1))
    table = np.asarray(model.get_layer("tokens").embeddings.value)
    inner = keras.Model(model.inputs[0], model.get_layer("projection").output)
    np.testing.assert_allclose(
        np.asarray(model(numbers)), np.asarray(inner(numbers)) @ table[:7].T, atol=1e-5
    )


@pytest.mark.parametrize(
    "kind", ["lstm", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("gru", "rnn"))]
)
def test_dropped_weights_are_zero_in_training_alone(rng, monkeypatch, kind):
    plain_kind = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}[kind]
    plain = plain_kind(4, return_sequences=True)
    dropping = weight_drop.LAYERS[kind](4, return_sequences=True, weight_drop=0.4, seed=1)
    x = rng.normal(size=(3, 5, 2)).astype("float32")
    plain(x), dropping(x)
    weights = [rng.normal(size=w.shape).astype("float32") for w in plain.get_weights()]
    plain.set_weights(weights)
    dropping.set_weights([*weights, *dropping.get_weights()[len(weights) :]])
    assert np.array_equal(dropping(x), plain(x))
    drawn = []

    def dropout(kernel, rate, seed):
        mask = rng.random(kernel.shape) >= rate
        drawn.append(np.asarray(kernel) * mask / (1 - rate))
        return drawn[-1].astype("float32")

    monkeypatch.setattr(keras.random, "dropout", dropout)
    got = dropping(x, training=True)
    plain.set_weights([weights[0], drawn[0], *weights[2:]])
    np.testing.assert_allclose(got, plain(x), atol=1e-6)
    assert np.array_equal(np.asarray(dropping.cell.recurrent_kernel.value), weights[1])


@pytest.mark.slow
def test_weight_drop_is_drawn_anew_in_each_call(rng):
    layer = weight_drop.WeightDropLSTM(8, weight_drop=0.5, seed=1)
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    first, second = (np.asarray(layer(x, training=True)) for _ in range(2))
    assert not np.allclose(first, second)
    again = type(layer).from_config(layer.get_config())
    assert again.weight_drop == 0.5
