"""Which backend runs a recurrence: the first that serves the call."""

from typing import Unpack

from jax import Array

from statewise._runtime.device import platform
from statewise.recurrence.backends import cpu, gpu, gpu_kernels, linear, reference
from statewise.recurrence.backends.backend import Backend
from statewise.recurrence.call import Call, Options, Result
from statewise.recurrence.cells import Cell
from statewise.recurrence.layout import CellState, Weights

# In the order in which they are asked. Each says by one predicate of its own whether it serves a
# call; the last serves every one.
BACKENDS: tuple[Backend, ...] = (
    gpu.BACKEND,
    gpu_kernels.BACKEND,
    cpu.BACKEND,
    linear.BACKEND,
    reference.BACKEND,
)


def run(
    cell: Cell, x: Array, state: CellState, weights: Weights, **options: Unpack[Options]
) -> Result:
    """Run a cell over a batch of sequences, by the first of `BACKENDS` that serves the call.

    The result and the errors are those of `statewise.recurrence.scan`. Natively (see
    `native_serves`) there are no second derivatives and no forward mode: use ``scan`` for those.

    Args:
        cell: the arithmetic of a step, one of `statewise.recurrence.cells`.
        x: inputs ``(batch, time, features)``.
        state: the state before the first processed step, every array ``(batch, units)``.
        weights: of the layer.
        **options: ``mask``, ``resets``, ``dropout``, ``go_backwards``, ``zero_output_for_mask``,
            ``all_outputs``, ``unroll``; see `Call`.

    Returns:
        A `Result`.

    Raises:
        ValueError: if there is no time step.
        TypeError: for an option that there isn't.

    >>> import jax.numpy as jnp
    >>> from statewise.recurrence import GRU
    >>> cell, x = GRU(), jnp.ones((2, 3, 1))
    >>> weights = Weights(jnp.ones((1, 12)), jnp.ones((4, 12)))
    >>> run(cell, x, cell.initial_state(2, 4, x.dtype), weights).outputs.shape
    (2, 3, 4)
    """
    return run_call(Call(cell, x, state, weights, **options))


def run_call(call: Call) -> Result:
    """Run a call by the first of `BACKENDS` that serves it.

    Args:
        call: what there is to compute, see `Call`.

    Returns:
        A `Result`.

    Raises:
        ValueError: if there is no time step.

    >>> import jax.numpy as jnp
    >>> from statewise.recurrence import SimpleRNN
    >>> cell, one = SimpleRNN(), jnp.ones((1, 1))
    >>> zeros = cell.initial_state(1, 1, "float32")
    >>> call = Call(cell, jnp.zeros((1, 3, 1)), zeros, Weights(one, one))
    >>> run_call(call).outputs.shape
    (1, 3, 1)
    """
    for backend in _asked():
        reason = backend.why_not(call)
        if reason is None:
            return backend.run(call)
        backend.passed_over(reason)
    raise ValueError(f"No backend serves this call: {reason}.")


def _asked() -> list[Backend]:
    """Return those of `BACKENDS` that are asked where this program will run."""
    where = platform()
    return [backend for backend in BACKENDS if backend.device in (None, where)]


def served_by(call: Call) -> tuple[str, dict[str, str]]:
    """Return which backend serves a call, and why those before it don't.

    Returns:
        The backend's name, and for each that was asked before it the reason, part of a sentence.

    >>> import jax.numpy as jnp
    >>> from statewise.recurrence import LSTM
    >>> cell, x = LSTM(), jnp.ones((1, 1, 1))
    >>> weights = Weights(jnp.ones((1, 16)), jnp.ones((4, 16)))
    >>> served_by(Call(cell, x, cell.initial_state(1, 4, x.dtype), weights))[0]
    'reference'
    """
    reasons: dict[str, str] = {}
    for backend in _asked():
        reason = backend.why_not(call)
        if reason is None:
            return backend.name, reasons
        reasons[backend.name] = reason
    raise ValueError(f"No backend serves this call: {reason}.")
