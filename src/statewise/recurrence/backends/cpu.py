"""The native kernels: which calls they serve, and the run of one."""

from typing import Unpack

import jax
import jax.numpy as jnp
from jax import Array

from statewise._runtime import small_loops as _small_loops
from statewise._runtime.device import platform
from statewise.recurrence import native
from statewise.recurrence.activations import ACTIVATIONS, GATE_ACTIVATIONS
from statewise.recurrence.backends import linear
from statewise.recurrence.backends.backend import Backend
from statewise.recurrence.backends.dtypes import COMPUTED_IN, computed_in
from statewise.recurrence.backends.reference import SHORT
from statewise.recurrence.call import Call, Options, Result
from statewise.recurrence.cells import GRU, LSTM, Cell, SimpleRNN
from statewise.recurrence.layout import CellState, Weights
from statewise.recurrence.native.extension import extension
from statewise.recurrence.native.numbers import numbers_of
from statewise.recurrence.native.recurrence import Form, Operands, recurrence
from statewise.recurrence.native.threads import threads_wanted

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
    cell: Cell, x: Array, state: CellState, weights: Weights, **options: Unpack[Options]
) -> str | None:
    """Say why the native kernels don't serve a call, or None where they do.

    Args:
        cell: the arithmetic of a step.
        x: inputs ``(batch, time, features)``.
        state: the state before the first step.
        weights: of the layer.
        **options: as `run` takes them.

    Returns:
        A reason, as part of a sentence; or None.

    >>> import jax.numpy as jnp
    >>> from statewise.recurrence import LSTM
    >>> x, cell = jnp.ones((1, 2, 3), "int8"), LSTM()
    >>> weights = Weights(jnp.ones((3, 8), "int8"), jnp.ones((2, 8), "int8"))
    >>> print(native_serves(cell, x, cell.initial_state(1, 2, x.dtype), weights))
    the arrays are int8, not all of one of float32, float64, bfloat16, float16
    """
    return _why_not(Call(cell, x, state, weights, **options))


def _why_not(call: Call) -> str | None:
    if linear.is_linear(call.cell):
        return linear.why_not_natively(call)
    if numbers_of(call.cell) is None:
        return _unserved(call.cell)
    if computed_in(call) is None:
        found = " and ".join(call.dtypes)
        return f"the arrays are {found}, not all of one of {', '.join(COMPUTED_IN)}"
    arrays, (rows, time) = call.arrays, call.x.shape[:2]
    units = call.weights.recurrent_kernel.shape[0]
    if not all(isinstance(size, int) for array in arrays for size in array.shape):
        return "the number of samples or of time steps is open (the program is for export)"
    if any(0 in array.shape for array in arrays):
        return "an array is empty"
    if time == 1 and rows < _FEW_ROWS:
        return f"one time step of fewer than {_FEW_ROWS} samples is faster without them"
    if time <= SHORT and rows == 1:
        return f"one sample of {SHORT} time steps or fewer is faster without them"
    if rows == 1 and time * units <= _FEW_OUTPUTS and not _small_loops.why_not_whole():
        return f"one sample of {_FEW_OUTPUTS} outputs or fewer, all steps, is faster without them"
    if platform() != "cpu":
        return f"the arrays are on a {platform()}, not on the CPU"
    return native.unavailable_reason()


def _unserved(cell: Cell) -> str:
    """Say what of a cell the kernels don't know."""
    if not isinstance(cell, (SimpleRNN, LSTM, GRU)) or type(cell) not in (SimpleRNN, LSTM, GRU):
        return "the cell has no native kernels"
    if cell.activation not in ACTIVATIONS.values():
        return f"the activation is none of {', '.join(ACTIVATIONS)}"
    return f"the recurrent activation is none of {', '.join(GATE_ACTIVATIONS)}"


def run(call: Call) -> Result:
    """Run a call natively, one that `native_serves` has nothing against.

    First derivatives in reverse mode only. There is no loop to unroll.

    Raises:
        RuntimeError: if the native extension isn't available.
        ValueError: for a cell or an activation that the kernels don't know, or dropout masks of
            another shape.
        TypeError: if it is differentiated in forward mode or twice.
        jax.errors.JaxRuntimeError: when it runs, if a shape or a dtype doesn't fit.

    >>> import numpy as np
    >>> from statewise.recurrence import LSTM, native, scan
    >>> cell, rng = LSTM(), np.random.default_rng(0)
    >>> x, kernel, recurrent_kernel = (
    ...     jnp.asarray(rng.normal(size=shape), "float32") for shape in ((2, 5, 3), (3, 8), (2, 8))
    ... )
    >>> given = cell, x, cell.initial_state(2, 2, x.dtype), Weights(kernel, recurrent_kernel)
    >>> if native.available():
    ...     assert jnp.allclose(run(Call(*given)).outputs, scan(*given).outputs, atol=1e-6)
    """
    extension()  # registers the calls
    if linear.is_linear(call.cell):
        return linear.run_natively(call)
    dtype = computed_in(call)
    given = call.x.dtype
    if dtype in (None, str(given)):  # of several dtypes the kernels themselves say so
        return _run(call)
    wide = jax.tree.map(
        lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, call
    )
    in_bfloat16 = given == jnp.bfloat16
    return jax.tree.map(lambda a: a.astype(given), _run(wide, in_bfloat16=in_bfloat16))


def _run(call: Call, *, in_bfloat16: bool = False) -> Result:
    """Run a call whose arrays are all float32, perhaps made of bfloat16, or all float64."""
    cell, x, state, weights = call.cell, call.x, call.state, call.weights
    numbers = numbers_of(cell)
    if numbers is None:
        raise ValueError(f"{cell} isn't served natively: native_serves says of what else isn't.")
    none, no_flags = jnp.zeros((0,), x.dtype), jnp.zeros((0,), bool)
    input_masks = _masks_of_gates("inputs", call, x.shape[-1])
    recurrent_masks = _masks_of_gates("recurrent", call, state.h.shape[-1])
    if input_masks is not None and len(input_masks) == 1:
        x, input_masks = x * input_masks[0][:, None], None
    operands = Operands(
        x,
        state.h,
        getattr(state, "c", none),
        weights.kernel,
        weights.recurrent_kernel,
        none if weights.bias is None else weights.bias,
        no_flags if call.mask is None else jnp.asarray(call.mask, bool),
        no_flags if call.resets is None else jnp.asarray(call.resets, bool),
        none if input_masks is None else input_masks,
        none if recurrent_masks is None else recurrent_masks,
    )
    form = Form(
        numbers,
        bool(call.go_backwards),
        bool(call.all_outputs),
        threads_wanted(),
        in_bfloat16,
    )
    outputs: Array | None
    outputs, h, c = recurrence(form, operands)
    after = cell.state_type(*(h, c)[: len(cell.state_type._fields)])
    if not call.all_outputs:
        outputs = None
    last = h
    if call.zero_output_for_mask and call.mask is not None:
        processed = jnp.flip(operands.mask, axis=1) if call.go_backwards else operands.mask
        last = jnp.where(processed[:, -1, None], h, 0)
        if outputs is not None:
            outputs = jnp.where(processed[..., None], outputs, 0)
    return Result(outputs, last, after)


def _masks_of_gates(name: str, call: Call, size: int) -> Array | None:
    """Return dropout masks as ``(1 or gates, batch, size)``, or None where there are none."""
    masks = getattr(call.dropout, name)
    if masks is None:
        return None
    each = (len(call.cell.gates), call.batch, size)
    given = masks.shape if masks.ndim == 3 else (1, *masks.shape)
    shape = each if masks.ndim == 3 else (1, *each[1:])
    fits = len(given) == 3 and given[0] == shape[0]
    if not fits or any(n not in (1, wanted) for n, wanted in zip(given, shape, strict=True)):
        raise ValueError(
            f"dropout.{name} has the shape {masks.shape}; expected {each[1:]}, one mask for all "
            f"gates, or {each}, one for each."
        )
    return jnp.broadcast_to(jnp.asarray(masks, call.x.dtype).reshape(given), shape)


def _passed_over(reason: str) -> None:
    if reason == native.unavailable_reason():
        native.log_if_missing()


BACKEND = Backend("cpu", _why_not, run, _passed_over)
