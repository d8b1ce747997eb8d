"""A step of the Adam optimizer for all variables of a model, in one pass."""

from collections.abc import Sequence

import jax
from jax import Array

from statewise.recurrence.native.extension import ADAM, extension


def adam(
    rate: Array,
    parameters: Sequence[Array],
    first: Sequence[Array],
    second: Sequence[Array],
    gradients: Sequence[Array],
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[list[Array], list[Array], list[Array]]:
    """Return the parameters, first and second moments after a step of Adam.

    For each variable, with the gradient g, the moments m and v and the parameters w::

        m' = m + (1 - beta_1) (g - m)
        v' = v + (1 - beta_2) (g**2 - v)
        w' = w - rate m' / (sqrt(v') + epsilon)

    where ``rate`` is the learning rate times ``sqrt(1 - beta_2**t) / (1 - beta_1**t)`` at step t,
    which makes up for moments that began at zero. The sequences have an array for each variable.

    Args:
        rate: a scalar.
        parameters: float32 or float64, all arrays of one dtype.
        first: averages of the gradients, each of its parameters' shape.
        second: averages of the squared gradients.
        gradients: by the parameters.
        beta_1: how much of the first moment stays.
        beta_2: how much of the second.
        epsilon: keeps the division from growing without bounds.

    Raises:
        RuntimeError: if the native extension isn't available.
        jax.errors.JaxRuntimeError: when it runs, if a size or a dtype doesn't fit.

    References:
        Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015.

    >>> import jax.numpy as jnp
    >>> from statewise.recurrence import native
    >>> one = [jnp.ones(3)]
    >>> rates = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
    >>> if native.available():
    ...     (w,), (m,), (v,) = adam(jnp.float32(0.5), one, one, one, one, **rates)
    ...     assert jnp.allclose(w, 0.5) and jnp.allclose(m, 1) and jnp.allclose(v, 1)
    """
    extension()  # registers the call
    count = len(parameters)
    arrays = (*parameters, *first, *second)
    call = jax.ffi.ffi_call(
        ADAM,
        [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays],
        input_output_aliases={i + 1: i for i in range(3 * count)},
        vmap_method="sequential",
    )
    results = call(
        rate,
        *arrays,
        *gradients,
        one_minus_beta_1=1 - beta_1,
        one_minus_beta_2=1 - beta_2,
        epsilon=float(epsilon),
    )
    parts = results[:count], results[count : 2 * count], results[2 * count :]
    return list(parts[0]), list(parts[1]), list(parts[2])
