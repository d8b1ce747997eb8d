"""The native kernels on two devices: a batch that is shared out among them."""

import os
import subprocess
import sys

import pytest

from statewise.recurrence import native

pytestmark = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)

# Two devices of the CPU exist only in a process that asks for them before JAX starts.
BEGIN = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from statewise.recurrence import GRU, LSTM, Call, DropoutMasks, MinGRU, SimpleRNN, Weights, scan
from statewise.recurrence.backends import cpu

def native_run(cell, x, state, weights, **options):
    return cpu.run(Call(cell, x, state, weights, **options))

assert jax.device_count() == 2
rng = np.random.default_rng(0)
draw = lambda *shape: jnp.asarray(rng.normal(size=shape) / 2, "float32")
mesh = Mesh(np.array(jax.devices()), ("rows",))

def case(cell, batch=6, time=5, features=3, units=4):
    gates = len(cell.gates) * units
    bias = (2, gates) if getattr(cell, "reset_after", False) else (gates,)
    state = cell.state_type(*(draw(batch, units) for _ in cell.state_type._fields))
    recurrent = None if isinstance(cell, MinGRU) else draw(units, gates)
    weights = Weights(draw(features, gates), recurrent, draw(*bias))
    return draw(batch, time, features), state, weights

def loss_of(run, cell, flags, dropout=DropoutMasks()):
    def loss(x, state, weights):
        result = run(cell, x, state, weights, mask=flags, resets=~flags, dropout=dropout)
        return jnp.sum(result.outputs**2) + jnp.sum(result.last), result
    return loss

def gradients_of(run, *options):
    return jax.jit(jax.grad(loss_of(run, *options), argnums=(0, 1, 2), has_aux=True))

def assert_close(found, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), found, expected)

cells = LSTM(), GRU(), GRU(reset_after=False), SimpleRNN(), MinGRU()
"""


def on_two_devices(code):
    """Run a program whose host has two devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
    subprocess.run(
        [sys.executable, "-c", BEGIN + code],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        check=True,
    )


def test_automatic_sharding_of_the_batch_gathers_nothing():
    on_two_devices("""
for cell in cells:
    x, state, weights = case(cell)
    flags = jnp.asarray(rng.random(x.shape[:2]) < 0.7)
    rows = NamedSharding(mesh, P("rows"))
    shared = jax.device_put((x, state), rows)
    everywhere = jax.device_put(weights, NamedSharding(mesh, P()))
    gates = len(cell.gates)
    masks = DropoutMasks(*(abs(draw(gates, 6, size)) for size in (3, 4)))
    shared_masks = jax.device_put(masks, NamedSharding(mesh, P(None, "rows")))
    program = gradients_of(native_run, cell, jax.device_put(flags, rows), shared_masks)
    assert "all-gather" not in program.lower(*shared, everywhere).compile().as_text()
    found = program(*shared, everywhere)
    assert found[1].outputs.sharding.spec[0] == "rows"
    assert_close(found, gradients_of(scan, cell, flags, masks)(x, state, weights))
""")


def test_shard_map_over_the_batch_gathers_nothing():
    on_two_devices("""
for cell in cells:
    x, state, weights = case(cell)
    flags = jnp.asarray(rng.random(x.shape[:2]) < 0.7)

    def gradients(x, h, weights, flags):
        (d_x, d_weights) = jax.grad(
            lambda x, w: loss_of(native_run, cell, flags)(x, state_of(h), w)[0], argnums=(0, 1)
        )(x, weights)
        return d_x, jax.lax.psum(d_weights, "rows")

    def state_of(h):
        return cell.state_type(*(h * i for i in range(1, len(state) + 1)))

    rows = P("rows")
    program = jax.jit(jax.shard_map(
        gradients, mesh=mesh, in_specs=(rows, rows, P(), rows), out_specs=(rows, P()),
        check_vma=False,
    ))
    arguments = x, state.h, weights, flags
    assert "all-gather" not in program.lower(*arguments).compile().as_text()
    d_x, _, d_weights = gradients_of(scan, cell, flags)(x, state_of(state.h), weights)[0]
    assert_close(program(*arguments), (d_x, d_weights))
""")


def test_what_is_not_shared_out_runs_as_on_one_device():
    on_two_devices("""
cell = GRU()
x, state, weights = case(cell)
flags = jnp.asarray(rng.random(x.shape[:2]) < 0.7)
expected = gradients_of(scan, cell, flags)(x, state, weights)
assert_close(gradients_of(native_run, cell, flags)(x, state, weights), expected)
assert_close(loss_of(native_run, cell, flags)(x, state, weights)[1], expected[1])

one = lambda x: native_run(cell, x, state, weights).outputs
many = jax.jit(jax.vmap(one))(jnp.stack([x, 2 * x]))
assert_close(many, jnp.stack([one(x), one(2 * x)]))

step = lambda weights, _: (jax.tree.map(
    lambda w, g: w - 0.01 * g, weights,
    jax.grad(lambda w: loss_of(native_run, cell, flags)(x, state, w)[0])(weights)), None)
jax.jit(lambda w: jax.lax.scan(step, w, length=3)[0])(weights)
""")
