"""Calls in bfloat16: which say so to the kernels, and what becomes of it by instruction set."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import numpy_cells
from native_run import native_run
from quick import quick_jit
from statewise.recurrence import GRU, LSTM, SimpleRNN, Weights, native

pytestmark = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)

CELLS = {
    "SimpleRNN": SimpleRNN(),
    "LSTM": LSTM(),
    "GRU": GRU(),
    "GRU, reset before": GRU(reset_after=False),
}
# These multiply numbers of bfloat16 as such; what enters a product is rounded.
ROUNDING = ("amx", "avx512bf16")


def random_case(name, rng, dtype):
    """Return a cell, inputs, a state and weights, large enough for products of bfloat16."""
    cell, (batch, time, features, units) = CELLS[name], (48, 7, 40, 96)

    def draw(*shape):
        return jnp.asarray(rng.normal(size=shape), "bfloat16").astype(dtype)

    state = cell.state_type(*(draw(batch, units) for _ in cell.state_type._fields))
    arrays = numpy_cells.random_weights(name, features, units, rng, use_bias=True)
    scales = features**-0.5, units**-0.5, 1.0
    weights = (
        jnp.asarray(w * scale, "bfloat16").astype(dtype)
        for w, scale in zip(arrays, scales, strict=True)
    )
    return cell, draw(batch, time, features), state, Weights(*weights)


def results_and_gradients(case, cotangent):
    cell, *arrays = case

    def results(x, state, weights):
        result = native_run(cell, x, state, weights)
        return result.outputs, tuple(result.state)

    def both(*arrays):
        values, pull = jax.vjp(results, *arrays)
        given = jax.tree.map(lambda v: cotangent[: v.size].reshape(v.shape).astype(v.dtype), values)
        return values, pull(given)

    return jax.tree.leaves(quick_jit(both)(*arrays))


@pytest.mark.parametrize("name", CELLS)
def test_without_its_instructions_the_arithmetic_is_that_of_float32(name, rng):
    module = native.extension.extension()
    before = module.instruction_set()
    seed = int(rng.integers(2**32))
    halves, floats = (
        random_case(name, np.random.default_rng(seed), dtype) for dtype in ("bfloat16", "float32")
    )
    # Both gradients begin with the same numbers.
    cotangent = jnp.asarray(rng.normal(size=48 * 7 * 96), "bfloat16")
    try:
        for instruction_set in module.instruction_sets():
            module.use_instruction_set(instruction_set)
            found = results_and_gradients(halves, cotangent)
            wide = results_and_gradients(floats, cotangent)
            for one, other in zip(found, wide, strict=True):
                assert one.dtype == "bfloat16"
                one = np.asarray(one, "float32")
                if instruction_set in ROUNDING:
                    scale = np.abs(other).max()
                    np.testing.assert_allclose(one / scale, other / scale, rtol=0, atol=2.0**-7)
                else:
                    np.testing.assert_array_equal(one, other.astype("bfloat16").astype("float32"))
    finally:
        module.use_instruction_set(before)


@pytest.mark.parametrize(
    ("dtype", "says"), [("bfloat16", True), ("float16", False), ("float32", False)]
)
def test_only_calls_in_bfloat16_may_be_rounded_to_it(dtype, says, rng):
    cell, *arrays = random_case("LSTM", rng, dtype)

    def total(*arrays):
        return native_run(cell, *arrays).outputs.sum()

    text = str(jax.make_jaxpr(jax.grad(total))(*arrays))
    assert text.count("in_bfloat16") == (2 if says else 0)  # forward and backward
