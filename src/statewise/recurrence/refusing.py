"""Functions that have no derivative of JAX's making, and say so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jax


def refusing(function: Callable, message: str) -> Callable:
    """Return the function, which raises a TypeError with this message if it's differentiated.

    >>> try:
    ...     jax.grad(refusing(lambda x: 2 * x, "Not this one."))(1.0)
    ... except TypeError as error:
    ...     print(error)
    Not this one.
    """
    refused = jax.custom_jvp(lambda *given: function(*given))

    @refused.defjvp
    def _refuse(primals, tangents):
        raise TypeError(message)

    return refused


@contextmanager
def forward_mode_refused(message: str) -> Iterator[None]:
    """Let a TypeError have this message if a function with a rule for reverse mode only caused it.

    JAX refuses forward mode by itself, but names nothing else than its own functions.

    >>> double = jax.custom_vjp(lambda x: 2 * x)
    >>> double.defvjp(lambda x: (2 * x, None), lambda _, cotangent: (2 * cotangent,))
    >>> try:
    ...     with forward_mode_refused("In reverse mode only."):
    ...         jax.jacfwd(double)(1.0)
    ... except TypeError as error:
    ...     print(error)
    In reverse mode only.
    """
    try:
        yield
    except TypeError as error:
        if "forward-mode" not in str(error):
            raise
        raise TypeError(message) from error
