"""Cross-entropy without laying out the scores: the same numbers, wherever it serves."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from statewise import Model, Sequential, layers
from statewise.models.losses import cross_entropy, projected_cross_entropy
from statewise.sequences import lanes

BATCH, TIME, WORDS, UNITS = 6, 4, 9, 5
PART = 4 * WORDS * UNITS  # bytes: five rows at a time
LOSS = keras.losses.SparseCategoricalCrossentropy


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(projected_cross_entropy, "_AT_ONCE", PART)
    monkeypatch.setattr(projected_cross_entropy, "_WORTH_IT", 0)


@pytest.fixture
def used(monkeypatch):
    """Return a list that grows by the shape of the inputs, each time a projection is summed."""
    shapes, function = [], cross_entropy.projected_cross_entropy

    def noted(inputs, *others):
        shapes.append(inputs.shape)
        return function(inputs, *others)

    monkeypatch.setattr(cross_entropy, "projected_cross_entropy", noted)
    return shapes


def direct(inputs, kernel, bias, classes, weights):
    logs = jax.nn.log_softmax(inputs @ kernel + bias)
    there = (classes >= 0) & (classes < kernel.shape[1])
    chosen = jnp.take_along_axis(logs, jnp.where(there, classes, 0)[:, None], 1)[:, 0]
    return -jnp.where(there, weights * chosen, 0).sum()


@pytest.mark.parametrize("rows", [1, 5, 12, 23])
def test_value_and_gradients(rows, rng):
    arrays = (rng.normal(size=s) for s in ((rows, UNITS), (UNITS, WORDS), (WORDS,)))
    arrays = [jnp.asarray(a, jnp.float32) for a in arrays]
    classes = jnp.asarray(rng.integers(-1, WORDS + 1, size=rows))
    weights = jnp.asarray(rng.uniform(size=rows), jnp.float32)
    found, expected = (
        jax.value_and_grad(lambda *a, f=f: jnp.sin(f(*a, classes, weights)), argnums=(0, 1, 2))(
            *arrays
        )
        for f in (projected_cross_entropy.projected_cross_entropy, direct)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-6), found, expected)
    alone = projected_cross_entropy.projected_cross_entropy(*arrays, classes, weights)
    np.testing.assert_allclose(alone, direct(*arrays, classes, weights), rtol=1e-6)


def test_a_row_that_does_not_count_may_be_infinite():
    inputs = jnp.array([[1.0, 2.0], [jnp.inf, 1.0]])
    kernel, bias = jnp.eye(2, 3), jnp.zeros(3)
    loss = projected_cross_entropy.projected_cross_entropy(
        inputs, kernel, bias, jnp.array([1, 0]), jnp.array([1.0, 0.0])
    )
    np.testing.assert_allclose(
        loss, direct(inputs[:1], kernel, bias, jnp.array([1]), 1.0), rtol=1e-6
    )


ENDS = {
    "dense": lambda: [layers.Dense(WORDS, activation="softmax")],
    "activation, no bias": lambda: [
        layers.Dense(WORDS, use_bias=False),
        layers.Activation("softmax"),
    ],
    "as the page has it": lambda: [
        layers.TimeDistributed(layers.Dense(WORDS)),
        layers.TimeDistributed(layers.Activation("softmax")),
    ],
    "scores": lambda: [layers.Dense(WORDS)],
}


def network(kinds, end, masked):
    keras.utils.set_random_seed(3)
    model, functional = kinds
    stack = [layers.Embedding(WORDS, 3, mask_zero=masked), layers.GRU(UNITS, return_sequences=True)]
    stack += ENDS[end]()
    if not functional:
        return model([layers.Input((TIME,)), *stack])
    inputs = hidden = layers.Input((TIME,))
    for layer in stack:
        hidden = layer(hidden)
    return model(inputs, hidden)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("functional", "masked", "weighted", "reduction"),
    [
        (False, False, False, "sum_over_batch_size"),
        (True, True, True, "sum_over_batch_size"),
        (False, True, False, "sum"),
        (True, False, True, "mean_with_sample_weight"),
    ],
)
def test_fit_gives_the_weights_that_keras_gives(
    end, functional, masked, weighted, reduction, used, rng
):
    x = rng.integers(0, WORDS, size=(BATCH, TIME))
    y = rng.integers(0, WORDS, size=(BATCH, TIME, 1))
    weight = rng.uniform(0.5, 2, size=(BATCH, TIME)).astype("float32") if weighted else None
    results = []
    for kinds in ((keras.Model, keras.Sequential), (Model, Sequential)):
        built = network((kinds[0 if functional else 1], functional), end, masked)
        loss = LOSS(from_logits=end == "scores", reduction=reduction)
        built.compile(loss=loss, optimizer=keras.optimizers.SGD(0.1))
        history = built.fit(x, y, sample_weight=weight, batch_size=3, epochs=3, verbose=0).history
        results.append((history["loss"], built.get_weights(), built.evaluate(x, y, verbose=0)))
    (theirs, keras_weights, keras_value), (ours, weights, value) = results
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(value, keras_value, rtol=1e-5)
    for one, other in zip(weights, keras_weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert set(used) == {(3 * TIME, UNITS), (BATCH * TIME, UNITS)}  # in fit, and in evaluate


def test_lanes(used, rng, monkeypatch):
    series = [rng.integers(0, WORDS, size=n) for n in (17, 9, 30)]
    losses = []
    for at_least in (0, 1 << 40):
        monkeypatch.setattr(projected_cross_entropy, "_WORTH_IT", at_least)
        model = network((Sequential, False), "dense", False)
        model.compile(loss=LOSS(), optimizer="sgd")
        data = lanes(series, lanes=2, steps=5)
        losses.append(model.fit(data, epochs=2, verbose=0).history["loss"])
        assert set(used) == {(10, UNITS)}
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "compiled"),
    [
        ({"reduction": "none"}, {}),
        ({"ignore_class": 1}, {}),
        ({}, {"metrics": ["accuracy"]}),
    ],
)
def test_where_it_does_not_serve(options, compiled, used, rng):
    model = network((Sequential, False), "dense", False)
    model.compile(loss=LOSS(**options), optimizer="sgd", **compiled)
    x = rng.integers(0, WORDS, size=(BATCH, TIME))
    model.evaluate(x, x, verbose=0)
    assert not used


def test_the_layers_stay_as_they_are(rng):
    model = network((Sequential, False), "dense", False)
    model.compile(loss=LOSS(), optimizer="sgd")
    x = rng.integers(0, WORDS, size=(BATCH, TIME))
    before = set(vars(model.layers[-1]))
    model.fit(x, x, verbose=0)
    assert set(vars(model.layers[-1])) == before
    assert model.layers[-1].activation is keras.activations.softmax


def test_targets_that_do_not_fit_are_refused(rng):
    model = network((Sequential, False), "dense", False)
    model.compile(loss=LOSS(), optimizer="sgd")
    x = rng.integers(0, WORDS, size=(BATCH, TIME))
    with pytest.raises(ValueError, match="must have the same shape"):
        model.fit(x, x[:, :2], verbose=0)
