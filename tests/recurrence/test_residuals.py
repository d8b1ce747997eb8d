"""What a loop keeps for its gradient is less, and all that follows from it the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise.recurrence import GRU, LSTM, SimpleRNN, Weights, scan
from statewise.recurrence.residuals import few_residuals

UNITS, STEPS = 5, 7


def own(x):
    return jnp.tanh(x) * 1.1 + 0.05 * x * jax.nn.sigmoid(x)


CELLS = {
    "LSTM": LSTM(own),
    "GRU": GRU(own),
    "GRU, reset before": GRU(own, reset_after=False),
    "SimpleRNN": SimpleRNN(own),
    "LSTM, relu": LSTM(jax.nn.relu, jax.nn.hard_sigmoid),
}


def drawn(cell, rng, batch=3, features=2):
    gates = len(cell.gates) * UNITS
    bias = (2, gates) if getattr(cell, "reset_after", False) else (gates,)
    shapes = (features, gates), (UNITS, gates), bias
    weights = Weights(*(jnp.asarray(0.5 * rng.normal(size=s)) for s in shapes))
    x = jnp.asarray(rng.normal(size=(batch, STEPS, features)))
    state = cell.state_type(
        *(jnp.asarray(rng.normal(size=(batch, UNITS))) for _ in cell.state_type._fields)
    )
    return x, state, weights


def plain(cell, x, state, weights):
    """The loop as it's written down, with nothing said about what is kept."""

    def step(before, x_t):
        after = cell.step(cell.project(x_t, weights), before, weights)
        return after, after.h

    return jax.lax.scan(step, state, jnp.swapaxes(x, 0, 1))[1]


def ours(cell, x, state, weights):
    return jnp.swapaxes(scan(cell, x, state, weights).outputs, 0, 1)


@pytest.mark.parametrize(
    "name",
    [name if name == "SimpleRNN" else pytest.param(name, marks=pytest.mark.slow) for name in CELLS],
)
def test_values_and_derivatives_of_any_mode_and_order_are_the_same(name, rng):
    cell = CELLS[name]
    with jax.enable_x64(True):
        x, state, weights = drawn(cell, rng)
        direction = jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape)), weights)

        def loss(run):
            return lambda w: jnp.sum(jnp.sin(run(cell, x, state, w)))

        def dot(one, other):
            return sum(map(jnp.vdot, jax.tree.leaves(one), jax.tree.leaves(other)))

        def derivatives(run):
            first = jax.grad(loss(run))
            return (
                jax.jvp(loss(run), (weights,), (direction,)),  # forward
                first(weights),  # reverse
                jax.jvp(first, (weights,), (direction,))[1],  # forward over reverse
                jax.grad(lambda w: dot(first(w), direction))(weights),  # reverse over reverse
                jax.vmap(first)(jax.tree.map(lambda a: jnp.stack([a, 2 * a]), weights)),
            )

        for found, expected in zip(
            *(jax.tree.leaves(jax.jit(derivatives, static_argnums=0)(f)) for f in (ours, plain)),
            strict=True,
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def kept_bytes(run, cell, given):
    """Return how much the forward pass hands to the backward pass."""
    kept = jax.eval_shape(lambda *a: jax.vjp(lambda *b: run(cell, *b), *a)[1], *given)
    return sum(a.size * a.dtype.itemsize for a in jax.tree.leaves(kept))


@pytest.mark.parametrize("name", CELLS)
def test_less_is_kept(name, rng):
    cell = CELLS[name]
    given = drawn(cell, rng, batch=16)
    assert kept_bytes(ours, cell, given) < 0.95 * kept_bytes(plain, cell, given)


def test_what_costs_something_to_compute_is_not_computed_again():
    def step(c, x):
        return jnp.tanh(c @ x) * 0.5, None

    def gradient(step):
        return jax.grad(lambda c, x: jnp.sum(jax.lax.scan(step, c, x)[0]))

    program = str(
        jax.make_jaxpr(gradient(few_residuals(step)))(jnp.ones((2, 2)), jnp.ones((3, 2, 2)))
    )
    assert program.count("= tanh") == 1
    assert program.count("dot_general") == 2  # one forward, one back: x has no gradient here
