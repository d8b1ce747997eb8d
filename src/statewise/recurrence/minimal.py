r"""The equations of cells without a recurrent product: `MinGRU` and `MinLSTM`.

Their gates are made of the inputs alone, so that a step is linear in the state,

.. math:: h_t = a_t \odot h_{t-1} + b_t,

and all steps can be computed at once by a parallel scan (see `statewise.recurrence.linear`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from statewise.recurrence.cells import Activation, _Gated
from statewise.recurrence.layout import Weights


class MinimalState(NamedTuple):
    """What a minimal cell carries from step to step: ``h (batch, units)``, its last output."""

    h: Array


def _linear(x: Array) -> Array:
    return x


class _Minimal(_Gated):
    """What cells have in common whose step is linear in the state."""

    state_type: ClassVar = MinimalState
    gate_values: Callable[..., dict[str, Array]]
    kept: Callable[[dict[str, Array]], Array]
    added: Callable[[dict[str, Array]], Array]

    def coefficients(self, projected: Array) -> tuple[Array, Array]:
        r"""Return :math:`a` and :math:`b` of :math:`h_t = a_t \odot h_{t-1} + b_t`.

        Args:
            projected: ``(..., gates * units)``, of any steps.

        Returns:
            Two arrays ``(..., units)``.
        """
        gates = self.gate_values(projected)
        return self.kept(gates), self.added(gates)

    def step(self, projected: Array, state, weights: Weights, masks: Array | None = None):
        """Return the state after one step, from ``projected (batch, gates * units)``."""
        kept, added = self.coefficients(projected)
        return MinimalState(kept * state.h + added)


@dataclass(frozen=True)
class MinGRU(_Minimal):
    r"""A GRU whose gate and candidate don't depend on the state.

    .. math::
        z_t &= \sigma(x_t W_z + b_z) \\
        \tilde h_t &= \phi(x_t W_h + b_h) \\
        h_t &= (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t

    Here :math:`z` says how much of the candidate comes in, as its authors have it; in Keras's GRU
    it says how much of the state stays.

    Args:
        activation: :math:`\phi`; linear in the paper.

    Reference: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi, "Were RNNs all we needed?",
    arXiv:2410.01201 (2024), section 3.1.

    >>> cell = MinGRU()
    >>> kept, added = cell.coefficients(jnp.array([0.0, 3.0]))  # a gate of one half
    >>> kept.tolist(), added.tolist()
    ([0.5], [1.5])
    """

    activation: Activation = _linear
    gates: ClassVar = ("z", "h")

    def gate_values(self, projected: Array, *_) -> dict[str, Array]:
        """Return the gates of steps by their names, ``(..., units)`` each."""
        z, candidate = jnp.split(projected, 2, axis=-1)
        return {"z": jax.nn.sigmoid(z), "h": self.activation(candidate)}

    def kept(self, gates: dict[str, Array]) -> Array:
        """Return which share of the state stays at a step."""
        return 1 - gates["z"]

    def added(self, gates: dict[str, Array]) -> Array:
        """Return what is added to it."""
        return gates["z"] * gates["h"]


@dataclass(frozen=True)
class MinLSTM(_Minimal):
    r"""An LSTM whose gates and candidate don't depend on the state, and whose gates add up to one.

    .. math::
        f_t &= \sigma(x_t W_f + b_f), \quad i_t = \sigma(x_t W_i + b_i) \\
        f'_t &= \frac{f_t}{f_t + i_t}, \quad i'_t = \frac{i_t}{f_t + i_t} \\
        \tilde h_t &= \phi(x_t W_h + b_h) \\
        h_t &= f'_t \odot h_{t-1} + i'_t \odot \tilde h_t

    There is no output gate and no second state.

    Args:
        activation: :math:`\phi`; linear in the paper.

    Reference: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi, "Were RNNs all we needed?",
    arXiv:2410.01201 (2024), section 3.2.

    >>> kept, added = MinLSTM().coefficients(jnp.array([-200.0, -200.0, 3.0]))  # gates as good as 0
    >>> kept.tolist(), added.tolist()
    ([0.5], [1.5])
    """

    activation: Activation = _linear
    gates: ClassVar = ("i", "f", "h")

    def gate_values(self, projected: Array, *_) -> dict[str, Array]:
        """Return the gates of steps by name, ``(..., units)`` each; i and f add up to one."""
        i, f, candidate = jnp.split(projected, 3, axis=-1)
        # f / (f + i) is sigmoid(log f - log i), which is a number where both are as good as zero.
        f = jax.nn.sigmoid(jax.nn.log_sigmoid(f) - jax.nn.log_sigmoid(i))
        return {"i": 1 - f, "f": f, "h": self.activation(candidate)}

    def kept(self, gates: dict[str, Array]) -> Array:
        """Return which share of the state stays at a step."""
        return gates["f"]

    def added(self, gates: dict[str, Array]) -> Array:
        """Return what is added to it."""
        return gates["i"] * gates["h"]
