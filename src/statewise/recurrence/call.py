"""Which path runs a recurrence: the native kernels where they serve, the reference elsewhere."""

from typing import NamedTuple

import jax
from jax import Array

from statewise._runtime import small_loops as _small_loops
from statewise.recurrence import native
from statewise.recurrence.backends import cpu as kernels
from statewise.recurrence.backends.reference import SHORT, Result, scan
from statewise.recurrence.cells import Cell
from statewise.recurrence.layout import DropoutMasks, Weights
from statewise.recurrence.native.live import cell_number

_NO_DROPOUT = DropoutMasks()

# A single time step of fewer rows than this doesn't pay for packing the weights: measured with 4 to
# 256 units, XLA's own code runs one row 1.2 to 3 times as fast forward and 2 to 5 with gradients;
# from 32 rows and 16 units on it mostly is the other way round.
# A few steps of one row are laid out flat, and XLA makes one piece of them and what stands around
# them: a training step of LSTM(4) on 3 steps takes 0.4 microseconds instead of 3.6, of LSTM(128) 34
# instead of 79. From 4 rows on it's the other way round.
_FEW_ROWS = 32
# More steps of one row are a loop, which is worth it where XLA makes one piece of it: measured with
# 4 to 32 units, up to about so many numbers of outputs. With 4 units and 12 steps a training step
# takes 1.7 microseconds instead of 4.3, with 16 units and 10 steps they are even.
_FEW_OUTPUTS = 128


def native_serves(
    cell: Cell,
    x: Array,
    state: NamedTuple,
    weights: Weights,
    *,
    dropout: DropoutMasks = _NO_DROPOUT,
) -> str | None:
    """Say why the native kernels don't serve a call, or None where they do.

    Args:
        cell: the arithmetic of a step.
        x: inputs ``(batch, time, features)``.
        state: the state before the first step.
        weights: of the layer.
        dropout: masks for the inputs and for the previous output.

    Returns:
        A reason, as part of a sentence; or None.

    >>> import jax.numpy as jnp
    >>> from statewise.recurrence import LSTM
    >>> x, cell = jnp.ones((1, 2, 3), "float16"), LSTM()
    >>> weights = Weights(jnp.ones((3, 8), "float16"), jnp.ones((2, 8), "float16"))
    >>> print(native_serves(cell, x, cell.initial_state(1, 2, x.dtype), weights))
    the arrays are float16, not all float32 or all float64
    """
    if cell_number(cell) is None:
        return "the activations are not tanh and sigmoid"
    arrays = [x, *state, *(array for array in weights if array is not None)]
    dtypes = sorted({str(array.dtype) for array in arrays})
    if dtypes not in (["float32"], ["float64"]):
        return f"the arrays are {' and '.join(dtypes)}, not all float32 or all float64"
    if not all(isinstance(size, int) for array in arrays for size in array.shape):
        return "the number of samples or of time steps is open (the program is for export)"
    if any(0 in array.shape for array in arrays):
        return "an array is empty"
    rows, time = x.shape[:2]
    if time == 1 and rows < _FEW_ROWS:
        return f"one time step of fewer than {_FEW_ROWS} samples is faster without them"
    if time <= SHORT and rows == 1:
        return f"one sample of {SHORT} time steps or fewer is faster without them"
    if rows == 1 and time * state[0].shape[-1] <= _FEW_OUTPUTS and not _small_loops.why_not_whole():
        return f"one sample of {_FEW_OUTPUTS} outputs or fewer, all steps, is faster without them"
    if dropout.recurrent is not None:
        return "the previous output has dropout"
    if dropout.inputs is not None and dropout.inputs.ndim != 2:
        return "the gates have dropout masks of their own"
    if jax.default_backend() != "cpu":
        return f"the arrays are on a {jax.default_backend()}, not on the CPU"
    return native.unavailable_reason()


def run(
    cell: Cell,
    x: Array,
    state: NamedTuple,
    weights: Weights,
    *,
    mask: Array | None = None,
    resets: Array | None = None,
    dropout: DropoutMasks = _NO_DROPOUT,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    all_outputs: bool = True,
    unroll: bool = False,
) -> Result:
    """Run a cell over a batch of sequences, natively where `native_serves` says so.

    The arguments, the result and the errors are those of `statewise.recurrence.scan`. Natively
    there are no second derivatives and no forward mode: use ``scan`` for those.

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
    }
    reason = native_serves(cell, x, state, weights, dropout=dropout)
    if reason is None:
        return kernels.run(cell, x, state, weights, **options)
    if reason == native.unavailable_reason():
        native.say_if_missing()
    return scan(cell, x, state, weights, unroll=unroll, **options)
