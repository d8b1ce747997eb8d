"""Keras's policies of two dtypes: trained as stock Keras trains, the loss scaled where it does."""

import keras
import numpy as np
import pytest

from statewise import Sequential, explain_backend, layers
from statewise.recurrence import native


@pytest.fixture
def policy():
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


def trained(kind, module, initial_scale=None):
    """Return a model after three epochs, and their losses."""
    keras.utils.set_random_seed(0)
    model = kind(
        [
            keras.Input((9, 3)),
            module.LSTM(8, return_sequences=True),
            module.GRU(8),
            keras.layers.Dense(1, dtype="float32"),
        ]
    )
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.3)
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(1e-2))
    if initial_scale is not None:
        model.optimizer.initial_scale = initial_scale
    x, y = rng.normal(size=(128, 9, 3)).astype("float32"), rng.normal(size=(128, 1))
    history = model.fit(x, y, epochs=3, batch_size=16, shuffle=False, verbose=0)
    return model, history.history["loss"]


@pytest.mark.parametrize("name", ["mixed_bfloat16", "mixed_float16"])
def test_the_losses_are_stocks(policy, name):
    policy(name)
    model, found = trained(Sequential, layers)
    _, expected = trained(keras.Sequential, keras.layers)
    np.testing.assert_allclose(found, expected, rtol=2e-3)
    assert all(v.dtype == "float32" for v in model.trainable_variables)
    assert model.layers[0].compute_dtype == name.removeprefix("mixed_")
    if native.available():
        assert explain_backend(model)["serves"].tolist() == ["native kernels"] * 2


def test_a_scale_too_large_is_halved_and_its_steps_left_out(policy):
    policy("mixed_float16")
    models = [
        trained(kind, module, initial_scale=2.0**28)[0].optimizer
        for kind, module in ((Sequential, layers), (keras.Sequential, keras.layers))
    ]
    assert [type(optimizer).__name__ for optimizer in models] == ["LossScaleOptimizer"] * 2
    ours, stock = (int(optimizer.inner_optimizer.iterations.value) for optimizer in models)
    assert 0 < ours < 24  # of 3 epochs of 8 steps some were left out
    assert abs(ours - stock) <= 2  # where a gradient just overflows is a matter of rounding
    ours, stock = (float(optimizer.dynamic_scale.value) for optimizer in models)
    assert 0.25 <= ours / stock <= 4
    assert ours < 2.0**28
