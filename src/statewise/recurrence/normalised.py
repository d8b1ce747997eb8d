r"""The equations of an LSTM with layer normalisation: `LayerNormLSTM`."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from statewise.recurrence.cells import Activation, _Gated, _masked_product
from statewise.recurrence.layout import LSTMState, Weights


@dataclass(frozen=True)
class LayerNormLSTM(_Gated):
    r"""Long short-term memory whose two products and whose cell are normalised.

    .. math::
        (a^i_t, a^f_t, a^c_t, a^o_t) &= N_x(x_t W) + N_h(h_{t-1} U) + b \\
        c_t &= N_c(\sigma(a^f_t) \odot c_{t-1} + \sigma(a^i_t) \odot \phi(a^c_t)) \\
        h_t &= \sigma(a^o_t) \odot \phi(c_t)

    where each :math:`N` takes all the values that a row of the batch has there (those of the four
    gates together), brings their mean to 0 and their variance to 1, and has a scale and a shift of
    its own for each value:

    .. math:: N(a) = \gamma \odot \frac{a - \bar a}{\sqrt{\mathrm{var}(a) + \epsilon}} + \beta

    The cell that is carried on is the normalised one. These are the equations of TensorFlow
    Addons' ``LayerNormLSTMCell``; `Weights.further` holds the scale and the shift of
    :math:`N_x` and :math:`N_h`, ``(4 * units,)`` each, and of :math:`N_c`, ``(units,)`` each.

    Args:
        activation: :math:`\phi`.
        recurrent_activation: :math:`\sigma`.
        epsilon: :math:`\epsilon`.

    Reference: Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450 (2016).

    >>> LayerNormLSTM().gates, LayerNormLSTM().initial_state(2, 4, "float32").c.shape
    (('i', 'f', 'c', 'o'), (2, 4))
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid
    epsilon: float = 1e-3
    gates: ClassVar = ("i", "f", "c", "o")
    state_type: ClassVar = LSTMState

    def project(self, x: Array, weights: Weights, masks: Array | None = None) -> Array:
        """Return the inputs' part of every gate, normalised, ``(..., 4 * units)``."""
        scale, shift = weights.further[:2]
        projected = _masked_product(x, weights.kernel, masks, 4)
        projected = normalised(projected, scale, shift, self.epsilon)
        return projected if weights.bias is None else projected + weights.bias

    def gate_values(
        self, projected: Array, state, weights: Weights, masks: Array | None = None
    ) -> dict[str, Array]:
        """Return the gates of one step by their names, ``(batch, units)`` each."""
        scale, shift = weights.further[2:4]
        recurrent = _masked_product(state.h, weights.recurrent_kernel, masks, 4)
        recurrent = normalised(recurrent, scale, shift, self.epsilon)
        i, f, candidate, o = jnp.split(projected + recurrent, 4, axis=-1)
        i, f, o = map(self.recurrent_activation, (i, f, o))
        return {"i": i, "f": f, "c": self.activation(candidate), "o": o}

    def step(self, projected: Array, state, weights: Weights, masks: Array | None = None):
        """Return the state after one step, from ``projected (batch, 4 * units)``."""
        gates = self.gate_values(projected, state, weights, masks)
        scale, shift = weights.further[4:]
        c = gates["f"] * state.c + gates["i"] * gates["c"]
        c = normalised(c, scale, shift, self.epsilon)
        return LSTMState(h=gates["o"] * self.activation(c), c=c)


def normalised(a: Array, scale: Array, shift: Array, epsilon: float) -> Array:
    """Return the values along the last axis with mean 0 and variance 1, then scaled and shifted.

    Means and variances of 16-bit values are taken in float32.

    >>> normalised(jnp.array([1.0, 3.0]), jnp.ones(2), jnp.zeros(2), 0.0).tolist()
    [-1.0, 1.0]
    """
    wide = a.astype(jnp.promote_types(a.dtype, jnp.float32))
    centred = wide - jnp.mean(wide, axis=-1, keepdims=True)
    variance = jnp.mean(centred * centred, axis=-1, keepdims=True)
    return (centred * jax.lax.rsqrt(variance + epsilon)).astype(a.dtype) * scale + shift
