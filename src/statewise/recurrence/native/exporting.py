"""Programs for elsewhere: the native calls written in XLA's own operations where JAX exports.

A native call is a name that this process knows, so JAX refuses to export a program that has one (by
`jax.export`, by Keras's ``model.export``). Here the choice is made where a program is written down:
for this process it calls, for an export it says what the call computes. The numbers are the same
but for rounding.
"""

import functools
import logging

import jax
import jax.numpy as jnp
from jax.interpreters import mlir

from statewise.recurrence.backends.reference import scan
from statewise.recurrence.layout import DropoutMasks, Weights
from statewise.recurrence.linear import linear_scan
from statewise.recurrence.native.extension import (
    ADAM,
    BACKWARD,
    FORWARD,
    LINEAR_BACKWARD,
    LINEAR_FORWARD,
)
from statewise.recurrence.native.numbers import Numbers, cell_of

try:
    from jax._src.ffi import ffi_call_lowering, ffi_call_p
except ImportError:  # another JAX has them elsewhere; then it refuses exports, as it does by itself
    ffi_call_lowering = ffi_call_p = None  # type: ignore[assignment]  # None where there is none


def make_exportable() -> bool:
    """Have JAX write the native calls of exported programs in operations of its own.

    Returns:
        Whether it does; a JAX that keeps its own rule elsewhere than expected goes on refusing.

    >>> from jax import export
    >>> from statewise.recurrence import SimpleRNN, run
    >>> cell, weights = SimpleRNN(), Weights(jnp.ones((1, 4)), jnp.ones((4, 4)))
    >>> def outputs(x):
    ...     return run(cell, x, cell.initial_state(2, 4, x.dtype), weights).outputs
    >>> x = jnp.ones((2, 30, 1))
    >>> elsewhere = export.export(jax.jit(outputs))(x)
    >>> bool(jnp.allclose(elsewhere.call(x), outputs(x)))
    True
    """
    if ffi_call_lowering is None:
        return False
    mlir.register_lowering(ffi_call_p, _lower)
    return True


def _lower(context, *operands, target_name, attributes, **parameters):
    """JAX's rule for native calls, but for ours in a program that is exported."""
    meaning = _MEANINGS.get(target_name)
    if meaning is None or not context.module_context.lowering_parameters.for_export:
        return ffi_call_lowering(
            context, *operands, target_name=target_name, attributes=attributes, **parameters
        )
    _log_export()
    shapes = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in context.avals_out]
    operations = functools.partial(meaning, dict(attributes), shapes)
    return mlir.lower_fun(operations, multiple_results=True)(context, *operands)


@functools.cache
def _log_export() -> None:
    logging.getLogger("statewise").warning(
        "The program is exported with XLA's own operations in place of statewise's native kernels, "
        "which only a process with statewise has: it computes the same, but for rounding, and on "
        "a CPU slower."
    )


def _forward(attributes, shapes, *operands):
    """`FORWARD`: outputs, last h, last c; what is kept for the gradients isn't needed."""
    outputs, h, c = recurrence_by_scan(attributes, operands, bool(shapes[0].size))
    return outputs, h, c, jnp.zeros(shapes[3].shape, shapes[3].dtype)


def _backward(attributes, shapes, *operands):
    """`BACKWARD`: the gradients that are wanted, from the forward pass computed once more."""
    others, cotangents = operands[6:10], operands[12:]
    results, pull = jax.vjp(
        lambda *given: recurrence_by_scan(attributes, (*given, *others), True), *operands[:6]
    )
    gradients = pull(
        tuple(
            given if given.size else jnp.zeros_like(result)
            for given, result in zip(cotangents, results, strict=True)
        )
    )
    return tuple(
        gradient if gradient.shape == wanted.shape else jnp.zeros(wanted.shape, wanted.dtype)
        for gradient, wanted in zip(gradients, shapes, strict=True)
    )


def recurrence_by_scan(attributes, operands, all_outputs: bool):
    """Return what a recurrence's call gives: outputs, the last h and the last c.

    Args:
        attributes: of the custom call, see `native.recurrence.Form`.
        operands: `native.recurrence.Operands`; what isn't there has no elements, nor have results
            that aren't wanted.
        all_outputs: whether the outputs are wanted.
    """
    x, h, c, kernel, recurrent_kernel, *others = operands
    bias, mask, resets, *masks = (other if other.size else None for other in others)
    cell = cell_of(Numbers(*(int(attributes[name]) for name in Numbers._fields)))
    result = scan(
        cell,
        x,
        cell.state_type(*(h, c)[: len(cell.state_type._fields)]),
        Weights(kernel, recurrent_kernel, bias),
        mask=mask,
        resets=resets,
        dropout=DropoutMasks(*map(_for_all_gates, masks)),
        go_backwards=bool(attributes["backwards"]),
        all_outputs=all_outputs,
    )
    outputs = jnp.zeros((0,), x.dtype) if result.outputs is None else result.outputs
    return outputs, result.state.h, getattr(result.state, "c", c)


def _for_all_gates(masks):
    return masks[0] if masks is not None and masks.shape[0] == 1 else masks


def _adam(attributes, shapes, rate, *arrays):
    """`ADAM`: parameters, first and second moments after a step; see `native.adam`."""
    count = len(shapes) // 3
    part_1, part_2 = attributes["one_minus_beta_1"], attributes["one_minus_beta_2"]
    after = []
    for w, m, v, g in zip(*(arrays[i * count : (i + 1) * count] for i in range(4)), strict=True):
        m = m + (g - m) * part_1
        v = v + (g * g - v) * part_2
        after.append((w - m * rate / (jnp.sqrt(v) + attributes["epsilon"]), m, v))
    return tuple(array for group in zip(*after, strict=True) for array in group)


def _linear_forward(attributes, shapes, a, b, h, *flags):
    """`LINEAR_FORWARD`: the state after every step, where it's wanted, and after the last."""
    states = _linear(attributes, flags, a, b, h)
    return states if shapes[0].size else jnp.zeros((0,), a.dtype), states[:, -1]


def _linear_backward(attributes, shapes, a, b, h, mask, resets, outputs, *cotangents):
    """`LINEAR_BACKWARD`: the gradients by a, b and h."""
    by_states, by_last = cotangents
    states, pull = jax.vjp(functools.partial(_linear, attributes, (mask, resets)), a, b, h)
    given = by_states if by_states.size else jnp.zeros_like(states)
    return pull(given.at[:, -1].add(by_last) if by_last.size else given)


def _linear(attributes, flags, a, b, h):
    mask, resets = (flag if flag.size else None for flag in flags)
    backwards = bool(attributes["backwards"])
    return linear_scan(a, b, h, mask=mask, resets=resets, go_backwards=backwards)


_MEANINGS = {
    FORWARD: _forward,
    BACKWARD: _backward,
    ADAM: _adam,
    LINEAR_FORWARD: _linear_forward,
    LINEAR_BACKWARD: _linear_backward,
}
