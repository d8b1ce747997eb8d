r"""Cross-entropy of a projection onto many classes, without laying out its scores.

For rows :math:`x_i`, classes :math:`k_i` and weights :math:`c_i`

.. math::
    s_i = x_i W + b, \qquad L = \sum_i c_i (\log \sum_j e^{s_{ij}} - s_{i k_i})

and with :math:`p_i` the softmax of :math:`s_i` and :math:`e_k` the one-hot row of class k

.. math::
    g_i = c_i (p_i - e_{k_i}), \qquad
    \partial L / \partial x_i = g_i W^T, \quad
    \partial L / \partial W = \sum_i x_i^T g_i, \quad
    \partial L / \partial b = \sum_i g_i

The scores of a batch of 32 sequences of 50 words are 64 MB with a vocabulary of 10,000, as many as
their gradient, and the time goes into moving them. Here some rows at a time go from their scores to
their part of the gradient while they are in the cache. That needs the weights before, which is why
the loss is summed here.
"""

import jax
import jax.numpy as jnp
from jax import Array

# Scores of so many bytes at a time, and no fewer than the kernel's, whose gradient is added to each
# time. Measured with 2,000 to 10,000 classes, 4 to 16 MiB are even; with 50,000, more is better.
_AT_ONCE = 8 << 20
# Fewer scores than this are laid out: then that's no slower.
_WORTH_IT = 4 << 20


def pays(rows: int, classes: int) -> bool:
    """Whether so many scores are better not laid out."""
    return 4 * rows * classes >= _WORTH_IT


@jax.custom_vjp
def projected_cross_entropy(
    inputs: Array, kernel: Array, bias: Array, classes: Array, weights: Array
) -> Array:
    """Return the weighted sum of all rows' cross-entropies, differentiable by the first three.

    Args:
        inputs: ``(rows, features)`` float32.
        kernel: ``(features, classes)``.
        bias: ``(classes,)``.
        classes: ``(rows,)`` int32; one that is no class counts as no error.
        weights: ``(rows,)``.

    >>> x, w = jnp.ones((2, 3)), jnp.eye(3, 4)
    >>> given = x, w, jnp.zeros(4), jnp.array([0, 3]), jnp.ones(2)
    >>> direct = -jax.nn.log_softmax(x @ w)[jnp.arange(2), given[3]].sum()
    >>> bool(jnp.allclose(projected_cross_entropy(*given), direct))
    True
    """
    parts = _in_parts(kernel, inputs, classes, weights)

    def step(total, part):
        loss, _ = _loss(part, kernel, bias)
        return total + loss, None

    return jax.lax.scan(step, jnp.zeros((), inputs.dtype), parts)[0]


def _forward(inputs, kernel, bias, classes, weights):
    parts = _in_parts(kernel, inputs, classes, weights)
    # XLA's products for a CPU are a fifth faster where the left operand isn't transposed, and
    # where the large one (the gradient by the scores) doesn't stand on the left.
    transposed = jax.lax.optimization_barrier(parts[0].mT)

    def step(carried, part):
        total, of_kernel, of_bias = carried
        part, inputs_transposed = part
        loss, gradient = _loss(part, kernel, bias)
        of_kernel = of_kernel + inputs_transposed @ gradient
        of_bias = of_bias + gradient.sum(0)
        return (total + loss, of_kernel, of_bias), kernel @ gradient.T

    start = jnp.zeros((), inputs.dtype), jnp.zeros_like(kernel), jnp.zeros_like(bias)
    (total, of_kernel, of_bias), of_inputs = jax.lax.scan(step, start, (parts, transposed))
    of_inputs = of_inputs.mT.reshape(-1, inputs.shape[1])[: len(inputs)]
    return total, (of_inputs, of_kernel, of_bias)


def _backward(gradients, cotangent):
    return (*(cotangent * gradient for gradient in gradients), None, None)


projected_cross_entropy.defvjp(_forward, _backward)


def _loss(part, kernel: Array, bias: Array) -> tuple[Array, Array]:
    """Return the loss of some rows, and its gradient by their scores."""
    inputs, classes, weights = part
    scores = inputs @ kernel + bias
    highest = scores.max(axis=1, keepdims=True)
    powers = jnp.exp(scores - highest)
    total = powers.sum(axis=1, keepdims=True)
    valid = (classes >= 0) & (classes < kernel.shape[1])
    weights = jnp.where(valid, weights, 0)[:, None]
    place = jnp.where(valid, classes, 0)[:, None]
    chosen = jnp.take_along_axis(scores, place, axis=1)
    # A row that doesn't count may be anything, infinite too.
    losses = jnp.where(weights == 0, 0, weights * (jnp.log(total) + highest - chosen))
    one_hot = jnp.arange(kernel.shape[1]) == place  # fused, never laid out
    return losses.sum(), (powers / total - one_hot) * weights


def _in_parts(kernel: Array, inputs: Array, classes: Array, weights: Array) -> tuple[Array, ...]:
    """Cut the rows into parts of equal size; rows that are missing in the last count nothing."""
    rows = len(inputs)
    parts = max(1, round(4 * rows * kernel.shape[1] / max(_AT_ONCE, 4 * kernel.size)))
    size = -(-rows // parts)
    parts = -(-rows // size)

    def parts_of(array):
        padding = [(0, parts * size - rows)] + [(0, 0)] * (array.ndim - 1)
        return jnp.pad(array, padding).reshape(parts, size, *array.shape[1:])

    return parts_of(inputs), parts_of(classes), parts_of(weights)
