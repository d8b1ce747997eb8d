"""The native linear recurrence against the one in JAX's operations, values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from quick import quick_jit
from statewise.recurrence import MinGRU, MinLSTM, Weights, linear_scan, native, run, scan
from statewise.recurrence.backends import linear
from statewise.recurrence.call import Call
from statewise.recurrence.native.linear import LinearForm, LinearOperands, linear_recurrence

needs_native = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
# (batch, time, units): around the width of a panel, of a cache's piece, and of a share of the work.
SHAPES = [(1, 1, 1), (3, 7, 17), (1, 300, 70), (65, 30, 33), (2, 9, 1100), (2, 40, 1024)]


def by_loop(a, b, h, mask, resets, backwards):
    """Return the states in NumPy, one step after the other."""
    time = a.shape[1]
    states, h = [], np.array(h)
    for t in range(time)[::-1] if backwards else range(time):
        fresh = t + 1 if backwards else t
        if resets is not None and fresh < time:
            h = np.where(resets[:, fresh, None], 0, h)
        valid = True if mask is None else mask[:, t, None]
        h = np.where(valid, a[:, t] * h + b[:, t], h)
        states.append(h)
    return np.stack(states, axis=1)


def drawn(shape, dtype, flags, rng):
    batch, time, units = shape
    arrays = [rng.random(shape), rng.normal(size=shape), rng.normal(size=(batch, units))]
    mask, resets = (rng.random((batch, time)) < share for share in (0.7, 0.2))
    return [array.astype(dtype) for array in arrays], *((mask, resets) if flags else (None, None))


@needs_native
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("flags", "backwards"), [(False, False), (True, False), (True, True)])
def test_values_and_gradients(module, shape, dtype, flags, backwards, rng):
    module.set_thread_count(int(rng.integers(1, 5)))
    arrays, mask, resets = drawn(shape, dtype, flags, rng)
    d_states, d_last = rng.normal(size=shape), rng.normal(size=arrays[2].shape)
    none = np.zeros((0,), bool)
    form = LinearForm(backwards, True, 0)
    operands = none if mask is None else mask, none if resets is None else resets
    with jax.enable_x64(dtype == "float64"):
        (states, last), pull = jax.vjp(
            lambda *given: linear_recurrence(form, LinearOperands(*given, *operands)),
            *map(jnp.asarray, arrays),
        )
        gradients = pull((d_states.astype(dtype), d_last.astype(dtype)))
    expected = by_loop(*arrays, mask, resets, backwards)
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(states, expected, **tolerance)
    np.testing.assert_allclose(last, expected[:, -1], **tolerance)
    # By the recurrence of the gradients, written out.
    a, _, h = (array.astype("float64") for array in arrays)
    d_a, d_b, carried = np.zeros(shape), np.zeros(shape), d_last
    order = range(shape[1])[::-1] if backwards else range(shape[1])
    for step in reversed(range(shape[1])):
        t = order[step]
        fresh = t + 1 if backwards else t
        begins = resets is not None and fresh < shape[1]
        kept = ~resets[:, fresh, None] if begins else np.ones((shape[0], 1), bool)
        valid = np.ones((shape[0], 1), bool) if mask is None else mask[:, t, None]
        carried = carried + d_states[:, step]
        before = np.where(kept, expected[:, step - 1] if step else h, 0)
        d_b[:, t] = np.where(valid, carried, 0)
        d_a[:, t] = np.where(valid, carried * before, 0)
        carried = np.where(kept, np.where(valid, carried * a[:, t], carried), 0)
    for found, wanted in zip(gradients, (d_a, d_b, carried), strict=True):
        np.testing.assert_allclose(found, wanted, **tolerance)


@pytest.mark.parametrize(("flags", "backwards"), [(False, False), (True, False), (True, True)])
def test_the_parallel_scan(flags, backwards, rng):
    (a, b, h), mask, resets = drawn((3, 13, 5), "float32", flags, rng)
    options = {"mask": mask, "resets": resets, "go_backwards": backwards}
    states = linear_scan(*map(jnp.asarray, (a, b, h)), **options)
    expected = by_loop(a, b, h, mask, resets, backwards)
    np.testing.assert_allclose(states, expected, rtol=1e-5, atol=1e-5)


def test_what_is_no_number_does_not_cross_a_reset(rng):
    (a, b, h), _, resets = drawn((2, 9, 3), "float32", True, rng)
    b[0, 1], resets[:] = np.nan, False
    resets[0, 4] = True
    states = linear_scan(jnp.asarray(a), jnp.asarray(b), jnp.asarray(h), resets=resets)
    assert np.isnan(states[0, 1:4]).all()
    assert not np.isnan(states[0, 4:]).any()
    assert not np.isnan(states[1]).any()


def case(cell, rng, dtype="float32"):
    gates, (batch, time, features, units) = len(cell.gates), (3, 9, 2, 5)
    kernel = rng.normal(size=(features, gates * units))
    arrays = rng.normal(size=(batch, time, features)), rng.normal(size=(batch, units))
    x, h = (jnp.asarray(array, dtype) for array in arrays)
    weights = Weights(jnp.asarray(kernel, dtype), None, jnp.zeros(gates * units, dtype))
    return cell, x, cell.state_type(h), weights


@pytest.mark.parametrize("cell", [MinGRU(), MinLSTM()], ids=["MinGRU", "MinLSTM"])
@pytest.mark.parametrize("masks", [None, "one", "each gate's"])
@pytest.mark.parametrize("way", ["natively", "in_parallel"])
def test_both_ways_are_the_reference(cell, masks, way, rng):
    if way == "natively" and not native.available():
        pytest.skip(f"no native kernels: {native.unavailable_reason()}")
    given = case(cell, rng)
    shape = (3, 2) if masks == "one" else (len(cell.gates), 3, 2)
    drop = jnp.asarray(rng.random(shape) < 0.5, "float32") * 2
    options = {
        "mask": jnp.asarray(rng.random((3, 9)) < 0.7),
        "resets": jnp.asarray(rng.random((3, 9)) < 0.2),
        "go_backwards": True,
        "zero_output_for_mask": True,
    }
    call = Call(*given, **options)
    if masks is not None:
        call = Call(*given, **options, dropout=call.dropout._replace(inputs=drop))
    runs = getattr(linear, f"run_{way}")
    found = quick_jit(runs)(call)
    expected = scan(*given, **options, dropout=call.dropout)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@needs_native
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_state_is_carried_in_32_bits(dtype, rng):
    cell, x, state, weights = case(MinGRU(), rng, dtype)
    found = run(cell, x, state, weights)
    assert found.outputs.dtype == found.state.h.dtype == dtype
    a, b = cell.coefficients(cell.project(x, weights))
    wide = (array.astype("float32") for array in (a, b, state.h))
    np.testing.assert_array_equal(found.outputs, linear_scan(*wide).astype(dtype))


@needs_native
def test_an_exported_program_has_no_native_call(rng):
    cell, x, state, weights = case(MinLSTM(), rng)

    def loss(x, state, weights):
        outputs, last, _ = run(cell, x, state, weights, resets=x[..., 0] > 1)
        return jnp.sum(outputs**2) + jnp.sum(last)

    program = jax.jit(jax.grad(loss, argnums=(0, 1, 2)))
    assert "@statewise_linear" in program.lower(x, state, weights).as_text()
    elsewhere = export.export(jax.jit(jax.value_and_grad(loss)))(x, state, weights)
    assert "@statewise" not in elsewhere.mlir_module()
    value, gradient = elsewhere.call(x, state, weights)
    np.testing.assert_allclose(value, loss(x, state, weights), rtol=1e-5)
    np.testing.assert_allclose(gradient, program(x, state, weights)[0], rtol=1e-4, atol=1e-5)


@needs_native
def test_no_second_derivative(rng):
    cell, x, state, weights = case(MinGRU(), rng)
    with pytest.raises(TypeError, match=r"first derivatives in reverse mode .*recurrence\.scan"):
        jax.jvp(lambda x: run(cell, x, state, weights).last, (x,), (x,))
