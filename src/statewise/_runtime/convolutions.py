"""Convolutions in compiled loops, in the layout that XLA has a fast routine for.

XLA's routine for a CPU takes convolutions of one layout: ``(batch, space..., features)`` for inputs
and outputs, ``(space..., inputs, outputs)`` for the kernel. One that stands in another layout XLA
transposes, but only outside of loops; inside it falls back to plain nested loops, which take 6 to
30 times as long. The gradient by a kernel is such a convolution, whatever the layout of its layer.
So they are transposed before XLA sees them, wherever they stand: what it would do itself outside
of loops, and doesn't do within. The gradient by the kernel of a grouped (or depthwise) convolution
has groups in its batch, for which XLA has no routine at all; they become groups of features.
"""

from functools import partial

import jax
from jax.interpreters import mlir

from statewise._runtime.depthwise import depthwise

try:
    from jax._src.lax.convolution import _conv_general_dilated_lower
except ImportError:  # another JAX has it elsewhere; then convolutions in loops stay as they are
    _conv_general_dilated_lower = None  # type: ignore[assignment]  # None where there is none

_convolution = jax.lax.conv_general_dilated_p


def transpose_convolutions() -> bool:
    """Have JAX lay out for XLA's routine each convolution that it compiles for a CPU.

    Returns:
        Whether it does; a JAX that keeps its own rule elsewhere than expected goes on as before.

    >>> import jax.numpy as jnp
    >>> def gradient(kernel, x):
    ...     numbers = ("NWC", "WIO", "NWC")
    ...     return jax.lax.conv_general_dilated(x, kernel, (1,), "SAME", dimension_numbers=numbers)
    >>> made = jax.jit(jax.grad(lambda *given: gradient(*given).sum()))
    >>> text = made.lower(jnp.ones((3, 2, 4)), jnp.ones((5, 7, 2))).as_text()
    >>> "[b, 0, f]x[0, i, o]->[b, 0, f]" in text or not transpose_convolutions()
    True
    """
    if _conv_general_dilated_lower is None:
        return False
    mlir.register_lowering(_convolution, _lower, platform="cpu")
    return True


def _lower(context, inputs, kernel, **parameters):
    """JAX's rule, around which inputs, kernel and outputs are transposed where they have to be."""
    numbers, groups = parameters["dimension_numbers"], parameters["batch_group_count"]
    orders, plain = _orders(numbers), _plain(numbers)
    if groups == 1 and orders == _orders(plain) and not _sums(*context.avals_in, parameters):
        # JAX's own choice for CPUs; without it XLA's slow loops would compute complex numbers.
        rule = partial(_conv_general_dilated_lower, expand_complex_convolutions=True)
        return rule(context, inputs, kernel, **parameters)
    parameters["dimension_numbers"] = plain
    if groups > 1:  # then the features aren't in groups
        parameters |= {"batch_group_count": 1, "feature_group_count": groups}

    def transposed(inputs, kernel):
        of_inputs, of_kernel, of_outputs = orders
        inputs, kernel = jax.lax.transpose(inputs, of_inputs), jax.lax.transpose(kernel, of_kernel)
        if groups > 1:
            inputs = _groups_among_features(inputs, groups)
        convolve = _sums(inputs, kernel, parameters) or _convolution.bind
        outputs = convolve(inputs, kernel, **parameters)
        return jax.lax.transpose(outputs, sorted(range(inputs.ndim), key=of_outputs.__getitem__))

    return mlir.lower_fun(transposed, multiple_results=False)(context, inputs, kernel)


def _sums(inputs, kernel, parameters):
    """Return what `depthwise` has for a convolution of real numbers in XLA's layout, or None."""
    dtype = inputs.dtype
    if dtype not in ("float32", "float64") or kernel.dtype != dtype:
        return None
    if parameters["preferred_element_type"] not in (None, dtype):
        return None
    return depthwise(inputs.shape, kernel.shape, parameters)


def _groups_among_features(inputs, groups: int):
    """Return ``(groups * n, space..., features)`` as ``(n, space..., groups * features)``.

    In groups of the batch each has outputs of its own; XLA would compute them for all, and throw
    away what belongs to another group.
    """
    rows, *space, features = inputs.shape
    parts = jax.lax.reshape(inputs, (groups, rows // groups, *space, features))
    last = parts.ndim - 1
    beside = jax.lax.transpose(parts, (*range(1, last), 0, last))
    return jax.lax.reshape(beside, (rows // groups, *space, groups * features))


def _orders(numbers) -> tuple[tuple[int, ...], ...]:
    """Return which of their axes inputs, kernel and outputs have first, second and so on."""
    (batch, features, *space), (out, into, *kernel_space), (rows, outputs, *out_space) = numbers
    return (batch, *space, features), (*kernel_space, into, out), (rows, *out_space, outputs)


def _plain(numbers):
    """Return the numbers of the layout that XLA's routine takes, for as many axes."""
    last = len(numbers.lhs_spec) - 1
    ends = (0, last, *range(1, last))
    return type(numbers)(ends, (last, last - 1, *range(last - 1)), ends)
