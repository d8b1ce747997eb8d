"""Two layers that should compute the same, run and compared: values and every gradient."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from quick import quick_jit

# How far apart two orders of the same sums may come out, as a part of the largest value.
_TOLERANCE = {"float32": 2e-5, "bfloat16": 6e-2}


class Run(NamedTuple):
    """One call of a layer under ``jax.grad``.

    Attributes:
        outputs: everything the call returned, flattened.
        others: the non-trainable variables after it: seeds, moving averages.
        gradients: of a weighted sum of all outputs, for the trainable weights, the inputs and the
            initial state.
    """

    outputs: list
    others: list
    gradients: Any


def randomise(layer, rng) -> None:
    """Give every trainable weight of a built layer asymmetric random values, biases too."""
    layer.set_weights([rng.normal(scale=0.5, size=w.shape) for w in layer.get_weights()])


def copy_weights(source, target) -> None:
    """Give ``target`` the values of every variable of ``source``, seeds and averages included."""
    for a, b in zip(source.variables, target.variables, strict=True):
        b.assign(a.value)


def call(layer, x, state=None, **kwargs) -> Run:
    """Call a built layer as a pure function, and take the gradients of what it returns."""
    trainable = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def loss(trainable, x, state):
        if state is not None:
            kwargs["initial_state"] = state
        values = zip(layer.trainable_variables, trainable, strict=True)
        values = [*values, *zip(layer.non_trainable_variables, others, strict=True)]
        with keras.StatelessScope(state_mapping=values) as scope:
            outputs = jax.tree.leaves(layer(x, **kwargs))
        after = [scope.get_current_value(v) for v in layer.non_trainable_variables]
        total = sum(
            jnp.sum(jnp.cos(1 + n + jnp.arange(o.size)) * o.astype("float32").ravel())
            for n, o in enumerate(outputs)
        )
        return total, (outputs, after)

    gradient = quick_jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))
    (_, (outputs, after)), gradients = gradient(trainable, jnp.asarray(x), state)
    return Run(outputs, after, gradients)


def assert_same(ours: Run, theirs: Run) -> None:
    """Fail unless shapes, dtypes, values and gradients of two runs agree."""
    ours, theirs = jax.tree.leaves_with_path(ours), jax.tree.leaves_with_path(theirs)
    assert [path for path, _ in ours] == [path for path, _ in theirs]
    dtypes = {str(value.dtype) for _, value in theirs}
    tolerance = _TOLERANCE["bfloat16" if "bfloat16" in dtypes else "float32"]
    for (path, mine), (_, expected) in zip(ours, theirs, strict=True):
        where = jax.tree_util.keystr(path)
        assert mine.shape == expected.shape, where
        assert mine.dtype == expected.dtype, where
        mine, expected = np.asarray(mine, "float64"), np.asarray(expected, "float64")
        scale = max(1.0, np.abs(expected).max(initial=0))
        np.testing.assert_allclose(
            mine, expected, rtol=tolerance, atol=tolerance * scale, err_msg=where
        )
