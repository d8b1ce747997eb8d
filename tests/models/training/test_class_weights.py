"""Weights by class, for one target a sample and for one a step."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 5, 2)).astype("float32")
STEPS = RNG.integers(0, 3, size=(12, 5))
WEIGHTS = {0: 1.0, 1: 5.0, 2: 0.25}
OF_STEPS = np.vectorize(WEIGHTS.get)(STEPS).astype("float32")
SPARSE, ONE_HOT = "sparse_categorical_crossentropy", "categorical_crossentropy"


def model_of(loss, outputs=3, *, each_step=True):
    keras.utils.set_random_seed(1)
    activation = "softmax" if outputs > 1 else "sigmoid"
    model = sw.Sequential(
        [
            layers.Input((5, 2)),
            layers.GRU(4, return_sequences=each_step),
            layers.Dense(outputs, activation=activation),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), loss, weighted_metrics=["accuracy"])
    return model


def weights_and_losses(model, *args, **options):
    history = model.fit(*args, epochs=2, shuffle=False, verbose=0, **options).history
    return [*model.get_weights(), *history.values()]


def assert_equal(some, others):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


TARGETS = {
    "numbers": (SPARSE, STEPS),
    "numbers with a last axis": (SPARSE, STEPS[..., None]),
    "one-hot": (ONE_HOT, np.eye(3)[STEPS]),
    "floats": (SPARSE, STEPS.astype("float32")),
}


class Rows(keras.utils.PyDataset):
    def __init__(self, *arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return tuple(a[4 * index : 4 * index + 4] for a in self.arrays)


@pytest.mark.parametrize("way", ["arrays", "dataset", "one batch"])
@pytest.mark.parametrize("targets", TARGETS)
def test_each_step_is_weighed_by_its_class(targets, way):
    loss, y = TARGETS[targets]
    weighed, expected = model_of(loss), model_of(loss)
    if way == "one batch":
        results = weighed.train_on_batch(X, y, class_weight=WEIGHTS)
        assert_equal(results, expected.train_on_batch(X, y, sample_weight=OF_STEPS))
        assert_equal(weighed.get_weights(), expected.get_weights())
        return
    given = (X, y) if way == "arrays" else (Rows(X, y),)
    options = {"batch_size": 4} if way == "arrays" else {}
    results = weights_and_losses(weighed, *given, class_weight=WEIGHTS, **options)
    by_hand = weights_and_losses(expected, X, y, sample_weight=OF_STEPS, batch_size=4)
    assert_equal(results, by_hand)
    unweighed = weights_and_losses(model_of(loss), X, y, batch_size=4)
    assert np.abs(unweighed[0] - results[0]).max() > 1e-3


@pytest.mark.parametrize("shape", [(12, 5), (12, 5, 1)])
def test_steps_of_two_classes(shape):
    y = (STEPS > 0).astype("float32")
    weights = np.where(y > 0, 3.0, 1.0)
    weighed, expected = (model_of("binary_crossentropy", 1) for _ in range(2))
    y = y.reshape(12, 5, 1)  # Keras's metrics want the axis; the look-up doesn't
    results = weighed.train_on_batch(X, y, class_weight={1: 3.0})
    assert_equal(results, expected.train_on_batch(X, y, sample_weight=weights))
    from statewise.models.training.class_weights import ClassWeights

    found = ClassWeights(weighed, {1: 3.0}).of(X, y.reshape(shape))
    np.testing.assert_array_equal(found, weights)


@pytest.mark.parametrize("one_hot", [False, True])
def test_one_target_a_sample_as_in_keras(one_hot):
    y = np.eye(3)[STEPS[:, 0]] if one_hot else STEPS[:, 0]
    loss = ONE_HOT if one_hot else SPARSE
    weighed, expected = (model_of(loss, each_step=False) for _ in range(2))
    results = weights_and_losses(weighed, X, y, class_weight=WEIGHTS, batch_size=4)
    by_hand = weights_and_losses(expected, X, y, sample_weight=OF_STEPS[:, 0], batch_size=4)
    assert_equal(results, by_hand)


def test_pictures_of_classes():
    pictures = RNG.normal(size=(2, 4, 3, 2)).astype("float32")
    y = RNG.integers(0, 3, size=(2, 4, 3))
    models = []
    for weights in ({"class_weight": WEIGHTS}, {"sample_weight": np.vectorize(WEIGHTS.get)(y)}):
        keras.utils.set_random_seed(1)
        model = sw.Sequential([layers.Input((4, 3, 2)), layers.Dense(3, activation="softmax")])
        model.compile(keras.optimizers.SGD(0.5), SPARSE)
        model.train_on_batch(pictures, y, **weights)
        models.append(model)
    assert_equal(*(model.get_weights() for model in models))


def test_a_class_without_a_weight_weighs_one():
    weighed, expected = model_of(SPARSE), model_of(SPARSE)
    weighed.train_on_batch(X, STEPS, class_weight={2: 4.0, 7: 9.0})
    expected.train_on_batch(X, STEPS, sample_weight=np.where(STEPS == 2, 4.0, 1.0))
    assert_equal(weighed.get_weights(), expected.get_weights())


@pytest.mark.parametrize("weights", [{"0": 2.0}, [1.0, 2.0], {0: "much"}, {0.5: 1.0}])
def test_what_is_no_weight_of_a_class(weights):
    with pytest.raises(TypeError, match="class_weight gives each class"):
        model_of(SPARSE).fit(X, STEPS, class_weight=weights, verbose=0)


def test_both_kinds_of_weights():
    for method in ("fit", "train_on_batch"):
        with pytest.raises(ValueError, match="sample_weight and class_weight came together"):
            getattr(model_of(SPARSE), method)(
                X, STEPS, sample_weight=OF_STEPS, class_weight=WEIGHTS
            )
    with pytest.raises(ValueError, match="sample_weight and class_weight came together"):
        model_of(SPARSE).fit(Rows(X, STEPS, OF_STEPS), class_weight=WEIGHTS, verbose=0)


def test_targets_of_several_classes_at_once():
    y = np.ones((12, 3))
    with pytest.raises(ValueError, match="no one-hot vectors"):
        model_of("binary_crossentropy", 3, each_step=False).fit(X, y, class_weight=WEIGHTS)


def test_several_outputs():
    inputs = layers.Input((5, 2))
    model = sw.Model(inputs, [layers.GRU(3)(inputs), layers.GRU(3)(inputs)])
    model.compile("sgd", [SPARSE, SPARSE])
    with pytest.raises(ValueError, match="models of one output"):
        model.fit(X, [STEPS[:, 0]] * 2, class_weight=WEIGHTS, verbose=0)
