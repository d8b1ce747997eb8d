"""The recurrence's custom calls as a differentiable JAX function.

The forward pass for inference keeps nothing; that for training keeps the outputs and what
``saved`` holds for the backward pass. Which gradients are computed is known when the program is
traced: those of inputs that nobody differentiates by are left out, the inputs' product with them.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

from statewise.recurrence.native import sharding
from statewise.recurrence.native.exporting import recurrence_by_scan
from statewise.recurrence.native.extension import BACKWARD, FORWARD, SWITCH
from statewise.recurrence.native.numbers import Numbers
from statewise.recurrence.refusing import forward_mode_refused, refusing

_FIRST_IN_REVERSE = (
    "The native recurrence has first derivatives in reverse mode (jax.grad, jax.vjp) only. For "
    "forward mode or second derivatives call statewise.recurrence.scan, which computes the same; "
    f"for a whole model set the environment variable {SWITCH}=0 before the process starts, and "
    "the reference serves everywhere."
)


class Operands(NamedTuple):
    """What a call takes; an absent array has no elements."""

    x: Array
    h: Array
    c: Array
    kernel: Array
    recurrent_kernel: Array
    bias: Array
    mask: Array
    resets: Array
    input_masks: Array  # (gates, batch, features)
    recurrent_masks: Array  # (1 or gates, batch, units)


# The operands' batch axes.
_AXES = (0, 0, 0, None, None, None, 0, 0, 1, 1)


@dataclass(frozen=True)
class Form:
    """What is fixed about a call when it is traced."""

    numbers: Numbers
    go_backwards: bool
    all_outputs: bool
    threads: int
    in_bfloat16: bool = False  # what the float32 arrays are made of; it may be multiplied as that

    @property
    def attributes(self) -> dict:
        """The custom call's attributes."""
        return {
            **dict(zip(self.numbers._fields, map(np.int32, self.numbers), strict=True)),
            "backwards": self.go_backwards,
            "threads": np.int32(self.threads),
            **({"in_bfloat16": True} if self.in_bfloat16 else {}),
        }


@jax.tree_util.register_static
@dataclass(frozen=True)
class _Wanted:
    """Which gradients are wanted; part of a program's structure, not of its data."""

    x: bool
    state: bool
    weights: bool


def recurrence(form: Form, operands: Operands) -> tuple[Array, Array, Array]:
    """Return the outputs (without elements if not wanted), the last h and the last c.

    Raises:
        TypeError: if it is differentiated in forward mode or twice.
    """
    with forward_mode_refused(_FIRST_IN_REVERSE):
        return _recurrence(form, operands)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _recurrence(form: Form, operands: Operands) -> tuple[Array, Array, Array]:
    outputs, h, c, _ = _forward(form, operands, outputs=form.all_outputs, saved=False)
    return outputs, h, c


def _forward(form: Form, operands: Operands, *, outputs: bool, saved: bool) -> list[Array]:
    batch, time, _ = operands.x.shape
    units, dtype = operands.recurrent_kernel.shape[0], operands.x.dtype
    kept = form.numbers.saved * units if saved else 0
    shapes = (
        (batch, time, units) if outputs else (0,),
        (batch, units),
        operands.c.shape,
        (time, batch, kept) if kept else (0,),
    )
    results = [jax.ShapeDtypeStruct(shape, dtype) for shape in shapes]
    return _native_call(form, FORWARD, operands, _AXES, results, (0, 0, 0, 1))


def _native_call(form, name, arrays, axes, results, result_axes) -> list[Array]:
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
        return jax.ffi.ffi_call(name, shapes, vmap_method="sequential")(*arrays, **form.attributes)

    def function(*arrays):
        if sharding.is_wanted():
            return sharding.over_the_batch(native_call, arrays, axes, results, result_axes)
        return native_call(*arrays)

    return refusing(function, _FIRST_IN_REVERSE)(*arrays)


def _with(shape: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    return (*shape[:axis], size, *shape[axis + 1 :])


def _forward_rule(form: Form, operands):
    x, h, c, kernel, recurrent_kernel, bias, *_ = (operand.perturbed for operand in operands)
    wanted = _Wanted(x=x, state=h or c, weights=kernel or recurrent_kernel or bias)
    values = Operands(*(operand.value for operand in operands))
    if operands.input_masks.perturbed or operands.recurrent_masks.perturbed:
        return _by_scan(form, values)
    outputs, h, c, saved = _forward(form, values, outputs=True, saved=True)
    shown = outputs if form.all_outputs else jnp.zeros((0,), outputs.dtype)
    return (shown, h, c), (wanted, values, outputs, saved)


def _by_scan(form: Form, operands: Operands):
    """Return the results and what gives the gradients, without kernels: by dropout masks too."""
    flags = {"mask": operands.mask, "resets": operands.resets}

    def results(numbers):
        given = numbers._replace(**flags)
        return recurrence_by_scan(form.attributes, given, form.all_outputs)

    absent: dict = dict.fromkeys(flags)
    return jax.vjp(results, operands._replace(**absent))


def _backward_rule(form: Form, kept, cotangents):
    if callable(kept):
        return kept(tuple(map(_instantiated, cotangents)))
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
    d_x, d_h, d_c, *d_weights = _native_call(form, BACKWARD, arrays, axes, results, result_axes)
    gradients = [
        d_x if wanted.x else None,
        *([d_h, d_c] if wanted.state else [None] * 2),
        *(d_weights if wanted.weights else [None] * 3),
        *[None] * 4,
    ]
    return (Operands._make(gradients),)


def _instantiated(ct) -> Array:
    return jnp.zeros(ct.shape, ct.dtype) if isinstance(ct, SymbolicZero) else ct


_recurrence.defvjp(_forward_rule, _backward_rule, symbolic_zeros=True)
