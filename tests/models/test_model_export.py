"""Models exported by Keras and by JAX: for a process without statewise, with the same numbers."""

import jax
import keras
import numpy as np
import pytest
from jax import export

from statewise import Model, Sequential, layers

FORMS = {"fixed": (12, 3), "open": (None, 3)}


def network(shape):
    keras.utils.set_random_seed(0)
    return Sequential(
        [
            layers.Input(shape),
            layers.Masking(),
            layers.LSTM(16, return_sequences=True),
            layers.TimeDistributed(layers.Dense(5, activation="tanh")),
            layers.Bidirectional(layers.GRU(8)),
            layers.Dense(1),
        ]
    )


def inputs(batch=40, time=12):
    x = np.random.default_rng(0).normal(size=(batch, time, 3)).astype("float32")
    x[1, 4:] = 0  # masked
    return x


@pytest.mark.parametrize("form", FORMS)
def test_jax_exports_a_model(form):
    model, x = network(FORMS[form]), inputs()
    shape = export.symbolic_shape("batch, time, 3") if form == "open" else x.shape
    made = export.export(jax.jit(lambda x: model(x)))(jax.ShapeDtypeStruct(shape, "float32"))
    assert "@statewise" not in made.mlir_module()
    np.testing.assert_allclose(made.call(x), model.predict(x, verbose=0), rtol=1e-4, atol=1e-6)
    if form == "open":
        few = x[:2, :3]
        np.testing.assert_allclose(made.call(few), model(few), rtol=1e-4, atol=1e-6)


def test_jax_exports_a_step_of_training():
    model, x = network(FORMS["fixed"]), inputs()
    trainable = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]

    def gradient(trainable, x):
        return jax.grad(lambda t: (model.stateless_call(t, others, x)[0] ** 2).sum())(trainable)

    made = export.export(jax.jit(gradient))(trainable, x)
    assert "@statewise" not in made.mlir_module()
    for found, expected in zip(
        made.call(trainable, x), jax.jit(gradient)(trainable, x), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("form", FORMS)
def test_keras_exports_a_saved_model(form, tmp_path):
    tf = pytest.importorskip("tensorflow")
    model, x = network(FORMS[form]), inputs()
    expected = model.predict(x, verbose=0)
    model.export(tmp_path / "model", format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(loaded.serve(x), expected, rtol=1e-4, atol=1e-6)
    few = x[:2, :5] if form == "open" else x[:2]
    np.testing.assert_allclose(loaded.serve(few), model(few), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)  # native as before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_archive_of_two_endpoints(tmp_path):
    tf = pytest.importorskip("tensorflow")
    entry = layers.Input((None, 3))
    sequences, last = layers.LSTM(16, return_sequences=True, return_state=True)(entry)[:2]
    model = Model(entry, [sequences, layers.Dense(2)(last)])
    archive = keras.export.ExportArchive()
    archive.track(model)
    spec = [keras.InputSpec(shape=(None, None, 3), dtype="float32")]
    archive.add_endpoint("both", lambda x: model(x), input_signature=spec)
    archive.add_endpoint("last", lambda x: model(x)[1], input_signature=spec)
    archive.write_out(str(tmp_path / "two"), verbose=False)
    loaded, x = tf.saved_model.load(str(tmp_path / "two")), inputs()
    expected = model.predict(x, verbose=0)
    for found, wanted in zip(
        [*loaded.both(x), loaded.last(x)], [*expected, expected[1]], strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
