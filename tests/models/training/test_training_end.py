"""What happens at a training's end, in Keras's order; what a model may not write itself."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(16, 3)).astype("float32"), RNG.normal(size=(16, 1)).astype("float32")


def fitted(kind, callbacks, epochs=6):
    keras.utils.set_random_seed(1)
    model = kind([layers.Input((3,)), layers.Dense(1)])
    optimizer = keras.optimizers.SGD(1.5, use_ema=True, ema_momentum=0.5)  # it diverges
    model.compile(optimizer, "mse")
    model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, callbacks=callbacks, verbose=0)
    return model


@pytest.mark.parametrize("stopping", [False, True])
def test_averages_first_then_the_best_weights(stopping):
    weights = []
    for kind in (sw.Sequential, keras.Sequential):
        stop = keras.callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True)
        weights.append(fitted(kind, [stop] if stopping else []).get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_a_callback_sees_the_averages_at_the_end():
    class AtTheEnd(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.weights = self.model.get_weights()

    callback = AtTheEnd()
    model = fitted(sw.Sequential, [callback])
    for seen, left in zip(callback.weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(seen, left)


def test_an_error_ends_a_training_without_its_callbacks():
    class Failing(keras.callbacks.Callback):
        ended = False

        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("stop here")

        def on_train_end(self, logs=None):
            self.ended = True

    callback = Failing()
    with pytest.raises(RuntimeError, match="stop here"):
        fitted(sw.Sequential, [callback])
    assert not callback.ended


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("make_train_function", ["fit", "train_on_batch"]),
        ("make_test_function", ["evaluate", "test_on_batch"]),
        ("make_predict_function", ["predict", "predict_on_batch"]),
    ],
)
def test_functions_that_would_be_passed_over_are_refused(name, methods):
    cls = type("Own", (sw.Sequential,), {name: lambda self, force=False: None})
    model = cls([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    for method in methods:
        given = (X,) if "predict" in method else (X, Y)
        with pytest.raises(ValueError, match=f"Own has a {name} of its own"):
            getattr(model, method)(*given)


@pytest.mark.parametrize("phase", ["train", "test", "predict"])
def test_forcing_a_function_compiles_anew(phase):
    class Scaled(sw.Sequential):
        scale = 1.0

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return self.scale * super().compute_loss(x, y, y_pred, sample_weight, training)

        def predict_step(self, state, data):
            outputs, others = super().predict_step(state, data)
            return self.scale * outputs, others

    model = Scaled([layers.Input((3,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    run = {
        "train": lambda: model.fit(X, Y, verbose=0).history["loss"][0],
        "test": lambda: model.evaluate(X, Y, verbose=0),
        "predict": lambda: model.predict(X, verbose=0),
    }[phase]
    before = run()
    model.scale = 2.0
    getattr(model, f"make_{phase}_function")(force=True)
    np.testing.assert_allclose(run(), 2 * np.asarray(before), rtol=1e-5)
