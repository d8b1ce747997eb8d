"""Cells with random inputs, states and weights; their results and gradients, and a comparison."""

import jax
import jax.numpy as jnp
import numpy as np

import numpy_cells
from drawn_sizes import CELLS
from quick import quick_jit
from statewise.recurrence import Weights


def random_case(name, rng, *, batch=3, time=5, units=4, features=2, dtype="float32", bias=True):
    """Return a cell, inputs, a state and weights, all of them random."""

    def draw(*shape):
        return jnp.asarray(rng.normal(size=shape), dtype)

    cell = CELLS[name]
    state = cell.state_type(*(draw(batch, units) for _ in cell.state_type._fields))
    weights = numpy_cells.random_weights(name, features, units, rng, use_bias=bias)
    weights = Weights(*(None if w is None else jnp.asarray(w, dtype) for w in weights))
    # Small enough that a long sequence forgets rounding instead of blowing it up.
    weights = weights._replace(recurrent_kernel=weights.recurrent_kernel * units**-0.5)
    return cell, draw(batch, time, features), state, weights


def both_of(run, options, seed=0):
    """Return a compiled function: gradients by x, state and weights, and the result of ``run``."""

    def weighted(cell, x, state, weights):
        result = run(cell, x, state, weights, **options)
        rng, total = np.random.default_rng(seed), 0.0
        for array in jax.tree.leaves(result):
            total += jnp.sum(array * jnp.asarray(rng.normal(size=array.shape), array.dtype))
        return total, result

    def both(cell, x, state, weights):
        return jax.grad(weighted, argnums=(1, 2, 3), has_aux=True)(cell, x, state, weights)

    return quick_jit(both, static_argnums=0)


def assert_close(found, expected, tolerance):
    """Compare all arrays, each as a part of its greatest value; those of 16 bits in 32."""
    found, expected = jax.tree.leaves(found), jax.tree.leaves(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        wide = jnp.promote_types(one.dtype, "float32")
        one, other = (np.asarray(array, wide) for array in (one, other))
        scale = 1e-2 + np.abs(other).max()
        np.testing.assert_allclose(one / scale, other / scale, rtol=0, atol=tolerance)
