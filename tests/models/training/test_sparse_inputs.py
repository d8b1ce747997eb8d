"""Sparse inputs give what the same inputs give when they are dense."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from jax.experimental.sparse import BCOO, JAXSparse

from statewise import Model, Sequential, layers
from statewise.models.training.sparse import on_device

scipy_sparse = pytest.importorskip("scipy.sparse")

FORMS = {
    "csr_matrix": scipy_sparse.csr_matrix,
    "coo_array": scipy_sparse.coo_array,
    "float64": lambda x: scipy_sparse.csc_matrix(x.astype("float64")),
    "BCOO": lambda x: BCOO.fromdense(jnp.asarray(x)),
}


def data():
    rng = np.random.default_rng(0)
    x = (rng.random((50, 12)) < 0.3) * rng.normal(size=(50, 12))
    x[16:32] = 0  # a batch without an element
    return x.astype("float32"), rng.normal(size=(50, 1)).astype("float32")


def network(**options):
    keras.utils.set_random_seed(0)
    model = Sequential(
        [
            layers.Input((12,)),
            layers.Dense(8, activation="relu"),
            layers.RepeatVector(3),
            layers.LSTM(4),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer="adam", **options)
    return model


def everything(x, y, **options):
    """Return all that a model gives for inputs."""
    model = network(**options)
    keras.utils.set_random_seed(1)
    given = {"batch_size": 16, "verbose": 0}
    history = model.fit(x, y, epochs=2, validation_data=(x, y), **given)
    return [
        *map(np.asarray, history.history.values()),
        np.asarray(model.evaluate(x, y, **given)),
        model.predict(x, **given),
        np.asarray(model.train_on_batch(x, y)),
        np.asarray(model.test_on_batch(x, y)),
        model.predict_on_batch(x),
        *model.get_weights(),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_what_dense_arrays_give(form):
    x, y = data()
    for found, dense in zip(everything(FORMS[form](x), y), everything(x, y), strict=True):
        np.testing.assert_allclose(found, dense, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_one_form_gives_what_dense_arrays_give():
    test_every_form_gives_what_dense_arrays_give("csr_matrix")


@pytest.mark.slow
def test_eagerly_too():
    x, y = data()
    eager = everything(FORMS["csr_matrix"](x), y, run_eagerly=True)
    for found, dense in zip(eager, everything(x, y), strict=True):
        np.testing.assert_allclose(found, dense, rtol=2e-4, atol=1e-5)


def test_a_part_of_them_is_kept_for_validation():
    x, y = data()
    losses = [
        network().fit(form, y, validation_split=0.2, batch_size=8, shuffle=False, verbose=0)
        for form in (x, scipy_sparse.csr_matrix(x))
    ]
    for name, values in losses[0].history.items():
        np.testing.assert_allclose(losses[1].history[name], values, rtol=1e-5)


def test_sparse_batches_of_a_generator():
    x, y = data()
    batches = [(scipy_sparse.csr_matrix(x[i : i + 10]), y[i : i + 10]) for i in range(0, 50, 10)]
    found = (
        network()
        .fit((b for b in batches), steps_per_epoch=5, shuffle=False, verbose=0)
        .history["loss"]
    )
    dense = network().fit(x, y, batch_size=10, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(found, dense, rtol=1e-5)


def test_sparse_beside_dense_inputs():
    x, _ = data()
    inputs = [layers.Input((12,)), layers.Input((12,))]
    keras.utils.set_random_seed(0)
    model = Model(inputs, layers.Dense(1)(layers.Dense(4)(inputs[0]) * layers.Dense(4)(inputs[1])))
    found = model.predict([scipy_sparse.csr_matrix(x), x], batch_size=16, verbose=0)
    np.testing.assert_allclose(found, model.predict([x, x], verbose=0), rtol=1e-5, atol=1e-6)


def test_layers_see_sparse_arrays_and_few_programs_serve_them():
    seen = []

    class Looks(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            seen.append(x)
            return self.dense(x)

    rng = np.random.default_rng(0)
    x = scipy_sparse.csr_matrix((rng.random((320, 12)) < 0.3) * 1.0)
    model = Looks()
    model.predict(x, batch_size=8, verbose=0)
    assert all(isinstance(array, JAXSparse) for array in seen)
    assert len({x[i : i + 8].nnz for i in range(0, 320, 8)}) > 10
    assert len(seen) <= 5  # to build, and to trace for 16, 32 and 64 elements


@pytest.mark.parametrize("count", [0, 1, 8, 9, 64])
def test_room_for_more_elements_changes_nothing(count):
    x = np.zeros((9, 9), "float32")
    x.flat[:count] = np.arange(1, count + 1)
    sparse = BCOO.fromdense(jnp.asarray(x))
    roomy = on_device(sparse)
    assert roomy.nse >= sparse.nse
    np.testing.assert_array_equal(roomy.todense(), x)
    np.testing.assert_allclose(roomy @ jnp.ones((9, 2)), x @ np.ones((9, 2)))
    np.testing.assert_allclose(roomy.sum(axis=1).todense(), x.sum(axis=1))


def test_tensorflows_sparse_tensors():
    tf = pytest.importorskip("tensorflow")
    x, y = data()
    for found, dense in zip(everything(tf.sparse.from_dense(x), y), everything(x, y), strict=True):
        np.testing.assert_allclose(found, dense, rtol=1e-4, atol=1e-5)
