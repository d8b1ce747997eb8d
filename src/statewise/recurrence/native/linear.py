r"""The linear recurrence's custom calls as a differentiable JAX function.

:math:`h_t = a_t \odot h_{t-1} + b_t` runs in the order of time, every unit by itself: that is one
pass over the arrays, where a scan in parallel makes one for each doubling of the time. With
:math:`\lambda_t` for the gradient by :math:`h_t`, of all that comes after it too, the gradients are
the same recurrence in the other direction,

.. math::
    \lambda_t &= a_{t+1} \odot \lambda_{t+1} + \partial_t \\
    \partial b_t &= \lambda_t, \quad \partial a_t = \lambda_t \odot h_{t-1}.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

from statewise.recurrence.native.extension import LINEAR_BACKWARD, LINEAR_FORWARD
from statewise.recurrence.native.recurrence import _FIRST_IN_REVERSE, _native_call
from statewise.recurrence.refusing import forward_mode_refused


class LinearOperands(NamedTuple):
    """What a call takes; absent flags have no elements."""

    a: Array
    b: Array
    h: Array
    mask: Array
    resets: Array


@dataclass(frozen=True)
class LinearForm:
    """What is fixed about a call when it is traced."""

    go_backwards: bool
    all_outputs: bool
    threads: int

    @property
    def attributes(self) -> dict:
        """The custom calls' attributes."""
        return {"backwards": self.go_backwards, "threads": np.int32(self.threads)}


def linear_recurrence(form: LinearForm, operands: LinearOperands) -> tuple[Array, Array]:
    """Return the state after every step (without elements if not wanted), and after the last.

    Args:
        form: how it runs.
        operands: float32 or float64; a and b ``(batch, time, units)``, h ``(batch, units)``.

    Raises:
        TypeError: if it is differentiated in forward mode or twice.
    """
    with forward_mode_refused(_FIRST_IN_REVERSE):
        return _linear(form, operands)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _linear(form: LinearForm, operands: LinearOperands) -> tuple[Array, Array]:
    return _forward(form, operands, outputs=form.all_outputs)


def _forward(form: LinearForm, operands: LinearOperands, *, outputs: bool) -> tuple[Array, Array]:
    a, h = operands.a, operands.h
    results = [
        jax.ShapeDtypeStruct(a.shape if outputs else (0,), a.dtype),
        jax.ShapeDtypeStruct(h.shape, a.dtype),
    ]
    every, last = _native_call(form, LINEAR_FORWARD, operands, (0,) * 5, results, (0, 0))
    return every, last


def _forward_rule(form: LinearForm, operands):
    values = LinearOperands(*(operand.value for operand in operands))
    outputs, last = _forward(form, values, outputs=True)
    shown = outputs if form.all_outputs else jnp.zeros((0,), outputs.dtype)
    return (shown, last), (values, outputs)


def _backward_rule(form: LinearForm, kept, cotangents):
    operands, outputs = kept
    none = jnp.zeros((0,), outputs.dtype)
    given = [none if isinstance(ct, SymbolicZero) else ct for ct in cotangents]
    results = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in operands[:3]]
    arrays = (*operands, outputs, *given)
    gradients = _native_call(form, LINEAR_BACKWARD, arrays, (0,) * 8, results, (0,) * 3)
    return (LinearOperands._make([*gradients, None, None]),)


_linear.defvjp(_forward_rule, _backward_rule, symbolic_zeros=True)
