"""What a step of a loop leaves for its gradient: what costs something to compute again."""

from collections.abc import Callable

import jax

# What comes of these is computed again sooner than it's written to memory at each step, and read
# from there. Comparisons are none of them: they are a byte each, and stand for numbers.
_CHEAP = frozenset(
    "abs add add_any broadcast_in_dim concatenate convert_element_type copy expand_dims "
    "integer_pow max min mul name neg reshape select_n sign slice split square squeeze "
    "stop_gradient sub transpose".split()
)


def _is_dear(primitive, *_, **__) -> bool:
    return primitive.name not in _CHEAP


def few_residuals(step: Callable) -> Callable:
    """Return the step of a ``lax.scan`` that computes cheap things again for its gradient.

    Left to itself JAX keeps, at each step, every factor of every product of the derivative: of a
    gate's sigmoid both y and 1 - y, and more. Writing and reading them takes a third of the time of
    an LSTM's training step. Here sums and products are computed again; what comes of matrix
    products and transcendental functions is kept. Values, derivatives of any order and in any mode
    stay the same.

    >>> import jax.numpy as jnp
    >>> def loop(step):
    ...     return lambda c: jax.lax.scan(step, c, None, length=3)[0]
    >>> def step(c, _):
    ...     return jnp.tanh(1.1 * c) * 0.9, None
    >>> plain, spared = (jax.grad(loop(f))(0.5) for f in (step, few_residuals(step)))
    >>> bool(abs(plain - spared) < 1e-6)
    True
    """
    # In a loop XLA can't find what stands twice, which is all that the barrier would prevent.
    return jax.checkpoint(step, policy=_is_dear, prevent_cse=False)
