"""Functions that have no derivative of JAX's making, and say so."""

from collections.abc import Callable

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
