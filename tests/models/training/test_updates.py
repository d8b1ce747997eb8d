"""Adam's update of all variables at once is Keras's, natively and in XLA's operations."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from statewise.models.training import updates
from statewise.models.training.updates import joint_updates
from statewise.recurrence import native

ADAMS = {
    "plain": lambda: keras.optimizers.Adam(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    "with weight decay": lambda: keras.optimizers.AdamW(0.05, weight_decay=0.1),
    "clipped": lambda: keras.optimizers.Adam(0.05, global_clipnorm=0.5),
    "each clipped": lambda: keras.optimizers.Adam(0.05, clipnorm=0.3),
    "averaging": lambda: keras.optimizers.Adam(0.05, use_ema=True, ema_overwrite_frequency=2),
    "accumulating": lambda: keras.optimizers.Adam(0.05, gradient_accumulation_steps=2),
    "on a schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    ),
}
OTHERS = {
    "amsgrad": lambda: keras.optimizers.Adam(amsgrad=True),
    "nadam": lambda: keras.optimizers.Nadam(),
    "sgd": lambda: keras.optimizers.SGD(),
    "scaling": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
}
SHAPES = [(7, 5), (33,), (), (2, 3, 4)]

needs_native = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)


@pytest.fixture(params=["operations", pytest.param("native", marks=needs_native)])
def way(request, monkeypatch):
    """Both ways of the update, whatever the number of parameters."""
    monkeypatch.setattr(updates, "_pays", lambda gradients: request.param == "native")
    return request.param


def trained(optimizer, joint, dtype="float32"):
    """Return all variables after four steps, compiled, of an optimizer on a bowl."""
    rng = np.random.default_rng(0)
    variables = [keras.Variable(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]
    optimizer.build(variables)
    scales = [jnp.asarray(rng.normal(size=shape) * 3, dtype) for shape in SHAPES]

    @jax.jit
    def step(state):
        weights, slots = state
        gradients = [jnp.tanh(w * s) * s for w, s in zip(weights, scales, strict=True)]
        if not joint:
            return optimizer.stateless_apply(slots, gradients, weights)
        with joint_updates(optimizer):
            return optimizer.stateless_apply(slots, gradients, weights)

    state = [v.value for v in variables], [v.value for v in optimizer.variables]
    for _ in range(4):
        state = step(state)
    return jax.tree.leaves(state)


@pytest.mark.parametrize("name", ADAMS)
def test_what_comes_out_is_what_keras_gives(name, way):
    found, expected = (trained(ADAMS[name](), joint) for joint in (True, False))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-7)


def test_in_double_precision(way):
    with jax.enable_x64(True):
        found, expected = (trained(ADAMS["plain"](), joint, "float64") for joint in (True, False))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("name", OTHERS)
def test_other_optimizers_stay_keras_own(name):
    optimizer = OTHERS[name]()
    optimizer.build([keras.Variable(np.ones(2))])
    before = dict(vars(optimizer))
    with joint_updates(optimizer):
        assert vars(optimizer) == before


def test_variables_of_several_types_stay_keras_own():
    optimizer = keras.optimizers.Adam()
    optimizer.build([keras.Variable(np.ones(2)), keras.Variable(np.ones(2), dtype="bfloat16")])
    with joint_updates(optimizer):
        assert "_backend_update_step" not in vars(optimizer)


def test_a_subclass_with_a_step_of_its_own_is_obeyed():
    class Still(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            pass

    optimizer, variable = Still(), keras.Variable(np.ones(2))
    optimizer.build([variable])
    with joint_updates(optimizer):
        optimizer.apply([jnp.ones(2)])
    np.testing.assert_array_equal(variable, 1)


def test_an_error_leaves_the_optimizer_as_it_was():
    optimizer = keras.optimizers.Adam()
    optimizer.build([keras.Variable(np.ones(2))])
    with pytest.raises(RuntimeError), joint_updates(optimizer):
        raise RuntimeError
    assert "_backend_update_step" not in vars(optimizer)


def test_frozen_variables_and_missing_gradients(way):
    variables = [keras.Variable(np.ones(3)), keras.Variable(np.ones(2))]
    optimizer = keras.optimizers.Adam(0.5)
    optimizer.build(variables)
    with joint_updates(optimizer), pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([jnp.ones(3), None])
    np.testing.assert_allclose(variables[0], 0.5, atol=1e-5)
    np.testing.assert_array_equal(variables[1], 1)
