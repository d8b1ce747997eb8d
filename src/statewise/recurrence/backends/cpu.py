"""The native kernels as differentiable JAX functions: the same recurrence as `reference.scan`.

The forward pass for inference keeps nothing; that for training keeps the outputs and what
``saved`` holds for the backward pass. Which gradients are computed is known when the program is
traced: those of inputs that nobody differentiates by are left out, the inputs' product with them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

from statewise.recurrence.backends import sharding
from statewise.recurrence.backends.reference import Result
from statewise.recurrence.cells import Cell
from statewise.recurrence.layout import DropoutMasks, Weights
from statewise.recurrence.native.extension import BACKWARD, FORWARD, SWITCH, extension
from statewise.recurrence.native.live import cell_number

_FIRST_IN_REVERSE = (
    "The native recurrence has first derivatives in reverse mode (jax.grad, jax.vjp) only. For "
    "forward mode or second derivatives call statewise.recurrence.scan, which computes the same; "
    f"for a whole model set the environment variable {SWITCH}=0 before the process starts, and "
    "the reference serves everywhere."
)

# What the forward pass keeps for each unit and step, by the extension's number of the cell.
_SAVED = (0, 5, 4, 3)

_NO_DROPOUT = DropoutMasks()

_threads: ContextVar[int] = ContextVar("threads", default=0)


@contextmanager
def native_threads(most: int) -> Iterator[None]:
    """Let each native call of what is traced within take at most so many threads; 0 for all.

    For programs that run side by side: they keep all processors busy between them, and calls that
    each want all only wait for one another.

    >>> from statewise.recurrence import SimpleRNN, native, native_threads, run
    >>> cell, weights = SimpleRNN(), Weights(jnp.ones((1, 4)), jnp.ones((4, 4)))
    >>> def outputs(x):
    ...     return run(cell, x, cell.initial_state(2, 4, x.dtype), weights).outputs
    >>> with native_threads(1):
    ...     program = jax.jit(outputs).lower(jnp.ones((2, 3, 1))).as_text()
    >>> "threads = 1 : i32" in program or not native.available()
    True
    """
    token = _threads.set(most)
    try:
        yield
    finally:
        _threads.reset(token)


class _Operands(NamedTuple):
    """What a call takes; an absent array has no elements."""

    x: Array
    h: Array
    c: Array
    kernel: Array
    recurrent_kernel: Array
    bias: Array
    mask: Array
    resets: Array


# The operands' batch axes.
_AXES = (0, 0, 0, None, None, None, 0, 0)


@dataclass(frozen=True)
class _Call:
    """What is fixed about a call when it is traced."""

    cell: int
    go_backwards: bool
    all_outputs: bool
    threads: int

    @property
    def attributes(self) -> dict:
        return {
            "cell": np.int32(self.cell),
            "backwards": self.go_backwards,
            "threads": np.int32(self.threads),
        }


@jax.tree_util.register_static
@dataclass(frozen=True)
class _Wanted:
    """Which gradients are wanted; part of a program's structure, not of its data."""

    x: bool
    state: bool
    weights: bool


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
) -> Result:
    """Run a cell over a batch of sequences natively.

    `statewise.recurrence.call.native_serves` says when this can be called; arguments and
    result are those of `statewise.recurrence.scan`. First derivatives in reverse mode only.

    Args:
        cell: with tanh, and sigmoid for the gates.
        x: inputs ``(batch, time, features)``, float32 or float64, nothing empty.
        state: the state before the first processed step, of x's dtype.
        weights: of the layer, of x's dtype.
        mask: bool ``(batch, time)``.
        resets: bool ``(batch, time)``.
        dropout: of the inputs only, one mask ``(batch, features)`` for all gates.
        go_backwards: process the last time step first.
        zero_output_for_mask: give zeros for masked steps.
        all_outputs: give the outputs of all steps.

    Returns:
        A `Result`.

    Raises:
        RuntimeError: if the native extension isn't available.
        TypeError: if it is differentiated in forward mode or twice.
        jax.errors.JaxRuntimeError: when it runs, if a shape doesn't fit.

    >>> from statewise.recurrence import LSTM, native, scan
    >>> cell, rng = LSTM(), np.random.default_rng(0)
    >>> x, kernel, recurrent_kernel = (
    ...     jnp.asarray(rng.normal(size=shape), "float32") for shape in ((2, 5, 3), (3, 8), (2, 8))
    ... )
    >>> given = cell, x, cell.initial_state(2, 2, x.dtype), Weights(kernel, recurrent_kernel)
    >>> if native.available():
    ...     assert jnp.allclose(run(*given).outputs, scan(*given).outputs, atol=1e-6)
    """
    extension()  # registers the calls
    if dropout.inputs is not None:
        x = x * dropout.inputs[:, None, :]
    none, no_flags = jnp.zeros((0,), x.dtype), jnp.zeros((0,), bool)
    operands = _Operands(
        x,
        state.h,
        getattr(state, "c", none),
        weights.kernel,
        weights.recurrent_kernel,
        none if weights.bias is None else weights.bias,
        no_flags if mask is None else jnp.asarray(mask, bool),
        no_flags if resets is None else jnp.asarray(resets, bool),
    )
    call = _Call(cell_number(cell), bool(go_backwards), bool(all_outputs), _threads.get())
    try:
        outputs, h, c = _recurrence(call, operands)
    except TypeError as error:
        if "forward-mode" not in str(error):
            raise
        raise TypeError(_FIRST_IN_REVERSE) from error  # JAX's own names none but itself
    after = cell.state_type(*(h, c)[: len(cell.state_type._fields)])
    if not all_outputs:
        outputs = None
    last = h
    if zero_output_for_mask and mask is not None:
        processed = jnp.flip(operands.mask, axis=1) if go_backwards else operands.mask
        last = jnp.where(processed[:, -1, None], h, 0)
        if outputs is not None:
            outputs = jnp.where(processed[..., None], outputs, 0)
    return Result(outputs, last, after)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _recurrence(call: _Call, operands: _Operands) -> tuple[Array, Array, Array]:
    """Return the outputs (without elements if not wanted), the last h and the last c."""
    return tuple(_forward(call, operands, outputs=call.all_outputs, saved=False)[:3])


def _forward(call: _Call, operands: _Operands, *, outputs: bool, saved: bool) -> list[Array]:
    batch, time, _ = operands.x.shape
    units, dtype = operands.recurrent_kernel.shape[0], operands.x.dtype
    kept = _SAVED[call.cell] * units if saved else 0
    shapes = (
        (batch, time, units) if outputs else (0,),
        (batch, units),
        operands.c.shape,
        (time, batch, kept) if kept else (0,),
    )
    results = [jax.ShapeDtypeStruct(shape, dtype) for shape in shapes]
    return _native_call(call, FORWARD, operands, _AXES, results, (0, 0, 0, 1))


def _native_call(call, name, arrays, axes, results, result_axes) -> list[Array]:
    """Return what a custom call gives; the axes are where each array has its batch, if anywhere."""
    axes, result_axes = (
        tuple(None if 0 in a.shape else axis for a, axis in zip(group, group_axes, strict=True))
        for group, group_axes in ((arrays, axes), (results, result_axes))
    )

    def native_call(*arrays):
        batch = arrays[0].shape[0]  # on one of several devices less than the whole
        shapes = [
            result if axis is None else result.update(shape=_with(result.shape, axis, batch))
            for result, axis in zip(results, result_axes, strict=True)
        ]
        return jax.ffi.ffi_call(name, shapes, vmap_method="sequential")(*arrays, **call.attributes)

    @jax.custom_jvp
    def function(*arrays):
        if sharding.is_wanted():
            return sharding.over_the_batch(native_call, arrays, axes, results, result_axes)
        return native_call(*arrays)

    @function.defjvp
    def _refuse(primals, tangents):
        raise TypeError(_FIRST_IN_REVERSE)

    return function(*arrays)


def _with(shape: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    return (*shape[:axis], size, *shape[axis + 1 :])


def _forward_rule(call: _Call, operands):
    perturbed = _Operands(*(operand.perturbed for operand in operands))
    values = _Operands(*(operand.value for operand in operands))
    wanted = _Wanted(
        x=perturbed.x,
        state=perturbed.h or perturbed.c,
        weights=perturbed.kernel or perturbed.recurrent_kernel or perturbed.bias,
    )
    outputs, h, c, saved = _forward(call, values, outputs=True, saved=True)
    shown = outputs if call.all_outputs else jnp.zeros((0,), outputs.dtype)
    return (shown, h, c), (wanted, values, outputs, saved)


def _backward_rule(call: _Call, kept, cotangents):
    wanted, operands, outputs, saved = kept
    none = jnp.zeros((0,), outputs.dtype)
    given = [none if isinstance(ct, SymbolicZero) else ct for ct in cotangents]
    absent = (0,)
    shapes = (
        operands.x.shape if wanted.x else absent,
        operands.h.shape if wanted.state else absent,
        operands.c.shape if wanted.state else absent,
        operands.kernel.shape if wanted.weights else absent,
        operands.recurrent_kernel.shape if wanted.weights else absent,
        operands.bias.shape if wanted.weights else absent,
    )
    results = [jax.ShapeDtypeStruct(shape, outputs.dtype) for shape in shapes]
    arrays = (*operands, outputs, saved, *given)
    axes, result_axes = (*_AXES, 0, 1, 0, 0, 0), _AXES[:6]
    d_x, d_h, d_c, *d_weights = _native_call(call, BACKWARD, arrays, axes, results, result_axes)
    if not wanted.x:
        d_x = None
    if not wanted.state:
        d_h = d_c = None
    if not wanted.weights:
        d_weights = [None] * 3
    return (_Operands(d_x, d_h, d_c, *d_weights, None, None),)


_recurrence.defvjp(_forward_rule, _backward_rule, symbolic_zeros=True)
