"""The gates of every step of a recurrence, from the cells' own arithmetic."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from statewise.recurrence import GRU, LSTM, Cell, SimpleRNN, Weights

# In which order a cell's step calls its activations: what each call gives is this gate. (The last
# call of an LSTM is that on its cell state, which is no gate.) Other cells have `gate_values`.
_CALLS = {LSTM: ("i", "f", "o", "c"), GRU: ("z", "r", "h"), SimpleRNN: ("h",)}


class Steps(NamedTuple):
    """What every step computed, arrays (batch, time, units) in the order of time.

    Attributes:
        gates: by name, in Keras's order: LSTM i f c o, GRU z r h, SimpleRNN h, MinGRU z h,
            MinLSTM i f h.
        states: by name, after each step: h, and c of an LSTM.
    """

    gates: dict[str, Array]
    states: dict[str, Array]


def steps_of(
    cell: Cell,
    x: Array,
    begin: NamedTuple,
    weights: Weights,
    mask: Array | None = None,
    *,
    backwards: bool = False,
) -> Steps:
    """Run a cell over sequences, and keep the gates and the state of every step.

    No equation is written here again: the cell's step runs with activations that note what they
    give.

    Args:
        cell: the arithmetic.
        x: inputs (batch, time, features).
        begin: the state before the first step.
        weights: of the layer.
        mask: bool (batch, time); where False the state stays as it is.
        backwards: whether the last step comes first.

    >>> cell, x = GRU(), jnp.ones((1, 3, 2))
    >>> weights = Weights(jnp.ones((2, 6)), jnp.ones((2, 6)))
    >>> gates, states = steps_of(cell, x, cell.initial_state(1, 2, "float32"), weights)
    >>> list(gates), states["h"].shape
    (['z', 'r', 'h'], (1, 3, 2))
    """
    gates, states = _run(cell, x, begin, weights, mask, backwards)
    return Steps(
        {name: gates[name] for name in cell.gates},  # jit sorts what has names
        {name: getattr(states, name) for name in states._fields},
    )


@partial(jax.jit, static_argnames=("cell", "backwards"))
def _run(cell, x, begin, weights, mask, backwards):
    noted: list[Array] = []

    def noting(function):
        def call(value):
            noted.append(function(value))
            return noted[-1]

        return call

    if type(cell) in _CALLS:
        names = [n for n in ("activation", "recurrent_activation") if hasattr(cell, n)]
        watched = replace(cell, **{name: noting(getattr(cell, name)) for name in names})
    else:
        watched = cell

    def step(before, now):
        projected, valid = now
        noted.clear()
        after = watched.step(projected, before, weights)
        if watched is cell:
            gates = cell.gate_values(projected, before, weights)
        else:
            gates = dict(zip(_CALLS[type(cell)], noted, strict=False))
        if valid is not None:
            after = jax.tree.map(lambda new, old: jnp.where(valid, new, old), after, before)
        return after, (gates, after)

    projected = cell.project(jnp.swapaxes(x, 0, 1), weights)
    valid = None if mask is None else jnp.swapaxes(mask, 0, 1)[..., None]
    _, (gates, states) = jax.lax.scan(step, begin, (projected, valid), reverse=backwards)
    return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), (gates, states))
