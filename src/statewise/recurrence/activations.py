r"""The functions of the cells that have a name: :math:`\phi` and, at the gates, :math:`\sigma`.

====================  =======================================================================
``linear``            :math:`x`
``tanh``, ``sigmoid`` :math:`\tanh x`, :math:`1 / (1 + e^{-x})`
``relu``              :math:`\max(x, 0)`
``hard_tanh``         :math:`x` within -1 and 1
``hard_sigmoid``      :math:`\max(0, \min(x + 3, 6)) / 6`, Keras 3's
``old_hard_sigmoid``  :math:`x / 5 + 1 / 2` within 0 and 1, that of Keras 1 and 2
``softsign``          :math:`x / (1 + |x|)`
``softplus``          :math:`\log(1 + e^x)`
``elu``               :math:`x` above zero, :math:`e^x - 1` below
``selu``              1.0507 times that, with 1.6733 times the part below
``silu``              :math:`x / (1 + e^{-x})`
``gelu``              :math:`x \Phi(x)`, with the normal distribution :math:`\Phi`, not with tanh
====================  =======================================================================

A cell takes any function, as a function. The native kernels know these.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

Activation = Callable[[Array], Array]


def linear(x: Array) -> Array:
    """Return x.

    >>> linear(2.0)
    2.0
    """
    return x


def old_hard_sigmoid(x: Array) -> Array:
    r"""Return :math:`x / 5 + 1 / 2` within 0 and 1, which Keras 1 and 2 called hard_sigmoid.

    >>> old_hard_sigmoid(jnp.array([-3.0, 0.0, 1.0])).tolist()
    [0.0, 0.5, 0.699999988079071]
    """
    return jnp.clip(0.2 * x + 0.5, 0.0, 1.0)


def gelu(x: Array) -> Array:
    r"""Return :math:`x \Phi(x)`.

    >>> gelu(jnp.array([0.0, 1.0])).tolist()
    [0.0, 0.8413447141647339]
    """
    return jax.nn.gelu(x, approximate=False)


ACTIVATIONS: dict[str, Activation] = {
    "linear": linear,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "relu": jax.nn.relu,
    "hard_tanh": jax.nn.hard_tanh,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "old_hard_sigmoid": old_hard_sigmoid,
    "softsign": jax.nn.soft_sign,
    "softplus": jax.nn.softplus,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "silu": jax.nn.silu,
    "gelu": gelu,
}
# Those that the native kernels know at the gates.
GATE_ACTIVATIONS = ("sigmoid", "hard_sigmoid", "old_hard_sigmoid", "linear", "tanh", "relu")
