"""Which backend runs a recurrence: the first that serves the call."""

from jax import Array

from statewise.recurrence.backends import cpu, reference
from statewise.recurrence.backends.backend import NO_DROPOUT, Backend, Result
from statewise.recurrence.cells import Cell
from statewise.recurrence.layout import CellState, DropoutMasks, Weights

# In the order in which they are asked. Each says by one predicate of its own whether it serves a
# call; the last serves every one.
BACKENDS: tuple[Backend, ...] = (cpu.BACKEND, reference.BACKEND)


def run(
    cell: Cell,
    x: Array,
    state: CellState,
    weights: Weights,
    *,
    mask: Array | None = None,
    resets: Array | None = None,
    dropout: DropoutMasks = NO_DROPOUT,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    all_outputs: bool = True,
    unroll: bool = False,
) -> Result:
    """Run a cell over a batch of sequences, by the first of `BACKENDS` that serves the call.

    The arguments, the result and the errors are those of `statewise.recurrence.scan`. Natively
    (see `native_serves`) there are no second derivatives and no forward mode: use ``scan`` for
    those.

    Args:
        cell: the arithmetic of a step, one of `statewise.recurrence.cells`.
        x: inputs ``(batch, time, features)``.
        state: the state before the first processed step, every array ``(batch, units)``.
        weights: of the layer.
        mask: bool ``(batch, time)``; where False the state stays as it is.
        resets: bool ``(batch, time)``; where True a new sequence begins at that step.
        dropout: masks for the inputs and for the previous output.
        go_backwards: process the last time step first.
        zero_output_for_mask: give zeros for masked steps.
        all_outputs: give the outputs of all steps.
        unroll: compile a copy of the step for each time step; the native kernels have no loop to
            unroll.

    Returns:
        A `Result`.

    Raises:
        ValueError: if there is no time step.

    >>> import jax.numpy as jnp
    >>> from statewise.recurrence import GRU
    >>> cell, x = GRU(), jnp.ones((2, 3, 1))
    >>> weights = Weights(jnp.ones((1, 12)), jnp.ones((4, 12)))
    >>> run(cell, x, cell.initial_state(2, 4, x.dtype), weights).outputs.shape
    (2, 3, 4)
    """
    options = {
        "mask": mask,
        "resets": resets,
        "dropout": dropout,
        "go_backwards": go_backwards,
        "zero_output_for_mask": zero_output_for_mask,
        "all_outputs": all_outputs,
        "unroll": unroll,
    }
    for backend in BACKENDS:
        reason = backend.why_not(cell, x, state, weights, dropout=dropout)
        if reason is None:
            return backend.run(cell, x, state, weights, **options)
        backend.passed_over(reason)
    raise ValueError(f"No backend serves this call: {reason}.")
