"""Adam's update of all variables at once, where Keras traces and XLA compiles one after the other.

A step of training a small network is mostly that: for five variables, seventy of Keras's operations
and fifteen of XLA's loops. Everything around the update (clipping, weight decay, averages,
accumulated gradients, schedules) stays Keras's.
"""

import contextlib
from collections.abc import Iterator
from functools import partial

import jax.numpy as jnp
import keras
from jax import lax

from statewise._keras_compat import ADAM_UPDATE, moments_of, replaced, updates_as_adam
from statewise._runtime import small_loops as _small_loops
from statewise._runtime.device import platform
from statewise.recurrence import native

# What Adam moves for each value: it reads four numbers and writes three.
_NUMBERS_MOVED = 7


@contextlib.contextmanager
def joint_updates(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Let an optimizer update all variables at once, within this context, if it is Adam.

    It serves `keras.optimizers.Adam` and ``AdamW`` without ``amsgrad``, in float32 or float64, on
    devices that nothing is distributed over; all else is Keras's, as it was. The values are Keras's
    but for rounding.

    >>> optimizer = keras.optimizers.Adam(0.5)
    >>> weights = keras.Variable(jnp.ones(2))
    >>> optimizer.build([weights])
    >>> with joint_updates(optimizer):
    ...     optimizer.apply([jnp.asarray([1.0, -1.0])])
    >>> print(weights.numpy().round(4))
    [0.5 1.5]
    """
    if keras.distribution.distribution() is not None or not updates_as_adam(optimizer):
        yield
        return
    with replaced(optimizer, ADAM_UPDATE, partial(_update, optimizer)):
        yield


def _update(optimizer, gradients, variables, learning_rate) -> None:
    """Do what the optimizer's ``update_step`` does, for all variables."""
    dtype = variables[0].dtype
    moments = moments_of(optimizer, variables)
    weights, first, second = ([v.value for v in group] for group in (variables, *moments))
    gradients = [jnp.asarray(gradient, dtype) for gradient in gradients]
    step = keras.ops.cast(optimizer.iterations + 1, dtype)
    beta_1, beta_2 = optimizer.beta_1, optimizer.beta_2
    rate = jnp.asarray(learning_rate, dtype)
    rate = rate * lax.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    adam = native.adam if _pays(gradients) else _adam
    results = adam(
        rate,
        weights,
        first,
        second,
        gradients,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=optimizer.epsilon,
    )
    for group, values in zip((variables, *moments), results, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


def _pays(gradients) -> bool:
    """Whether the native update is the faster one.

    A smaller loop is compiled in one piece, unless it calls native code.
    """
    moved = _NUMBERS_MOVED * sum(gradient.nbytes for gradient in gradients)
    return moved > _small_loops.LIMIT and platform() == "cpu" and native.available()


def _adam(rate, parameters, first, second, gradients, *, beta_1, beta_2, epsilon):
    """`native.adam`, as XLA's operations."""
    results = []
    for w, m, v, g in zip(parameters, first, second, gradients, strict=True):
        # Each operator of JAX's NumPy would be traced as a program of its own.
        part_1, part_2, tiny = (lax.full_like(g, a) for a in (1 - beta_1, 1 - beta_2, epsilon))
        m = lax.add(m, lax.mul(lax.sub(g, m), part_1))
        v = lax.add(v, lax.mul(lax.sub(lax.mul(g, g), v), part_2))
        steps = lax.mul(m, lax.broadcast(rate, g.shape))
        results.append((lax.sub(w, lax.div(steps, lax.add(lax.sqrt(v), tiny))), m, v))
    return zip(*results, strict=True)
