"""The kernels at shapes and options that nobody chose: values, states and every gradient.

Held against NumPy in float64, a step at a time. A handful of sizes says nothing about those
between: what is wrong in a kernel is wrong where a piece of some blocking is left over, so sizes
are drawn around all of those.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numpy_gradients
from drawn_sizes import CELLS, cell_with, drawn, functions, scale_with, sizes
from native_run import native_run
from numpy_cells import random_weights
from quick import quick_jit
from statewise.recurrence import DropoutMasks, Weights, native, scan

MOST = {"batch": 1100, "time": 80, "units": 300, "features": 200}
# As a part of the greatest value of each array. Sums of up to a hundred thousand numbers.
TOLERANCE = {"float32": 5e-5, "float64": 1e-11}
MAY_GROW = ("linear", "relu", "tanh")  # gates that aren't between 0 and 1
DROPOUT = ("drop_inputs", "drop_state")
needs_kernels = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)


@st.composite
def cases(draw, work):
    """Draw a case of at most about so many multiplications."""
    case = {name: draw(sizes(most)) for name, most in MOST.items()}
    while case["batch"] * case["time"] * case["units"] * (case["units"] + case["features"]) > work:
        largest = max(case, key=lambda name: case[name] / MOST[name])
        case[largest] = (case[largest] + 1) // 2
    case["name"] = draw(st.sampled_from(list(CELLS)))
    case["dtype"] = draw(st.sampled_from(["float32", "float64"]))
    case["functions"] = draw(functions(smooth=case["dtype"] == "float32"))
    if case["functions"][1] in MAY_GROW:
        case["time"] = min(case["time"], 4)  # a state may grow until it overflows
    flags = ("bias", "mask", "resets", "go_backwards", "zero_output_for_mask", "all_outputs")
    flags = (*flags, "missing")  # values, at the steps that the mask skips
    case |= {name: draw(st.booleans()) for name in flags}
    # Dropout masks: none, one for all gates or one for each.
    case |= {name: draw(st.sampled_from(["", "", "one", "each"])) for name in DROPOUT}
    case["seed"] = draw(st.integers(0, 2**32 - 1))
    return case


@st.composite
def sharings(draw):
    """Draw what a call is shared out by: rows or units, as threads and cache say."""
    sets = native.extension.extension().instruction_sets() if native.available() else [""]
    return {
        "instruction_set": draw(st.sampled_from(sets)),
        "threads": draw(st.sampled_from([1, 2, 2, 3, 5, 7])),
        "cache_bytes": draw(st.sampled_from([0, 0, 1 << 12, 1 << 17])),
    }


class Operands:
    """What a case computes with, float64, and the weights of a sum of all its results."""

    def __init__(self, case):
        rng = np.random.default_rng(case["seed"])
        batch, time, units, features = (case[n] for n in ("batch", "time", "units", "features"))
        self.x = rng.normal(size=(batch, time, features))
        arrays = numpy_gradients.CELLS[case["name"]].arrays
        self.state = tuple(rng.normal(size=(batch, units)) for _ in range(arrays))
        W, U, b = random_weights(case["name"], features, units, rng, use_bias=case["bias"])
        # Small enough that gates don't saturate and a long sequence forgets its rounding.
        weights = W * features**-0.5, U * units**-0.5, b
        scale = scale_with(*case["functions"])
        weights = (None if w is None else w * scale for w in weights)
        self.weights = numpy_gradients.Weights(*weights)
        self.mask = rng.random((batch, time)) < 0.7 if case["mask"] else None
        if case["mask"] and case["missing"]:
            self.x[~self.mask] = np.nan
        self.resets = rng.random((batch, time)) < 0.2 if case["resets"] else None
        gates = numpy_gradients.CELLS[case["name"]].gates

        def masks(kind, count):
            shape = (gates, batch, count) if kind == "each" else (batch, count)
            return 1.5 * (rng.random(shape) < 0.7) if kind else None

        self.dropout = DropoutMasks(
            masks(case["drop_inputs"], features), masks(case["drop_state"], units)
        )
        self.d_outputs = rng.normal(size=(batch, time, units))
        if not case["all_outputs"]:
            self.d_outputs[:] = 0
        self.d_last = rng.normal(size=(batch, units))
        self.d_state = tuple(rng.normal(size=(batch, units)) for _ in range(arrays))


def expected(case, given):
    """Return the results and gradients that NumPy gives."""
    options = {name: case[name] for name in ("go_backwards", "zero_output_for_mask")}
    options |= {"mask": given.mask, "resets": given.resets, "dropout": given.dropout}
    options |= dict(zip(("activation", "recurrent_activation"), case["functions"], strict=True))
    run = numpy_gradients.Recurrence(case["name"], given.x, given.state, given.weights, **options)
    gradients = run.gradients(given.d_outputs, given.d_last, given.d_state)
    results = {"last": run.last, "state": run.state}
    if case["all_outputs"]:
        results["outputs"] = run.outputs
    weights = [g for g in gradients[2:] if g is not None]
    return results, {"x": gradients.x, "state": gradients.state, "weights": weights}


def found(case, given, run):
    """Return the results and gradients of ``native_run`` or ``scan``."""
    cell = cell_with(case["name"], *case["functions"])

    def array(a):
        return None if a is None else jnp.asarray(a, case["dtype"])

    dropout = DropoutMasks(*map(array, given.dropout))
    options = {name: case[name] for name in ("go_backwards", "zero_output_for_mask", "all_outputs")}
    options |= {"mask": given.mask, "resets": given.resets, "dropout": dropout}

    def results(x, state, weights):
        result = run(cell, x, cell.state_type(*state), Weights(*weights), **options)
        kept = {"last": result.last, "state": tuple(result.state)}
        return kept | ({"outputs": result.outputs} if case["all_outputs"] else {})

    def both(x, state, weights, cotangents):
        values, pull = jax.vjp(results, x, state, weights)
        return values, pull(cotangents)

    weights = [array(w) for w in given.weights if w is not None]
    cotangents = {"last": array(given.d_last), "state": tuple(map(array, given.d_state))}
    if case["all_outputs"]:
        cotangents["outputs"] = array(given.d_outputs)
    values, (d_x, d_state, d_weights) = quick_jit(both)(
        array(given.x), tuple(map(array, given.state)), weights, cotangents
    )
    return values, {"x": d_x, "state": d_state, "weights": d_weights}


def assert_equal(case, run):
    given = Operands(case)
    ours, theirs = found(case, given, run), expected(case, given)
    ours, theirs = jax.tree.leaves_with_path(ours), jax.tree.leaves_with_path(theirs)
    assert [path for path, _ in ours] == [path for path, _ in theirs]
    for (path, one), (_, other) in zip(ours, theirs, strict=True):
        assert one.dtype == case["dtype"]
        scale = 1e-2 + np.abs(other).max()
        error = np.abs(np.asarray(one, "float64") - other).max() / scale
        assert error < TOLERANCE[case["dtype"]], f"{jax.tree_util.keystr(path)}: {error:.2g}"


def natively(case, sharing):
    module = native.extension.extension()
    before = module.instruction_set()
    module.use_instruction_set(sharing["instruction_set"])
    module.set_thread_count(sharing["threads"])
    module.set_core_cache_bytes(sharing["cache_bytes"])
    try:
        with jax.enable_x64(True):
            assert_equal(case, native_run)
    finally:
        module.use_instruction_set(before)
        module.set_thread_count(0)
        module.set_core_cache_bytes(0)


@needs_kernels
@drawn(100)
@given(cases(work=3e6), sharings())
def test_native_kernels_at_drawn_shapes(case, sharing):
    natively(case, sharing)


@needs_kernels
@pytest.mark.slow
@drawn(250)
@given(case=cases(work=1e8), sharing=sharings())
def test_native_kernels_at_large_drawn_shapes(case, sharing):
    natively(case, sharing)


@needs_kernels
@pytest.mark.slow
@pytest.mark.parametrize("part", range(3))
@drawn(400)
@given(case=cases(work=3e7), sharing=sharings())
def test_native_kernels_at_thousands_of_drawn_shapes(part, case, sharing):
    natively(case, sharing)


@drawn(20)
@given(cases(work=1e6))
def test_the_reference_at_drawn_shapes(case):
    with jax.enable_x64(True):
        assert_equal(case, scan)


def one_step_left_over(**changes):
    """Return a case whose last chunk in the backward pass has a single step, of several groups."""
    case = {"batch": 300, "time": 10, "units": 64, "features": 8, "seed": 0, "name": "LSTM"}
    flags = ("mask", "resets", "go_backwards", "zero_output_for_mask", *DROPOUT, "missing")
    case |= dict.fromkeys(flags, False) | {"bias": True, "all_outputs": True, "dtype": "float32"}
    case["functions"] = "tanh", "sigmoid"
    return case | changes


@needs_kernels
@pytest.mark.parametrize(
    "case",
    [
        one_step_left_over(),
        one_step_left_over(name="GRU", batch=512),
        one_step_left_over(name="SimpleRNN", batch=512),
        one_step_left_over(batch=32, time=9),
        one_step_left_over(name="SimpleRNN", batch=64, time=5),
        one_step_left_over(batch=128, time=3, units=31, dtype="float64"),
        one_step_left_over(name="GRU, reset before", batch=300, time=5),
        one_step_left_over(functions=("gelu", "hard_sigmoid"), dtype="float64"),
        one_step_left_over(drop_inputs="each", drop_state="each"),
        one_step_left_over(name="GRU, reset before", batch=300, time=5, drop_state="each"),
        one_step_left_over(name="GRU", batch=512, drop_state="one", dtype="float64"),
    ],
    ids=lambda case: "{name} {batch}x{time}x{units} {drop_state}".format(**case).rstrip(),
)
def test_a_chunk_of_one_step(case):
    for instruction_set in native.extension.extension().instruction_sets():
        for threads in (1, 2):
            for cache_bytes in (0, 1 << 12):
                given = {"instruction_set": instruction_set, "threads": threads}
                natively(case, {**given, "cache_bytes": cache_bytes})
