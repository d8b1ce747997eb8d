"""Depthwise convolutions without a convolution: sums that XLA makes one loop of.

XLA's routine for a CPU treats each feature of a depthwise convolution as a convolution of its own,
and hands them to its threads one by one; within a loop they wait for each other. There's little to
compute: each output is a sum over a few taps, each element of the kernel's gradient is a sum over
all places. A layer of 16 features and 5 taps over 50 steps takes 0.06 ms that way instead of 2 or
more.
"""

import itertools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

# Up to so many terms are written out; with more, XLA's routine has enough to do for each feature.
_FEW = 32
# Inputs for each group, or outputs: with more, a group is a matrix product.
_NARROW = 4


def depthwise(inputs: tuple, kernel: tuple, parameters: dict) -> Callable | None:
    """Return what computes a grouped convolution without one; None where that doesn't pay.

    Args:
        inputs: the shape ``(batch, space..., features)``.
        kernel: the shape ``(taps..., inputs of a group, outputs)``.
        parameters: those of `jax.lax.conv_general_dilated_p`.

    Returns:
        A function of inputs, kernel and the parameters by their names.
    """
    groups, (*taps, into, out) = parameters["feature_group_count"], kernel
    if groups == 1 or not all(isinstance(n, int) for n in (*inputs, *kernel)):
        return None
    if into <= _NARROW and math.prod(taps) * into <= _FEW:
        return _over_taps
    places = math.prod(_places(inputs, kernel, parameters))
    if out // groups <= _NARROW and 0 < places * (out // groups) <= _FEW:
        return _over_places
    return None


def _over_taps(inputs: Array, kernel: Array, **parameters) -> Array:
    """Add up what each tap of the kernel contributes to all places."""
    groups, (*taps, into, out) = parameters["feature_group_count"], kernel.shape
    inputs = _padded(inputs, parameters)
    places = _places(inputs.shape, kernel.shape, parameters, padded=True)
    total = jnp.zeros((inputs.shape[0], *places, out), inputs.dtype)
    for tap in itertools.product(*map(range, taps)):
        seen = _slice(inputs, tap, parameters["rhs_dilation"], places, parameters["window_strides"])
        for i in range(into):
            part = seen[..., i::into]  # of each group
            total = total + jnp.repeat(part, out // groups, axis=-1) * kernel[(*tap, i)]
    return total


def _over_places(inputs: Array, kernel: Array, **parameters) -> Array:
    """Compute each place of the outputs by a sum over all taps: the gradient by a kernel."""
    groups, (*taps, into, out) = parameters["feature_group_count"], kernel.shape
    inputs = _padded(inputs, parameters)
    places = _places(inputs.shape, kernel.shape, parameters, padded=True)
    of_group = kernel.reshape(*taps, into, groups, out // groups)
    summed = (*range(1, 1 + len(taps)), -1)
    found = []
    for place in itertools.product(*map(range, places)):
        seen = _slice(inputs, place, parameters["window_strides"], taps, parameters["rhs_dilation"])
        seen = seen.reshape(*seen.shape[:-1], groups, into)
        for j in range(out // groups):
            weights = jnp.moveaxis(of_group[..., j], -2, -1)  # taps, groups, inputs of a group
            found.append((seen * weights).sum(summed))
    whole = jnp.stack(found, axis=1)  # batch, places and outputs of a group, groups
    whole = whole.reshape(len(inputs), *places, out // groups, groups)
    return jnp.swapaxes(whole, -1, -2).reshape(len(inputs), *places, out)


def _padded(inputs: Array, parameters: dict) -> Array:
    """Return the inputs as the kernel sees them: padded, and with gaps if they're dilated."""
    pairs = zip(parameters["padding"], parameters["lhs_dilation"], strict=True)
    edges = [(low, high, gap - 1) for (low, high), gap in pairs]
    return jax.lax.pad(inputs, jnp.zeros((), inputs.dtype), [(0, 0, 0), *edges, (0, 0, 0)])


def _slice(array: Array, number, far, count, step) -> Array:
    """Return ``count`` elements of each axis of space, ``step`` apart, from ``number * far`` on."""
    for axis, (n, f, c, s) in enumerate(zip(number, far, count, step, strict=True), 1):
        begin = n * f
        array = jax.lax.slice_in_dim(array, begin, begin + (c - 1) * s + 1, s, axis)
    return array


def _places(inputs: tuple, kernel: tuple, parameters: dict, *, padded: bool = False) -> list[int]:
    """Return how many places the outputs have along each axis of space."""
    found = []
    for axis, size in enumerate(inputs[1:-1]):
        if not padded:
            low, high = parameters["padding"][axis]
            size = max(0, (size - 1) * parameters["lhs_dilation"][axis] + 1) + low + high
        reach = (kernel[axis] - 1) * parameters["rhs_dilation"][axis] + 1
        found.append(max(0, (size - reach) // parameters["window_strides"][axis] + 1))
    return found
