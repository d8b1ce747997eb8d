"""The recurrence itself, as one ``lax.scan``: the specification every faster path is held to."""

from typing import Unpack

import jax
import jax.numpy as jnp
from jax import Array

from statewise._runtime.device import platform
from statewise.recurrence.backends.backend import Backend
from statewise.recurrence.call import Call, Options, Result
from statewise.recurrence.cells import Cell
from statewise.recurrence.layout import CellState, Weights, starts_backwards
from statewise.recurrence.residuals import few_residuals

# Up to this many time steps the loop is laid out flat: XLA's loop costs more than the steps.
SHORT = 4


def scan(
    cell: Cell, x: Array, state: CellState, weights: Weights, **options: Unpack[Options]
) -> Result:
    """Run a cell over a batch of sequences.

    On a CPU the inputs' part of the gates is computed in the loop, step by step: one product over
    all time steps is slower, as its result and that one's gradient go through memory once more. It
    is one product elsewhere, and where the loop is laid out flat.

    Args:
        cell: the arithmetic of a step, one of `statewise.recurrence.cells`.
        x: inputs ``(batch, time, features)``, floating point, at least one time step.
        state: the state before the first processed step, every array ``(batch, units)``.
        weights: of the layer, see `statewise.recurrence.layout`.
        **options: ``mask``, ``resets``, ``dropout``, ``go_backwards``, ``zero_output_for_mask``,
            ``all_outputs``, ``unroll``; see `statewise.recurrence.Call`.

    Returns:
        A `Result`. A fully masked row keeps its initial state.

    Raises:
        ValueError: if there is no time step.
        TypeError: for an option that there isn't.

    >>> from statewise.recurrence import LSTM, Weights
    >>> x, kernel = jnp.ones((2, 3, 1)), jnp.full((1, 16), 0.1)
    >>> cell, recurrent_kernel = LSTM(), jnp.full((4, 16), 0.1)
    >>> zeros = cell.initial_state(2, 4, x.dtype)
    >>> outputs, last, state = scan(cell, x, zeros, Weights(kernel, recurrent_kernel))
    >>> outputs.shape, last.shape, state.c.shape
    ((2, 3, 4), (2, 4), (2, 4))

    Starting a new sequence at step 2 forgets the two steps before it:

    >>> resets = jnp.array([[False, False, True]] * 2)
    >>> cut = scan(cell, x, zeros, Weights(kernel, recurrent_kernel), resets=resets)
    >>> bool(jnp.allclose(cut.last, outputs[:, 0]))
    True
    """
    return run(Call(cell, x, state, weights, **options))


def run(call: Call) -> Result:
    """Run a call, whatever it asks for.

    Raises:
        ValueError: if there is no time step.
    """
    cell, x, weights, dropout = call.cell, call.x, call.weights, call.dropout
    mask, resets = call.mask, call.resets
    if x.shape[1] == 0:
        raise ValueError(f"x has no time steps: its shape (batch, time, features) is {x.shape}.")
    if resets is not None and call.go_backwards:
        resets = starts_backwards(resets)
    if mask is not None:  # zero times what stands there, a missing value perhaps, need not be zero
        x = jnp.where(jnp.asarray(mask)[..., None], x, jnp.zeros((), x.dtype))
    flat = isinstance(x.shape[1], int) and (call.unroll or x.shape[1] <= SHORT)
    before_the_loop = flat or platform() != "cpu"
    inputs = jnp.swapaxes(x, 0, 1)
    if before_the_loop:
        inputs = cell.project(inputs, weights, dropout.inputs)  # (time, batch, gates)
    valid, starts = (
        None if a is None else jnp.swapaxes(a, 0, 1)[..., None] for a in (mask, resets)
    )

    def step(before, now):
        input_t, valid_t, starts_t = now
        projected_t = input_t
        if not before_the_loop:
            projected_t = cell.project(input_t, weights, dropout.inputs)
        if starts_t is not None:
            before = jax.tree.map(lambda a: jnp.where(starts_t, jnp.zeros_like(a), a), before)
        after = cell.step(projected_t, before, weights, dropout.recurrent)
        if valid_t is not None:
            after = jax.tree.map(lambda new, old: jnp.where(valid_t, new, old), after, before)
        output = cell.output(after)
        if valid_t is not None and call.zero_output_for_mask:
            output = jnp.where(valid_t, output, 0)
        return after, output if call.all_outputs else None

    state, outputs = jax.lax.scan(
        step if flat else few_residuals(step),
        call.state,
        (inputs, valid, starts),
        reverse=call.go_backwards,
        unroll=flat,
    )
    last = cell.output(state)
    if call.zero_output_for_mask and mask is not None:
        last = jnp.where(mask[:, 0 if call.go_backwards else -1, None], last, 0)
    if not call.all_outputs:
        return Result(None, last, state)
    if call.go_backwards:
        outputs = jnp.flip(outputs, axis=0)
    return Result(jnp.swapaxes(outputs, 0, 1), last, state)


BACKEND = Backend("reference", lambda call: None, run)
