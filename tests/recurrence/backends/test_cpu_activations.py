"""The native kernels with every pair of functions: values, states and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import numpy_cells
from all_pairs import all_pairs
from drawn_sizes import CELLS, cell_with, scale_with
from native_run import native_run
from numpy_activations import FUNCTIONS, GATES
from quick import quick_jit
from some_slow import some_slow
from statewise.recurrence import LSTM, SimpleRNN, Weights, native, native_serves, scan
from statewise.recurrence.activations import ACTIVATIONS, GATE_ACTIVATIONS
from statewise.recurrence.native.numbers import ACTIVATION_NUMBERS, cell_of, numbers_of

needs_kernels = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)
OPTIONS = {
    "activation": list(FUNCTIONS),
    "recurrent_activation": list(GATES),
    "name": list(CELLS),
    "sizes": [(5, 9, 3), (33, 17, 20), (1, 6, 13), (1, 3, 40), (45, 70, 100)],
    "dtype": ["float64", "float32"],
    "flags": [False, True],
    "go_backwards": [False, True],
    "all_outputs": [True, False],
}
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}  # as a part of the greatest value


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def drawn(name, functions, sizes, dtype, rng, time=12):
    """Return a cell, inputs, a state and weights."""
    batch, features, units = sizes
    cell = cell_with(name, *functions)

    def draw(*shape):
        return jnp.asarray(rng.normal(size=shape), dtype)

    W, U, b = numpy_cells.random_weights(name, features, units, rng)
    scale = scale_with(*functions)
    weights = (jnp.asarray(w * scale, dtype) for w in (W * features**-0.5, U * units**-0.5, b))
    state = cell.state_type(*(draw(batch, units) for _ in cell.state_type._fields))
    return cell, draw(batch, time, features), state, Weights(*weights)


def with_gradients(run, options):
    """Return a function that gives the results, and the gradients of a weighted sum of them."""

    def weighted(cell, x, state, weights):
        result = run(cell, x, state, weights, **options)
        rng, total = np.random.default_rng(0), 0.0
        for array in (result.last, *result.state, result.outputs):
            if array is not None:
                total += jnp.sum(array * jnp.asarray(rng.normal(size=array.shape), array.dtype))
        return total, (result.last, result.state, result.outputs)

    def both(cell, x, state, weights):
        function = jax.grad(weighted, argnums=(1, 2, 3), has_aux=True)
        return function(cell, x, state, weights)

    return quick_jit(both, static_argnums=0)


@needs_kernels
@pytest.mark.parametrize(
    "options",
    some_slow(all_pairs(OPTIONS), 3),
    ids=lambda o: "{name}-{activation}-{recurrent_activation}".format(**o),
)
def test_every_pair_of_functions(options, rng):
    functions = options["activation"], options["recurrent_activation"]
    case = drawn(options["name"], functions, options["sizes"], options["dtype"], rng)
    flags = case[1].shape[:2]
    given = {name: options[name] for name in ("go_backwards", "all_outputs")}
    if options["flags"]:
        given |= {"mask": rng.random(flags) < 0.6, "resets": rng.random(flags) < 0.3}
    assert native_serves(*case, **given) is None
    found, expected = (jax.tree.leaves(with_gradients(f, given)(*case)) for f in (native_run, scan))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == options["dtype"]
        scale = 1e-2 + np.abs(other).max()
        np.testing.assert_allclose(
            one / scale, other / scale, rtol=0, atol=TOLERANCE[options["dtype"]]
        )


@needs_kernels
@pytest.mark.parametrize("name", CELLS)
def test_every_instruction_set_and_number_of_threads_gives_the_same(name, rng):
    module = native.extension.extension()
    best = module.instruction_set()
    case = drawn(name, ("gelu", "hard_sigmoid"), (65, 20, 70), "float64", rng)
    run = with_gradients(native_run, {"resets": rng.random((65, 12)) < 0.2})
    results = []
    try:
        for instruction_set in module.instruction_sets():
            module.use_instruction_set(instruction_set)
            for threads, cache_bytes in ((1, 0), (3, 0), (3, 1 << 12)):
                module.set_thread_count(threads)
                module.set_core_cache_bytes(cache_bytes)
                results.append(run(*case))
    finally:
        module.use_instruction_set(best)
        module.set_thread_count(0)
        module.set_core_cache_bytes(0)
    for result in results[1:]:
        for one, other in zip(*map(jax.tree.leaves, (result, results[0])), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12 * np.abs(other).max())


def test_the_numbers_name_the_cell_again():
    for name in CELLS:
        for activation in ACTIVATIONS:
            for gates in GATE_ACTIVATIONS if name != "SimpleRNN" else ["sigmoid"]:
                cell = cell_with(name, activation, gates)
                assert cell_of(numbers_of(cell)) == cell
    assert numbers_of(LSTM(lambda x: x)) is None
    assert numbers_of(LSTM(recurrent_activation=ACTIVATIONS["gelu"])) is None
    assert numbers_of(SimpleRNN([])) is None  # not hashable, so nothing in a table
    assert set(ACTIVATIONS) | {"softmax"} == set(ACTIVATION_NUMBERS)
    assert set(FUNCTIONS) == set(ACTIVATIONS)
    assert set(GATES) == set(GATE_ACTIVATIONS)


@needs_kernels
def test_functions_that_the_kernels_do_not_know_are_refused(rng):
    x, form = jnp.ones((2, 3, 1), "float32"), native.recurrence
    operands = form.Operands(
        *(x, x[:, 0].repeat(4, 1), jnp.zeros(0), jnp.ones((1, 4)), jnp.ones((4, 4))),
        *(jnp.zeros(0), jnp.zeros(0, bool), jnp.zeros(0, bool), jnp.zeros(0), jnp.zeros(0)),
    )
    operands = jax.tree.map(lambda a: a if a.dtype == bool else a.astype("float32"), operands)
    for wrong in ((99, 2), (4, 2), (1, 13)):
        numbers = numbers_of(SimpleRNN())._replace(
            activation=wrong[0], recurrent_activation=wrong[1]
        )
        with pytest.raises(jax.errors.JaxRuntimeError, match="no cell has the activation"):
            form.recurrence(form.Form(numbers, False, True, 0), operands)[1].block_until_ready()
    with pytest.raises(ValueError, match="No cell has such activations"):
        native.extension.extension().LiveStep().add_recurrent(
            0, 4, 2, np.ones((1, 4), "float32"), np.ones((4, 4), "float32"), None
        )
