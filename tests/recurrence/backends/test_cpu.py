"""The native kernels against the reference: values, states and every gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from all_pairs import all_pairs
from drawn_sizes import CELLS
from native_run import native_run
from random_cases import assert_close, both_of, random_case
from some_slow import some_slow
from statewise.recurrence import (
    DropoutMasks,
    Result,
    native,
    native_threads,
    scan,
)

pytestmark = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)

OPTIONS = {
    "name": list(CELLS),
    "units": [7, 1, 3, 64, 65],
    "batch": [2, 1, 33],
    "time": [6, 1, 40],
    "dtype": ["float32", "float64"],
    "use_bias": [True, False],
    "mask": [False, True],
    "resets": [False, True],
    "go_backwards": [False, True],
    "zero_output_for_mask": [False, True],
    "all_outputs": [True, False],
    "drop_inputs": ["", "one", "each"],
    "drop_state": ["", "one", "each"],
}
# Layers large enough for the tile unit, where there is one: it works in pieces of 16 rows and 32
# units or features, here whole or not.
WIDE_OPTIONS = {
    "name": list(CELLS),
    "units": [64, 100, 200],
    "features": [70, 128],
    "batch": [32, 16, 31, 45, 80],
    "time": [5, 1, 40],
    "use_bias": [True, False],
    "mask": [False, True],
    "resets": [False, True],
    "go_backwards": [False, True],
    "all_outputs": [True, False],
    "drop_inputs": ["", "each"],
    "drop_state": ["", "one", "each"],
}
# One row of few units, which has a way of its own where the units fill one vector or two of any
# instruction set.
ROW_OPTIONS = {
    "name": list(CELLS),
    "units": [1, 3, 4, 7, 8, 13, 16, 20, 32, 33],
    "features": [1, 6, 32, 33],
    "batch": [1],
    "time": [40, 1],
    "dtype": ["float32", "float64"],
    "use_bias": [True, False],
    "go_backwards": [False, True],
    "all_outputs": [True, False],
    "drop_state": ["", "one", "each"],
}
# How far two orders of the same sums may come apart, as a part of the greatest value.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
each_cell = pytest.mark.parametrize("name", CELLS)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def threads():
    """Set how many threads share a call; the default comes back after the test."""
    module = native.extension.extension()
    yield module.set_thread_count
    module.set_thread_count(0)


def drawn_masks(rng, kind, case, count):
    """Return dropout masks with zeros: ``one`` for all gates or one for ``each``; or None."""
    cell, x, *_ = case
    shape = (len(x), count) if kind == "one" else (len(cell.gates), len(x), count)
    return jnp.asarray((rng.random(shape) < 0.7) * 1.5, x.dtype) if kind else None


HALF = {"bfloat16": 2.0**-8, "float16": 2.0**-11}  # what rounding to them changes at most


@each_cell
@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "all_outputs": False}])
def test_arrays_of_16_bits_are_computed_with_in_32(name, dtype, options, rng):
    case = random_case(name, rng, batch=33, time=9, units=65, dtype=dtype)
    wide = jax.tree.map(lambda a: a.astype("float32"), case[1:])
    found = both_of(native_run, options)(*case)
    expected = both_of(scan, options)(case[0], *wide)
    for one, other in zip(*map(jax.tree.leaves, (found[1], expected[1])), strict=True):
        assert one.dtype == dtype
        scale = np.abs(other).max()
        np.testing.assert_allclose(
            np.asarray(one, "float32") / scale, other / scale, rtol=0, atol=HALF[dtype]
        )
    # The gradients start from results that were rounded, and are rounded themselves.
    for one, other in zip(*map(jax.tree.leaves, (found[0], expected[0])), strict=True):
        assert one.dtype == dtype
        scale = np.abs(other).max()
        np.testing.assert_allclose(
            np.asarray(one, "float32") / scale, other / scale, rtol=0, atol=3 * HALF[dtype]
        )


@pytest.mark.parametrize(
    "options", all_pairs(OPTIONS) + all_pairs(WIDE_OPTIONS) + all_pairs(ROW_OPTIONS)
)
def test_results_and_gradients_are_the_references(options, rng):
    defaults = {"dtype": "float32", "features": 3}
    defaults |= dict.fromkeys(("mask", "resets", "drop_inputs", "drop_state"), False)
    options = defaults | dict(options)
    name = options.pop("name")
    sizes = {key: options.pop(key) for key in ("units", "features", "time", "batch", "dtype")}
    case = random_case(name, rng, bias=options.pop("use_bias"), **sizes)
    flags = case[1].shape[:2]
    options["mask"] = rng.random(flags) < 0.6 if options["mask"] else None
    options["resets"] = rng.random(flags) < 0.4 if options["resets"] else None
    counts = {"inputs": sizes["features"], "recurrent": sizes["units"]}
    kinds = {"inputs": options.pop("drop_inputs"), "recurrent": options.pop("drop_state")}
    options["dropout"] = DropoutMasks(
        **{of: drawn_masks(rng, kinds[of], case, counts[of]) for of in counts}
    )

    def expected(*arguments, **options):
        return scan(*arguments, **options)._replace(**not_asked(options))

    found = both_of(native_run, options)(*case)
    assert_close(found, both_of(expected, options)(*case), TOLERANCE[sizes["dtype"]])


def not_asked(options):
    """Return the field of a result that is None where outputs weren't asked for."""
    return {} if options["all_outputs"] else {"outputs": None}


@each_cell
@pytest.mark.parametrize(
    ("batch", "units", "count"),
    [(33, 64, 2), (5, 200, 3), (40, 260, 2), (2, 33, 7)],
    ids=["rows", "rows of wide layers", "units", "more threads than rows"],
)
@pytest.mark.parametrize("dropout", ["", "each"])
def test_threads_change_nothing(name, batch, units, count, dropout, rng, threads):
    case = random_case(name, rng, batch=batch, time=12, units=units)
    options = {"resets": rng.random((batch, 12)) < 0.2, "mask": rng.random((batch, 12)) < 0.8}
    masks = (drawn_masks(rng, dropout, case, size) for size in (2, units))
    options["dropout"] = DropoutMasks(*masks)
    threads(1)
    alone = both_of(native_run, options)(*case)
    threads(count)
    for _ in range(5):
        assert_close(both_of(native_run, options)(*case), alone, TOLERANCE["float32"])


@pytest.mark.parametrize(("batch", "units"), [(33, 64), (64, 260)])
def test_a_call_takes_no_more_threads_than_it_may(batch, units, rng, threads):
    case = random_case("LSTM", rng, batch=batch, time=12, units=units)
    threads(1)
    alone = both_of(native_run, {})(*case)
    threads(3)
    with native_threads(1):
        limited = both_of(native_run, {})(*case)
    jax.tree.map(np.testing.assert_array_equal, limited, alone)  # to the bit: one block, one sum


def with_each_instruction_set(function):
    """Return what a function gives with each instruction set of this machine in use."""
    module = native.extension.extension()
    best, results = module.instruction_set(), {}
    try:
        for instruction_set in module.instruction_sets():
            module.use_instruction_set(instruction_set)
            results[instruction_set] = jax.block_until_ready(function())
    finally:
        module.use_instruction_set(best)
    return results


@each_cell
@pytest.mark.parametrize(
    "sizes",
    [(1, 5, 3), (1, 2, 13), (1, 3, 29), (5, 3, 21), (33, 70, 100)],
    ids=["row of 3", "row of 13", "row of 29", "small", "wide"],
)
def test_every_instruction_set_gives_the_same(name, sizes, rng):
    batch, features, units = sizes
    case = random_case(name, rng, batch=batch, features=features, units=units)
    run = both_of(native_run, {})
    first, *others = with_each_instruction_set(lambda: run(*case)).values()
    for result in others:
        assert_close(result, first, TOLERANCE["float32"])


def test_an_instruction_set_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"This machine or build has no 6502\."):
        native.extension.extension().use_instruction_set("6502")


@each_cell
def test_every_instruction_set_is_as_exact_as_float32_can_be(name, rng):
    case = random_case(name, rng, batch=32, features=128, units=256, time=8)
    cell, *arrays = case
    exact = both_of(scan, {})(cell, *jax.tree.map(lambda a: a.astype("float64"), arrays))
    run = both_of(native_run, {})

    def error(found):
        """Return the typical error of each array, relative to the array's own size."""
        pairs = zip(jax.tree.leaves(found), jax.tree.leaves(exact), strict=True)
        return [float(np.linalg.norm(one - other) / np.linalg.norm(other)) for one, other in pairs]

    errors = with_each_instruction_set(lambda: error(run(*case)))
    for instruction_set, found in errors.items():
        assert max(found) < 3e-6, instruction_set
        # In parts or not: none is less exact than the plain vectors are.
        ratios = np.array(found) / np.array(errors["portable"])
        assert ratios.max() < 1.5, instruction_set


def test_a_long_sequence_crosses_chunks(rng):
    case = random_case("LSTM", rng, batch=1, time=3000, units=8, dtype="float64")
    options = {"resets": rng.random((1, 3000)) < 0.01}
    found, expected = (both_of(run, options)(*case) for run in (native_run, scan))
    assert_close(found, expected, 1e-10)


@pytest.mark.parametrize("sizes", [(4, 2, 4), (33, 70, 100)], ids=["small", "wide"])
@pytest.mark.parametrize("together", [True, False])
def test_extreme_inputs(sizes, together, rng):
    batch, features, units = sizes
    cell, x, state, weights = random_case("LSTM", rng, batch=batch, features=features, units=units)
    x = x.at[0, 1, 0].set(jnp.nan).at[1, 2, 0].set(jnp.inf).at[2, 0, 1].set(-1e30)
    weights = weights._replace(kernel=(jnp.abs(weights.kernel) + 1) / features)  # inf stays inf
    parts = [slice(None)] if together else [slice(i, i + 1) for i in range(3)]
    found, expected = (
        np.concatenate(
            [
                run(cell, x[part], type(state)(*(a[part] for a in state)), weights).outputs
                for part in parts
            ]
        )
        for run in (native_run, scan)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6, equal_nan=True)
    assert np.isnan(found[0, 1:]).all()
    assert np.isfinite(found[1:]).all()


def test_no_gradient_but_those_asked_for(rng):
    cell, x, state, weights = random_case("GRU", rng)

    def by_state(h):
        return native_run(cell, x, state._replace(h=h), weights).last.sum()

    text = str(jax.make_jaxpr(jax.grad(by_state))(state.h))
    backward = text[text.rindex("statewise_recurrence_backward") - 2000 :]
    assert "f32[3,5,2]" not in backward.split("=")[0]
    expected = jax.grad(lambda h: scan(cell, x, state._replace(h=h), weights).last.sum())(state.h)
    np.testing.assert_allclose(jax.grad(by_state)(state.h), expected, atol=1e-5)


@each_cell
def test_vmap_is_one_after_the_other(name, rng):
    cell, _, state, weights = random_case(name, rng)
    xs = jnp.asarray(rng.normal(size=(4, 3, 5, 2)), "float32")
    found = jax.vmap(lambda x: native_run(cell, x, state, weights).outputs)(xs)
    for one, x in zip(found, xs, strict=True):
        np.testing.assert_allclose(one, native_run(cell, x, state, weights).outputs, atol=1e-6)


def test_training_inside_a_compiled_loop(rng):
    cell, x, state, weights = random_case("LSTM", rng)
    target = jnp.asarray(rng.normal(size=(3, 5, 4)), "float32")

    def trained(run):
        def loss(weights):
            return jnp.mean((run(cell, x, state, weights).outputs - target) ** 2)

        def step(weights, _):
            value, gradient = jax.value_and_grad(loss)(weights)
            return jax.tree.map(lambda w, g: w - 0.1 * g, weights, gradient), value

        return jax.jit(lambda weights: jax.lax.scan(step, weights, None, length=10))(weights)

    assert_close(trained(native_run), trained(scan), TOLERANCE["float32"])


def test_an_exported_program_runs(rng):
    cell, x, state, weights = random_case("LSTM", rng)
    program = jax.jit(lambda x: native_run(cell, x, state, weights).outputs)
    exported = jax.export.export(program)(x)  # of XLA's own operations, so but for rounding
    np.testing.assert_allclose(exported.call(x), program(x), atol=1e-6)


def test_a_sharded_batch(rng):
    cell, x, state, weights = random_case("GRU", rng, batch=4)
    mesh = Mesh(np.array(jax.devices()[:1]), ("batch",))
    rows = PartitionSpec("batch")
    program = jax.shard_map(
        lambda x, h: native_run(cell, x, state._replace(h=h), weights).outputs,
        mesh=mesh,
        in_specs=(rows, rows),
        out_specs=rows,
        check_vma=False,
    )
    expected = native_run(cell, x, state, weights).outputs
    np.testing.assert_allclose(jax.jit(program)(x, state.h), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["LSTM", "SimpleRNN"])
def test_dropout_masks_of_flags_and_for_all_rows(name, rng):
    case = random_case(name, rng)
    for masks in (
        DropoutMasks(jnp.asarray(rng.random((3, 2)) < 0.5), jnp.asarray(rng.random((3, 4)) < 0.5)),
        DropoutMasks(jnp.array([[0.0, 2.0]]), jnp.array([[0.0, 2.0, 0.0, 2.0]])),
        DropoutMasks(*(drawn_masks(rng, "each", case, size)[:, :1] for size in (2, 4))),
    ):
        masks = jax.tree.map(lambda m: m if m.dtype == bool else m.astype("float32"), masks)
        found, expected = (both_of(r, {"dropout": masks})(*case) for r in (native_run, scan))
        assert_close(found, expected, TOLERANCE["float32"])


@pytest.mark.parametrize("name", some_slow(CELLS, 4))
def test_gradients_by_dropout_masks(name, rng):
    cell, x, state, weights = random_case(name, rng, dtype="float64")
    mask, resets = rng.random((3, 5)) < 0.7, rng.random((3, 5)) < 0.3
    masks = [drawn_masks(rng, "each", (cell, x), size) for size in (2, 4)]

    def gradients(run, all_outputs):
        def total(masks, x, weights):
            options = {"dropout": DropoutMasks(*masks), "all_outputs": all_outputs}
            result = run(cell, x, state, weights, mask=mask, resets=resets, **options)
            return sum(jnp.sum(a**2) for a in jax.tree.leaves(result))

        return jax.grad(total, argnums=(0, 1, 2))(masks, x, weights)

    for all_outputs in (True, False):
        found, expected = (gradients(run, all_outputs) for run in (native_run, scan))
        assert_close(found, expected, TOLERANCE["float64"])


@pytest.mark.parametrize(
    ("masks", "told"),
    [
        (DropoutMasks(recurrent=jnp.ones((3, 3, 4))), r"recurrent has the shape \(3, 3, 4\)"),
        (DropoutMasks(recurrent=jnp.ones((3, 5))), r"recurrent has the shape \(3, 5\)"),
        (DropoutMasks(inputs=jnp.ones((2, 2))), r"inputs has the shape \(2, 2\)"),
        (DropoutMasks(inputs=jnp.ones(2)), r"expected \(3, 2\), .* or \(4, 3, 2\)"),
    ],
)
def test_dropout_masks_that_do_not_fit(masks, told, rng):
    masks = jax.tree.map(lambda m: m.astype("float32"), masks)
    with pytest.raises(ValueError, match=told):
        native_run(*random_case("LSTM", rng), dropout=masks)


def test_a_shape_that_does_not_fit_is_an_error_of_the_call(rng):
    cell, x, state, weights = random_case("LSTM", rng)
    wrong = weights._replace(kernel=weights.kernel[:1])
    with pytest.raises(jax.errors.JaxRuntimeError, match=r"the kernel has the shape \(1, 16, \)"):
        native_run(cell, x, state, wrong).last.block_until_ready()
    mixed = weights._replace(bias=weights.bias.astype("float64"))
    with pytest.raises(jax.errors.JaxRuntimeError, match="the bias has another dtype than x"):
        native_run(cell, x, state, mixed).last.block_until_ready()


def test_forward_mode_and_second_derivatives_name_the_way_on(rng):
    cell, x, state, weights = random_case("GRU", rng)

    def total(x):
        return native_run(cell, x, state, weights).outputs.sum()

    named = r"first derivatives in reverse mode .* call statewise\.recurrence\.scan"
    with pytest.raises(TypeError, match=named):
        jax.jvp(total, (x,), (x,))
    with pytest.raises(TypeError, match=named):
        jax.jacfwd(total)(x)
    with pytest.raises(TypeError, match=named):
        jax.hessian(total)(x)
    with pytest.raises(TypeError, match=named):
        jax.jit(jax.grad(lambda x: jax.grad(total)(x).sum()))(x)


def test_numbers_below_the_normal_ones_are_zero(rng):
    cell, x, state, weights = random_case("LSTM", rng, batch=9, units=40, bias=False)
    tiny, zero = jnp.full_like(x, 1e-41), jnp.zeros_like(x)
    forgotten = cell.initial_state(9, 40, x.dtype)
    low = type(state)(*(jnp.full_like(part, 1e-42) for part in state))
    found = both_of(native_run, {})(cell, tiny, low, weights)
    expected = both_of(native_run, {})(cell, zero, forgotten, weights)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_the_result_is_named(rng):
    result = native_run(*random_case("LSTM", rng))
    assert isinstance(result, Result)
    assert result.state.c.shape == (3, 4)
