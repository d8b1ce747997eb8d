"""Our own kernels for a GPU: which calls they serve, and the run of one.

They are correct by their tests, which run them in Pallas's interpreter, and were never measured: so
they serve only where ``STATEWISE_GPU=kernels`` says so.
"""

import jax
import jax.numpy as jnp
from jax import Array

from statewise._runtime.device import platform
from statewise.recurrence.backends.backend import Backend
from statewise.recurrence.backends.gpu import SWITCH, chosen
from statewise.recurrence.call import Call, Result
from statewise.recurrence.cells import GRU, LSTM, SimpleRNN
from statewise.recurrence.layout import Weights, starts_backwards

# The programs of a kernel wait for each other, so all must run at once: no more than the device has
# processors, and some of these are left to others.
_SPARE = 8
_MOST = 2**30
# What a program may have: the tensor cores take pieces of 16 rows and 16 columns or more.
_ROWS, _UNITS = (16, 32, 64, 128), (16, 32, 64)
# Outputs that are multiplied at a time, in so many bytes with the program's rows.
_DEPTHS, _PIECE = (256, 128, 64, 32, 16), 16 << 10
# Up to so many units they are filled up to 16 with zeros, above to 64.
_NARROW = 64
_ACTIVATIONS = {
    "activation": (jnp.tanh, jax.nn.relu, jax.nn.sigmoid),
    "recurrent_activation": (jax.nn.sigmoid,),
}


def why_not(call: Call) -> str | None:
    """Say why the kernels don't serve a call, part of a sentence; None where they do."""
    where, cell = platform(), call.cell
    if where != "gpu":
        return f"the arrays are on a {where}, not on a GPU"
    if chosen() != "kernels":
        return f"our own kernels for GPUs were never measured ({SWITCH}=kernels chooses them)"
    if type(cell) not in (SimpleRNN, LSTM, GRU) or not getattr(cell, "reset_after", True):
        return "the cell has no kernel for GPUs"
    for name, served in _ACTIVATIONS.items():
        if getattr(cell, name, served[0]) not in served:
            return f"the {name.replace('_', ' ')} has no kernel for GPUs"
    if call.dtypes not in (["float32"], ["bfloat16"], ["float16"]):
        return f"the arrays are {' and '.join(call.dtypes)}, not all of one of 32 or 16 bits"
    if not all(isinstance(size, int) for array in call.arrays for size in array.shape):
        return "the number of samples or of time steps is open (the program is for export)"
    if any(0 in array.shape for array in call.arrays):
        return "an array is empty"
    if call.dropout.recurrent is not None:
        return "the previous output has dropout"
    if call.time * call.batch * call.weights.recurrent_kernel.size >= _MOST * _units(call):
        return "the sequences are too long for a kernel's 32-bit numbers"
    most = _most_programs()
    if _shares(call, most) is None:
        return f"it would need more than the {most} processors that the GPU has for it"
    return None


def run(call: Call, *, interpreted: bool = False) -> Result:
    """Run a call that the kernels serve; arguments and result are those of `scan`.

    Args:
        call: the call.
        interpreted: by Pallas's interpreter, on any device.
    """
    # Here and not above: Pallas takes long to import, and most processes never ask for it.
    from statewise.recurrence.backends.loop_kernels import STARTS, VALID, Loop
    from statewise.recurrence.backends.whole_loop import whole_loop

    cell, weights, gates = call.cell, call.weights, len(call.cell.gates)
    batch, time, units = call.batch, call.time, _units(call)
    x, mask, resets = call.x, call.mask, call.resets
    if call.go_backwards:
        x = jnp.flip(x, axis=1)
        mask = None if mask is None else jnp.flip(mask, axis=1)
        resets = None if resets is None else jnp.flip(starts_backwards(resets), axis=1)
    if mask is not None:
        mask = jnp.asarray(mask, bool)
        x = jnp.where(mask[..., None], x, jnp.zeros((), x.dtype))
    shares = _shares(call, 1 << 30 if interpreted else _most_programs())
    if shares is None or not isinstance(cell, (SimpleRNN, LSTM, GRU)):
        raise ValueError(f"The kernels for GPUs don't serve this call: {why_not(call)}.")
    rows, columns, width = shares
    projected = cell.project(jnp.swapaxes(x, 0, 1), weights, call.dropout.inputs)
    projected = jnp.swapaxes(projected.reshape(time, batch, gates, units), 1, 2)
    more, wider = -batch % rows, width - units
    loop = Loop(
        cell,
        rows,
        columns,
        next(d for d in _DEPTHS if width % d == 0 and rows * d * x.dtype.itemsize <= _PIECE),
        masked=mask is not None,
        cut=resets is not None,
        interpreted=interpreted,
    )
    outputs, after = whole_loop(
        loop,
        _padded(projected, 0, 0, more, wider),
        cell.state_type(*(_padded(array, more, wider) for array in call.state)),
        _padded(_by_gates(weights.recurrent_kernel, gates), 0, wider, wider),
        _padded(_recurrent_bias(call), 0, wider),
        _padded(_flags(call.x.shape, {VALID: mask, STARTS: resets}).T, 1, more),
    )
    after = cell.state_type(*(array[:batch, :units] for array in after))
    outputs, last = jnp.swapaxes(outputs[:, :batch, :units], 0, 1), after.h
    if call.zero_output_for_mask and mask is not None:
        outputs = jnp.where(mask[..., None], outputs, 0)
        last = jnp.where(mask[:, -1, None], last, 0)
    return Result(outputs if call.all_outputs else None, last, after)


def _units(call: Call) -> int:
    return call.weights.recurrent_kernel.shape[0]


def _most_programs() -> int:
    """Return how many programs may wait for each other; 0 where nobody knows."""
    return max(0, getattr(jax.devices()[0], "core_count", 0) - _SPARE)


def _shares(call: Call, most: int) -> tuple[int, int, int] | None:
    """Return a program's rows and units, and how many units there are with what fills them up."""
    units = _units(call)
    for columns in _UNITS:
        step = max(columns, 16 if units <= _NARROW else 64)
        width = units + -units % step
        for rows in _ROWS:
            if -(-call.batch // rows) * (width // columns) <= most:
                return rows, columns, width
    return None


def _padded(array: Array, *more: int) -> Array:
    """Return the array with so many zeros behind the end of each axis."""
    return jnp.pad(array, [(0, count) for count in more])


def _by_gates(recurrent_kernel: Array, gates: int) -> Array:
    """Return a recurrent kernel ``(units, gates * units)`` as ``(gates, units, units)``."""
    units = recurrent_kernel.shape[0]
    return jnp.swapaxes(recurrent_kernel.reshape(units, gates, units), 0, 1)


def _recurrent_bias(call: Call) -> Array:
    """Return what is added to the recurrent product, ``(gates, units)``: a GRU's second bias."""
    weights: Weights = call.weights
    shape = len(call.cell.gates), _units(call)
    if weights.bias is None or weights.bias.ndim == 1:
        return jnp.zeros(shape, call.x.dtype)
    return weights.bias[1].reshape(shape)


def _flags(shape: tuple[int, ...], bits: dict[int, Array | None]) -> Array:
    """Return each step's flags ``(batch, time)``, from what each bit stands for."""
    flags = jnp.zeros(shape[:2], jnp.int32)
    for bit, array in bits.items():
        if array is not None:
            flags += bit * jnp.asarray(array, bool)
    return flags


BACKEND = Backend("GPU kernels", why_not, run, device="gpu")
