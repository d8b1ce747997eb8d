"""The variables of an optimizer, made without compiling a program for each of their shapes."""

import contextlib
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise._keras_compat import replaced


class _Zeros(keras.initializers.Zeros):
    """Zeros that NumPy makes; JAX would compile a program for each shape, 10 to 30 ms each time."""

    def __call__(self, shape, dtype=None, layout=None):
        return jax.device_put(np.zeros(shape, jnp.dtype(keras.utils.standardize_dtype(dtype))))


@contextlib.contextmanager
def quick_variables(optimizer: keras.optimizers.Optimizer | None) -> Iterator[None]:
    """Let an optimizer make its variables quickly when it is built within this context.

    >>> optimizer = keras.optimizers.Adam()
    >>> with quick_variables(optimizer):
    ...     optimizer.build([keras.Variable(np.ones((2, 3)), name="kernel")])
    >>> [variable.shape for variable in optimizer.variables]
    [(), (), (2, 3), (2, 3)]
    """
    if optimizer is None or optimizer.built or keras.distribution.distribution() is not None:
        yield  # nothing to make, or zeros that are spread over devices
        return
    add = optimizer.add_variable

    def add_quickly(shape, initializer="zeros", **options):
        zeros = isinstance(initializer, str) and initializer == "zeros"
        return add(shape, _Zeros() if zeros else initializer, **options)

    with replaced(optimizer, "add_variable", add_quickly):
        yield
