"""The GPU: cuDNN's LSTM for what it takes, and kernels of our own, where they are switched on.

A mask is no obstacle to cuDNN, whichever steps it hides: a hidden step leaves the state as it is.
So the steps that count are moved to the front, cuDNN runs over as many as there are, and the
outputs go back to their places. What a mask holds is only known when the program runs, so nothing
is decided by it.
"""

import os

import jax
import jax.numpy as jnp
from jax import Array

from statewise._runtime.device import platform
from statewise.recurrence.backends import cudnn
from statewise.recurrence.backends.backend import Backend
from statewise.recurrence.backends.cudnn_elsewhere import has_cudnn
from statewise.recurrence.call import Call, Result
from statewise.recurrence.cells import LSTM
from statewise.recurrence.layout import LSTMState

# What runs on a GPU: the reference for everything, cuDNN for what it takes (the default), or also
# kernels of our own for the rest; these weren't measured yet, so they aren't chosen by themselves.
SWITCH = "STATEWISE_GPU"
_CHOICES = ("cudnn", "reference", "kernels")

# JAX hands cuDNN's sizes on as 32-bit numbers of bytes. Of each unit and step cuDNN keeps the four
# gates and two states, and no more than twice as much with what it pads.
_MOST_NUMBERS = 2**31 // (4 * 12)
# JAX's call computes in float32 (and would take float64 without a word, for float32).
_DTYPES = ("float32", "bfloat16", "float16")
# The precisions of products that JAX's call takes, by their names in JAX's configuration.
_PRECISIONS = (None, "tensorfloat32", "high", "float32", "highest")


def chosen() -> str:
    """Return what the environment variable ``STATEWISE_GPU`` chooses.

    Raises:
        ValueError: if it says what there isn't.

    >>> chosen()
    'cudnn'
    """
    wish = os.environ.get(SWITCH, "").strip().lower() or _CHOICES[0]
    if wish not in _CHOICES:
        raise ValueError(
            f"The environment variable {SWITCH} is {os.environ[SWITCH]!r}; expected one of "
            f"{', '.join(_CHOICES)}, or nothing for {_CHOICES[0]}."
        )
    return wish


def why_not_cudnn(call: Call) -> str | None:
    """Say why cuDNN doesn't serve a call, part of a sentence; None where it does."""
    where, cell, arrays = platform(), call.cell, call.arrays
    if where != "gpu":
        return f"the arrays are on a {where}, not on a GPU"
    if chosen() == "reference":
        return f"the environment variable {SWITCH} chooses the reference"
    if type(cell) is not LSTM:
        return "cuDNN is offered by JAX for the LSTM alone"
    if cell.activation is not jnp.tanh or cell.recurrent_activation is not jax.nn.sigmoid:
        return "the activations are not tanh and sigmoid"
    if len(call.dtypes) > 1 or call.dtypes[0] not in _DTYPES:
        return f"the arrays are {' and '.join(call.dtypes)}, not all of one of {', '.join(_DTYPES)}"
    if not all(isinstance(size, int) for array in arrays for size in array.shape):
        return "the number of samples or of time steps is open (the program is for export)"
    if any(0 in array.shape for array in arrays):
        return "an array is empty"
    if call.resets is not None:
        return "cuDNN has no resets"
    if call.dropout.recurrent is not None:
        return "the previous output has dropout"
    if call.dropout.inputs is not None and call.dropout.inputs.ndim != 2:
        return "the gates have dropout masks of their own"
    features, units = call.weights.kernel.shape[0], call.weights.recurrent_kernel.shape[0]
    if call.batch * call.time * max(features, units) > _MOST_NUMBERS:
        return "the sequences are longer than JAX can tell cuDNN"
    precision = jax.config.jax_default_matmul_precision  # type: ignore[attr-defined]
    if precision not in _PRECISIONS:
        return f"products are asked for in {precision}, which cuDNN isn't"
    if not has_cudnn():
        return "the installed JAX has no cuDNN"
    return None


def run_cudnn(call: Call) -> Result:
    """Run a call that cuDNN serves; arguments and result are those of `scan`."""
    x, mask, state = call.x, call.mask, call.state
    if call.go_backwards:
        x = jnp.flip(x, axis=1)
        mask = None if mask is None else jnp.flip(mask, axis=1)
    if mask is not None:
        mask = jnp.asarray(mask, bool)
        x, lengths = _to_the_front(x, mask)
    if call.dropout.inputs is not None:
        x = x * call.dropout.inputs[:, None, :]
    if mask is None:
        lengths = jnp.full(x.shape[:1], x.shape[1], jnp.int32)
    # cuDNN knows no sequence without a step; what it computes for one is put aside below.
    x, state, weights = _as_float32((x, state, call.weights))
    outputs, after = cudnn.lstm(x, state, weights, jnp.maximum(lengths, 1))
    last = after.h
    if mask is not None:
        some = (lengths > 0)[:, None]
        after = LSTMState(
            *(jnp.where(some, new, old) for new, old in zip(after, state, strict=True))
        )
        outputs, last = _back_to_their_places(outputs, state.h, mask), after.h
        if call.zero_output_for_mask:
            outputs = jnp.where(mask[..., None], outputs, 0)
            last = jnp.where(mask[:, -1, None], last, 0)
    result = Result(outputs if call.all_outputs else None, last, after)
    return jax.tree.map(lambda array: array.astype(call.x.dtype), result)


def _as_float32(arrays):
    return jax.tree.map(lambda array: array.astype(jnp.float32), arrays)


def _to_the_front(x: Array, mask: Array) -> tuple[Array, Array]:
    """Return the steps that count, one after the other and then zeros, and how many there are."""
    order = jnp.argsort(~mask, axis=1, stable=True)
    lengths = jnp.sum(mask, axis=1, dtype=jnp.int32)
    within = jnp.arange(x.shape[1]) < lengths[:, None]
    moved = jnp.take_along_axis(x, order[..., None], axis=1, mode="promise_in_bounds")
    return jnp.where(within[..., None], moved, jnp.zeros((), x.dtype)), lengths


def _back_to_their_places(outputs: Array, before: Array, mask: Array) -> Array:
    """Return each step's output: that of the last step that counts up to it, or what was before."""
    counts = jnp.cumsum(mask, axis=1, dtype=jnp.int32)
    outputs = jnp.concatenate([before[:, None], outputs], axis=1)
    return jnp.take_along_axis(outputs, counts[..., None], axis=1, mode="promise_in_bounds")


BACKEND = Backend("cuDNN", why_not_cudnn, run_cudnn, device="gpu")
