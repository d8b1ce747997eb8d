r"""Cells whose step is linear in the state, :math:`h_t = a_t \odot h_{t-1} + b_t`, without a loop.

Such a cell has ``coefficients``, see `statewise.recurrence.minimal`: a and b of all steps are made
at once. On the CPU the native kernels then go over them once; on a GPU all steps are joined in
pairs by a parallel scan. (Not on the CPU: there JAX's ``associative_scan`` takes 1.4 to 4 times as
long as its loop, measured forward and backward with 64 rows of 50 steps and 16 of 1024, 64 and 256
units; the native kernels take from a quarter to 0.7 of the loop's processor time.)
"""

import jax.numpy as jnp
from jax import Array

from statewise._runtime.device import platform
from statewise.recurrence import native
from statewise.recurrence.backends.backend import Backend
from statewise.recurrence.backends.dtypes import computed_in
from statewise.recurrence.backends.reference import SHORT
from statewise.recurrence.call import Call, Result
from statewise.recurrence.cells import Cell
from statewise.recurrence.linear import linear_scan
from statewise.recurrence.native.extension import extension
from statewise.recurrence.native.linear import LinearForm, LinearOperands, linear_recurrence
from statewise.recurrence.native.threads import threads_wanted


def is_linear(cell: Cell) -> bool:
    """Whether a cell's step is linear in its state, with coefficients made of the inputs alone.

    >>> from statewise.recurrence import GRU, MinGRU
    >>> is_linear(MinGRU()), is_linear(GRU())
    (True, False)
    """
    return hasattr(cell, "coefficients")


def _why_not(call: Call) -> str | None:
    if not is_linear(call.cell):
        return "the cell's step is not linear in its state"
    if computed_in(call) is None:
        return f"the arrays are {' and '.join(call.dtypes)}, not all of one floating-point dtype"
    arrays = call.arrays
    if not all(isinstance(size, int) for array in arrays for size in array.shape):
        return "the number of samples or of time steps is open (the program is for export)"
    if any(0 in array.shape for array in arrays):
        return "an array is empty"
    if call.time <= SHORT:
        return f"{SHORT} time steps or fewer are faster without it"
    return None


def why_not_natively(call: Call) -> str | None:
    """Say why the native kernels don't serve a call of a linear cell; None where they do."""
    reason = _why_not(call)
    if reason is None and platform() != "cpu":
        reason = f"the arrays are on a {platform()}, not on the CPU"
    return reason or native.unavailable_reason()


def run_natively(call: Call) -> Result:
    """Run a call of a linear cell by the native kernels.

    First derivatives in reverse mode only.

    Raises:
        RuntimeError: if the native extension isn't available.
        TypeError: if it is differentiated in forward mode or twice.

    >>> from statewise.recurrence import MinGRU, Weights, native, scan
    >>> cell, x = MinGRU(), jnp.arange(6.0).reshape(1, 6, 1)
    >>> given = cell, x, cell.initial_state(1, 2, x.dtype), Weights(jnp.ones((1, 4)), None)
    >>> if native.available():
    ...     assert jnp.allclose(run_natively(Call(*given)).outputs, scan(*given).outputs)
    """
    extension()  # registers the calls
    a, b, h = _coefficients(call)
    no_flags = jnp.zeros((0,), bool)
    mask, resets = (
        no_flags if flags is None else jnp.asarray(flags, bool)
        for flags in (call.mask, call.resets)
    )
    form = LinearForm(call.go_backwards, call.all_outputs, threads_wanted())
    outputs, last = linear_recurrence(form, LinearOperands(a, b, h, mask, resets))
    return _result(call, outputs if call.all_outputs else None, last)


def run_in_parallel(call: Call) -> Result:
    """Run a call of a linear cell by a parallel scan in JAX's operations.

    >>> from statewise.recurrence import MinLSTM, Weights, scan
    >>> cell, x = MinLSTM(), jnp.arange(6.0).reshape(1, 6, 1)
    >>> given = cell, x, cell.initial_state(1, 2, x.dtype), Weights(jnp.ones((1, 6)), None)
    >>> bool(jnp.allclose(run_in_parallel(Call(*given)).outputs, scan(*given).outputs))
    True
    """
    a, b, h = _coefficients(call)
    mask, resets = (
        None if flags is None else jnp.asarray(flags, bool) for flags in (call.mask, call.resets)
    )
    outputs = linear_scan(a, b, h, mask=mask, resets=resets, go_backwards=call.go_backwards)
    return _result(call, outputs if call.all_outputs else None, outputs[:, -1])


def _coefficients(call: Call) -> tuple[Array, Array, Array]:
    """Return a and b ``(batch, time, units)`` and the state before them; 16 bits in float32."""
    x, masks = call.x, call.dropout.inputs
    if call.mask is not None:  # what stands there must not matter, nor to the gates' gradients
        x = jnp.where(jnp.asarray(call.mask)[..., None], x, jnp.zeros((), x.dtype))
    if masks is not None:
        masks = masks[..., None, :]  # the same at every step
        if masks.ndim == 3:
            x, masks = x * masks, None
    cell: object = call.cell
    a, b = cell.coefficients(call.cell.project(x, call.weights, masks))  # type: ignore[attr-defined]
    wide = computed_in(call)
    return a.astype(wide), b.astype(wide), call.state.h.astype(wide)


def _result(call: Call, outputs: Array | None, h: Array) -> Result:
    given = call.x.dtype
    h = h.astype(given)
    last = h
    outputs = None if outputs is None else outputs.astype(given)
    if call.zero_output_for_mask and call.mask is not None:
        processed = jnp.flip(call.mask, axis=1) if call.go_backwards else jnp.asarray(call.mask)
        last = jnp.where(processed[:, -1, None], h, 0)
        if outputs is not None:
            outputs = jnp.where(processed[..., None], outputs, 0)
    return Result(outputs, last, call.cell.state_type(h))


BACKEND = Backend("parallel scan", _why_not, run_in_parallel, device="gpu")
