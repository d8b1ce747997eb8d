"""Exported programs have none of the native calls, and compute the same."""

import logging
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from statewise.recurrence import GRU, LSTM, DropoutMasks, SimpleRNN, Weights, native, run
from statewise.recurrence.native import exporting

CELLS = {
    "SimpleRNN": (SimpleRNN(), 1),
    "LSTM": (LSTM(), 4),
    "GRU": (GRU(), 3),
    "GRU, reset before": (GRU(reset_after=False), 3),
}
needs_native = pytest.mark.skipif(
    not native.available(), reason=f"there are no native kernels: {native.unavailable_reason()}"
)


def given(name, batch=5, time=9, features=3, units=6, bias=True):
    """Return a cell, inputs, state and weights, all drawn."""
    cell, gates = CELLS[name]
    rng = np.random.default_rng(0)

    def drawn(*shape):
        return jnp.asarray(rng.normal(size=shape) * 0.5, "float32")

    twice = (2,) if name == "GRU" else ()
    weights = Weights(
        drawn(features, gates * units),
        drawn(units, gates * units),
        drawn(*twice, gates * units) if bias else None,
    )
    state = cell.state_type(*(drawn(batch, units) for _ in cell.state_type._fields))
    return cell, drawn(batch, time, features), state, weights


def exported(function, *arguments):
    """Return a function exported, which must hold none of our calls."""
    made = export.export(jax.jit(function))(*arguments)
    assert "@statewise" not in made.mlir_module()
    return made.call


def test_jax_keeps_its_rule_where_it_is_looked_for():
    assert exporting.make_exportable()


@needs_native
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("go_backwards", "flags"), [(False, False), (True, True)])
def test_results_and_gradients_are_those_of_the_kernels(name, go_backwards, flags):
    cell, x, state, weights = given(name, bias=not flags)
    rng = np.random.default_rng(1)
    options = {"go_backwards": go_backwards}
    if flags:
        options["mask"] = jnp.asarray(rng.random(x.shape[:2]) < 0.7)
        options["resets"] = jnp.asarray(rng.random(x.shape[:2]) < 0.2)
        options["zero_output_for_mask"] = go_backwards
        units = state.h.shape[-1]
        options["dropout"] = DropoutMasks(
            jnp.asarray(rng.random((CELLS[name][1], len(x), x.shape[-1])) < 0.7, "float32"),
            jnp.asarray(rng.random((len(x), units)) < 0.7, "float32"),
        )

    def results(x, state, weights):
        return run(cell, x, state, weights, **options)

    def loss(x, state, weights):
        outputs, last, after = results(x, state, weights)
        total = (outputs**2).sum() + (last * 3).sum()
        return total + sum((a**3).sum() for a in after)

    arguments = x, state, weights
    assert "@statewise" in jax.jit(results).lower(*arguments).as_text()
    # The weights' gradient alone is asked of the kernels in another way.
    gradients = jax.grad(loss, argnums=(0, 1, 2) if flags else 2)
    for function in (results, gradients):
        found, expected = exported(function, *arguments)(*arguments), function(*arguments)
        assert jax.tree.structure(found) == jax.tree.structure(expected)
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


@needs_native
def test_the_last_output_alone_and_a_map_over_weights():
    cell, x, state, weights = given("LSTM")

    def last(weights):
        return run(cell, x, state, weights, all_outputs=False).last

    many = jax.tree.map(lambda w: jnp.stack([w, 2 * w]), weights)
    for function, argument in ((last, weights), (jax.vmap(last), many)):
        np.testing.assert_allclose(
            exported(function, argument)(argument), function(argument), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("name", CELLS)
def test_open_numbers_of_samples_and_steps(name):
    cell, x, _, weights = given(name)

    def outputs(x):
        return run(cell, x, cell.initial_state(x.shape[0], 6, x.dtype), weights).outputs

    shape = export.symbolic_shape("batch, time, 3")
    called = exported(outputs, jax.ShapeDtypeStruct(shape, x.dtype))
    for part in (x, x[:1, :2], x[:4, :1], jnp.tile(x, (7, 3, 1))):
        np.testing.assert_allclose(called(part), outputs(part), rtol=1e-5, atol=1e-6)


@needs_native
def test_adams_step():
    rng = np.random.default_rng(0)
    groups = [
        [jnp.asarray(rng.random(shape), "float32") for shape in ((3, 4), (5,))] for _ in range(4)
    ]

    def step(*groups):
        return native.adam(jnp.float32(0.1), *groups, beta_1=0.9, beta_2=0.99, epsilon=1e-7)

    for a, b in zip(
        jax.tree.leaves(exported(step, *groups)(*groups)),
        jax.tree.leaves(step(*groups)),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@needs_native
def test_it_is_said_once(caplog):
    cell, x, state, weights = given("GRU")
    exporting._log_export.cache_clear()
    with caplog.at_level(logging.WARNING, logger="statewise"):
        for _ in range(2):
            exported(lambda x: run(cell, x, state, weights).last, x)
    (record,) = [r for r in caplog.records if r.name == "statewise"]
    assert "XLA's own operations in place of statewise's native kernels" in record.message


def test_other_custom_calls_are_refused_by_jax_as_before():
    def call(x):
        return jax.ffi.ffi_call("somebody_elses", jax.ShapeDtypeStruct(x.shape, x.dtype))(x)

    with pytest.raises(ValueError, match="somebody_elses"):
        export.export(jax.jit(call))(jnp.ones(3))


@needs_native
@pytest.mark.slow
def test_in_a_process_with_two_devices():
    code = """
import jax, jax.numpy as jnp
from jax import export
from statewise.recurrence import LSTM, Weights, run
cell, weights = LSTM(), Weights(jnp.ones((1, 16)), jnp.ones((4, 16)))
f = lambda x: run(cell, x, cell.initial_state(4, 4, x.dtype), weights).outputs
x = jnp.ones((4, 30, 1))
assert jax.device_count() == 2
made = export.export(jax.jit(f))(x)
assert "@statewise" not in made.mlir_module()
assert jnp.allclose(made.call(x), f(x), atol=1e-6)
"""
    flags = "--xla_force_host_platform_device_count=2"
    environment = os.environ | {"XLA_FLAGS": flags}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
