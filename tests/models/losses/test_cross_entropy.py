"""Sparse cross-entropy from the scores: Keras's numbers, without its limit, wherever it is used."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from statewise import Model, Sequential, layers
from statewise.layers.scores import keeping_scores, scores_of
from statewise.models.losses.cross_entropy import softmax_layers, sparse_cross_entropy

BATCH, TIME, CLASSES = 6, 4, 5
LOSS = "sparse_categorical_crossentropy"
ENDS = {
    "dense": lambda: [layers.Dense(CLASSES, activation="softmax")],
    "activation": lambda: [layers.Dense(CLASSES), layers.Activation("softmax")],
    "as the page has it": lambda: [
        layers.TimeDistributed(layers.Dense(CLASSES)),
        layers.TimeDistributed(layers.Activation("softmax")),
    ],
    "dense in time": lambda: [layers.TimeDistributed(layers.Dense(CLASSES, activation="softmax"))],
    "softmax layer": lambda: [layers.Dense(CLASSES), layers.Softmax()],  # not from scores
}


def network(model, sequential, end, *, masked=False, recurrent=layers.GRU):
    keras.utils.set_random_seed(3)
    stack = [
        layers.Embedding(7, 3, mask_zero=masked),
        recurrent(4, return_sequences=True),
        *ENDS[end](),
    ]
    if sequential is not None:
        return sequential([layers.Input((TIME,)), *stack])
    inputs = hidden = layers.Input((TIME,))
    for layer in stack:
        hidden = layer(hidden)
    return model(inputs, hidden)


@pytest.mark.parametrize(
    ("end", "kind", "masked"),
    [
        ("dense", "sequential", True),
        ("dense", "functional", False),
        ("activation", "functional", True),
        ("as the page has it", "sequential", False),
        ("as the page has it", "functional", True),
        ("dense in time", "sequential", True),
        ("softmax layer", "functional", False),  # Keras's refuses masks
    ],
)
def test_fit_gives_the_weights_that_keras_gives(end, kind, masked, rng):
    x = rng.integers(0, 7, size=(BATCH, TIME))
    y = rng.integers(0, CLASSES, size=(BATCH, TIME))
    weight = rng.uniform(0.5, 2, size=(BATCH, TIME)).astype("float32")
    results = []
    for model, sequential in ((keras.Model, keras.Sequential), (Model, Sequential)):
        sequential = sequential if kind == "sequential" else None
        built = network(model, sequential, end, masked=masked)
        built.compile(loss=LOSS, optimizer=keras.optimizers.SGD(0.5), metrics=["accuracy"])
        history = built.fit(x, y, sample_weight=weight, batch_size=3, epochs=3, verbose=0).history
        results.append((history, built.get_weights(), built.evaluate(x, y, verbose=0)))
    (keras_history, keras_weights, keras_values), (history, weights, values) = results
    for name in keras_history:
        np.testing.assert_allclose(history[name], keras_history[name], rtol=1e-5)
    for ours, theirs in zip(weights, keras_weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(values, keras_values, rtol=1e-5)


@pytest.mark.parametrize("end", [end for end in ENDS if end != "softmax layer"])
def test_a_class_held_for_impossible_is_learned_all_the_same(end):
    model = network(Model, Sequential, end)
    bias = next(w for w in model.trainable_variables if w.shape == (CLASSES,))
    bias.assign([100.0, 0, 0, 0, 0])
    model.compile(loss=LOSS, optimizer=keras.optimizers.SGD(1.0))
    x, y = np.ones((1, TIME), "int32"), np.ones((1, TIME), "int32")
    before = np.array(bias)
    loss = model.fit(x, y, epochs=1, verbose=0).history["loss"][0]
    assert 95 < loss < 105  # Keras on JAX says 16.1 and stands still
    assert np.abs(np.array(bias) - before).max() > 0.5


def test_two_outputs_each_with_its_loss(rng):
    inputs = layers.Input((TIME, 2))
    hidden = layers.SimpleRNN(3, return_sequences=True)(inputs)
    chosen = layers.Dense(CLASSES, activation="softmax", name="chosen")(hidden)
    level = layers.Dense(1, name="level")(hidden)
    model = Model(inputs, [chosen, level])
    assert [layer.name for layer in softmax_layers(model)] == ["chosen"]
    model.compile(loss=[LOSS, "mse"], optimizer="sgd")
    x = rng.normal(size=(BATCH, TIME, 2)).astype("float32")
    y = rng.integers(0, CLASSES, size=(BATCH, TIME)), x[..., :1]
    loss, first, second = model.evaluate(x, y, verbose=0)
    p, value = model.predict(x, verbose=0)
    taken = np.take_along_axis(p, y[0][..., None], -1)
    np.testing.assert_allclose(first, -np.log(taken).mean(), rtol=1e-5)
    np.testing.assert_allclose(second, np.square(value - y[1]).mean(), rtol=1e-5)
    np.testing.assert_allclose(loss, first + second, rtol=1e-5)


def test_the_users_loss_object_and_layers_stay_as_they_are(rng):
    loss = keras.losses.SparseCategoricalCrossentropy()
    model = network(Model, Sequential, "dense")
    model.compile(loss=loss, optimizer="sgd")
    x = rng.integers(0, 7, size=(BATCH, TIME))
    model.fit(x, rng.integers(0, CLASSES, size=(BATCH, TIME)), verbose=0)
    assert loss.fn is keras.losses.sparse_categorical_crossentropy
    assert model.layers[-1].activation is keras.activations.softmax
    assert model.get_compile_config()["loss"]["class_name"] == "SparseCategoricalCrossentropy"


@pytest.mark.parametrize("column", [False, True])
def test_classes_that_are_none_count_as_no_error_as_in_keras(column, rng):
    scores = jnp.asarray(rng.normal(size=(3, 4, CLASSES)), "float32")
    y = jnp.asarray(rng.integers(-1, CLASSES + 1, size=(3, 4)))
    y = y[..., None] if column else y
    theirs = keras.losses.sparse_categorical_crossentropy(y, scores, from_logits=True)
    np.testing.assert_allclose(sparse_cross_entropy(y, scores, True), theirs, atol=1e-6)
    ours, theirs = (
        jax.grad(lambda s, loss=loss: jnp.sum(jnp.sin(loss(y, s, True))))(scores)
        for loss in (sparse_cross_entropy, keras.losses.sparse_categorical_crossentropy)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_class_to_ignore_is_ignored_as_in_keras(rng):
    p = jax.nn.softmax(jnp.asarray(rng.normal(size=(3, 4, CLASSES)), "float32"))
    y = jnp.asarray(rng.integers(0, CLASSES, size=(3, 4)))
    np.testing.assert_array_equal(
        sparse_cross_entropy(y, p, ignore_class=2),
        keras.losses.sparse_categorical_crossentropy(y, p, ignore_class=2),
    )


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="must have the same shape"):
        sparse_cross_entropy(jnp.zeros((3, 2)), jnp.zeros((3, 4, CLASSES)), True)


def test_scores_are_kept_only_within_the_context():
    dense = layers.Dense(CLASSES, activation="softmax")
    x = jnp.ones((2, 3))
    with keeping_scores([dense]):
        inside = dense(x)
        np.testing.assert_allclose(jax.nn.softmax(scores_of(inside)), inside, rtol=1e-6)
        assert scores_of(x) is None
    assert scores_of(inside) is None
    assert dense.activation is keras.activations.softmax
