"""The functions of the cells in NumPy: their values and, by what enters them, their slopes.

Written from their definitions; it shares nothing with the package.
"""

from typing import NamedTuple

import numpy as np


class Function(NamedTuple):
    """A function and its slope, both of what enters it."""

    value: object
    slope: object
    smooth: bool = True  # whether its slope has no jump, where rounding decides the side


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def below(x):
    """Return the part of a normal distribution below x: a series, and a fraction far out."""
    a = np.abs(x)
    near, far = np.minimum(a, 2), np.maximum(a, 2)
    term = total = near
    for n in range(1, 50):
        term = term * near * near / (2 * n + 1)
        total = total + term
    fraction = far
    for n in range(120, 0, -1):
        fraction = far + n / fraction
    tail = np.where(a < 2, 0.5 - bell(near) * total, bell(far) / fraction)
    return np.where(x > 0, 1 - tail, tail)


def bell(x):
    return np.exp(-x * x / 2) / np.sqrt(2 * np.asarray(x).dtype.type(np.pi))


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
FUNCTIONS = {
    "linear": Function(lambda x: x, np.ones_like),
    "tanh": Function(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sigmoid": Function(sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "relu": Function(lambda x: np.maximum(x, 0.0), lambda x: 1.0 * (x > 0), False),
    "hard_tanh": Function(lambda x: np.clip(x, -1.0, 1.0), lambda x: 1.0 * (np.abs(x) <= 1), False),
    "hard_sigmoid": Function(
        lambda x: np.clip(x / 6 + 0.5, 0.0, 1.0), lambda x: (np.abs(x) < 3) / 6, False
    ),
    "old_hard_sigmoid": Function(
        lambda x: np.clip(x / 5 + 0.5, 0.0, 1.0), lambda x: (np.abs(x) < 2.5) / 5, False
    ),
    "softsign": Function(lambda x: x / (1 + np.abs(x)), lambda x: (1 + np.abs(x)) ** -2),
    "softplus": Function(lambda x: np.logaddexp(x, 0), sigmoid),
    "elu": Function(
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        lambda x: np.exp(np.minimum(x, 0)),
    ),
    "selu": Function(
        lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
        lambda x: SELU_SCALE * np.where(x > 0, 1, SELU_ALPHA * np.exp(np.minimum(x, 0))),
        False,
    ),
    "silu": Function(lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    "gelu": Function(lambda x: x * below(x), lambda x: below(x) + x * bell(x)),
}
GATES = ("sigmoid", "hard_sigmoid", "old_hard_sigmoid", "linear", "tanh", "relu")
# Those that grow with what enters them: a cell of them may grow from step to step.
UNBOUNDED = {"linear", "relu", "softplus", "elu", "selu", "silu", "gelu"}
