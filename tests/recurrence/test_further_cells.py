"""The normalised, the projected and the minimal cells against their equations in NumPy, float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import numpy_cells
from all_pairs import all_pairs
from statewise.recurrence import (
    LayerNormLSTM,
    MinGRU,
    MinLSTM,
    ProjectedLSTM,
    Weights,
    run,
    scan,
)

FUNCTIONS = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    None: lambda a: a,
}
CELLS = {
    "LayerNormLSTM": LayerNormLSTM,
    "ProjectedLSTM": lambda act, gate: ProjectedLSTM(2, act, gate),
    "MinGRU": lambda act, _: MinGRU(act),
    "MinLSTM": lambda act, _: MinLSTM(act),
}
OPTIONS = {
    "name": list(CELLS),
    "activation": ["tanh", "relu", None],
    "gate": ["sigmoid", "tanh"],
    "mask": [False, True],
    "resets": [False, True],
    "go_backwards": [False, True],
    "zero_output_for_mask": [False, True],
    "use_bias": [True, False],
    "time": [1, 5, 40],
}
every_cell = pytest.mark.parametrize("name", CELLS)


def as_weights(weights, dtype="float64"):
    return Weights(*jax.tree.map(lambda w: jnp.asarray(w, dtype), weights))


@pytest.mark.parametrize(
    "options", all_pairs(OPTIONS), ids=lambda o: "-".join(map(str, o.values()))
)
def test_a_run_is_the_equations(options, rng):
    options = dict(options)
    name, time, use_bias = (options.pop(key) for key in ("name", "time", "use_bias"))
    names = options.pop("activation"), options.pop("gate")
    x, state = rng.normal(size=(4, time, 2)), numpy_cells.random_state(name, 4, 3, rng)
    weights = numpy_cells.random_weights(name, 2, 3, rng, use_bias=use_bias)
    for flags, share in (("mask", 0.7), ("resets", 0.2)):
        options[flags] = rng.random((4, time)) < share if options[flags] else None
    cell = CELLS[name](*(FUNCTIONS[n] for n in names))
    expected, ends = numpy_cells.run(
        name, x, state, weights, activation=names[0], recurrent_activation=names[1], **options
    )
    for runs in (run, scan):
        with jax.enable_x64(True):
            result = runs(
                cell,
                jnp.asarray(x),
                cell.state_type(*map(jnp.asarray, state)),
                as_weights(weights),
                **options,
            )
        np.testing.assert_allclose(result.outputs, expected, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(result.last, expected[:, -1], rtol=1e-11, atol=1e-11)
        for array, end in zip(result.state, ends, strict=True):
            np.testing.assert_allclose(array, end, rtol=1e-11, atol=1e-11)


@every_cell
def test_gradients_are_finite_differences(name, rng):
    cell = CELLS[name](jnp.tanh, jax.nn.sigmoid)
    weights = numpy_cells.random_weights(name, 2, 3, rng)
    x, state = rng.normal(size=(2, 6, 2)), numpy_cells.random_state(name, 2, 3, rng)
    flags = {"mask": rng.random((2, 6)) < 0.8, "resets": rng.random((2, 6)) < 0.2}
    given, tree = jax.tree.flatten((x, state, weights))
    wanted = rng.normal(size=(2, 6, state[0].shape[1]))
    ways = [rng.normal(size=array.shape) for array in given]

    def loss(arrays):
        x, state, weights = jax.tree.unflatten(tree, arrays)
        result = run(cell, x, cell.state_type(*state), Weights(*weights), **flags)
        ends = sum(jnp.sum(array**2) for array in result.state)
        return jnp.sum(result.outputs * wanted) + ends + jnp.sum(jnp.sin(result.last))

    with jax.enable_x64(True):
        arrays = [jnp.asarray(array) for array in given]
        gradients = jax.jit(jax.grad(loss))(arrays)
        small, compiled = 1e-6, jax.jit(loss)
        for k, (gradient, way) in enumerate(zip(gradients, ways, strict=True)):
            high, low = (
                compiled([a + sign * small * way if j == k else a for j, a in enumerate(arrays)])
                for sign in (1, -1)
            )
            slope = float((high - low) / (2 * small))
            assert float(jnp.sum(gradient * way)) == pytest.approx(slope, rel=1e-6, abs=1e-7)


@every_cell
def test_what_is_computed_from_one_sequence_touches_no_other(name, rng):
    cell = CELLS[name](jnp.tanh, jax.nn.sigmoid)
    weights = as_weights(numpy_cells.random_weights(name, 2, 3, rng), "float32")
    x = jnp.asarray(rng.normal(size=(3, 8, 2)), "float32")
    x = x.at[1, 2].set(jnp.nan)
    zeros = cell.initial_state(3, 3, "float32")
    outputs = run(cell, x, zeros, weights).outputs
    assert not np.isnan(outputs[::2]).any()
    assert np.isnan(outputs[1, 2:]).all()
    # Nor does a state cross a reset, or count what is masked.
    flags = jnp.zeros((3, 8), bool).at[:, 5].set(True)
    cut = run(cell, x, zeros, weights, resets=flags).outputs
    assert not np.isnan(cut[1, 5:]).any()
    masked = run(cell, x, zeros, weights, mask=~flags.at[:, 2].set(True)).outputs
    assert not np.isnan(masked).any()


def test_gates_as_good_as_zero_are_numbers(rng):
    cell, x = MinLSTM(), jnp.full((1, 6, 1), -300.0)
    weights = Weights(jnp.ones((1, 6)), None, jnp.zeros(6))

    def last(weights):
        return jnp.sum(run(cell, x, cell.initial_state(1, 2, x.dtype), weights).last)

    value, gradients = jax.value_and_grad(last)(weights)
    assert value == pytest.approx(2 * -300 * (1 - 0.5**6))
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradients))
