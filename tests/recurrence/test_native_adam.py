"""The native step of Adam: the same on every instruction set and thread, and wrong input named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise.recurrence import native

pytestmark = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)
RATES = {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7}


def arrays(rng, shapes):
    """Return parameters, moments and gradients; the second moments aren't negative."""
    draw = lambda: [rng.normal(size=shape).astype("float32") for shape in shapes]  # noqa: E731
    return draw(), draw(), [np.abs(a) for a in draw()], draw()


def expected(rate, w, m, v, g):
    """Return a variable's results in float64."""
    w, m, v, g = (a.astype("float64") for a in (w, m, v, g))
    m, v = m + 0.1 * (g - m), v + 0.01 * (g * g - v)
    return w - rate * m / (np.sqrt(v) + 1e-7), m, v


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_it_is_the_formula_on_every_instruction_set(threads, rng):
    given = arrays(rng, [(3, 7), (300, 401), (0,), (), (100_001,)])
    module = native.extension.extension()
    before = module.instruction_set()
    module.set_thread_count(threads)
    try:
        for name in module.instruction_sets():
            module.use_instruction_set(name)
            results = jax.jit(lambda *a: native.adam(jnp.float32(0.3), *a, **RATES))(*given)
            for i, one in enumerate(zip(*given, strict=True)):
                for kind, wanted in enumerate(expected(0.3, *one)):
                    np.testing.assert_allclose(results[kind][i], wanted, rtol=2e-6, atol=1e-6)
    finally:
        module.use_instruction_set(before)
        module.set_thread_count(0)


def test_what_is_handed_over_is_not_written_to(rng):
    given = jax.tree.map(jnp.asarray, arrays(rng, [(50,)]))
    copies = jax.tree.map(np.array, given)
    native.adam(jnp.float32(0.3), *given, **RATES)
    jax.tree.map(np.testing.assert_array_equal, given, copies)


def test_inside_a_loop_it_goes_on_from_its_own_results(rng):
    given = arrays(rng, [(40,), (2, 3)])
    *state, gradients = jax.tree.map(jnp.asarray, given)

    def step(_, state):
        return list(native.adam(jnp.float32(0.1), *state, gradients, **RATES))

    found = jax.jit(lambda state: jax.lax.fori_loop(0, 3, step, state))(state)
    for i, (w, m, v, g) in enumerate(zip(*given, strict=True)):
        for _ in range(3):
            w, m, v = expected(0.1, w, m, v, g)
        for kind, wanted in enumerate((w, m, v)):
            np.testing.assert_allclose(found[kind][i], wanted, rtol=2e-6, atol=1e-6)


def test_vmap_is_one_after_the_other(rng):
    given = jax.tree.map(jnp.asarray, arrays(rng, [(3, 4), (3, 2)]))
    run = lambda *a: native.adam(jnp.float32(0.1), *a, **RATES)  # noqa: E731
    found = jax.vmap(run)(*given)
    for row in range(3):
        one = run(*jax.tree.map(lambda a, row=row: a[row], given))
        for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(one), strict=True):
            np.testing.assert_array_equal(ours[row], theirs)


def test_sizes_and_dtypes_that_do_not_fit_are_errors_of_the_call(rng):
    w, m, v, g = arrays(rng, [(4,)])
    for wrong in ([np.ones(3, "float32")], [np.ones(4, "int32")]):
        with pytest.raises(jax.errors.JaxRuntimeError, match="arrays of one size for a variable"):
            jax.block_until_ready(native.adam(jnp.float32(0.1), w, m, v, wrong, **RATES))
    with pytest.raises(jax.errors.JaxRuntimeError, match="one learning rate"):
        jax.block_until_ready(native.adam(jnp.ones(2), w, m, v, g, **RATES))
    with pytest.raises(jax.errors.JaxRuntimeError, match="float32 and float64"):
        jax.block_until_ready(native.adam(jnp.float16(1), w, m, v, g, **RATES))
