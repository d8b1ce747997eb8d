r"""The equations of an LSTM whose output is projected to fewer values: `ProjectedLSTM`."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from statewise._renamed import renamed_arguments
from statewise.recurrence.cells import Activation, _Gated, _masked_product
from statewise.recurrence.layout import LSTMState, Weights


@dataclass(frozen=True)
class ProjectedLSTM(_Gated):
    r"""Long short-term memory of which a product of the output is what is carried and put out.

    .. math::
        i_t &= \sigma(x_t W_i + h_{t-1} U_i + b_i) \\
        f_t &= \sigma(x_t W_f + h_{t-1} U_f + b_f) \\
        \tilde c_t &= \phi(x_t W_c + h_{t-1} U_c + b_c) \\
        o_t &= \sigma(x_t W_o + h_{t-1} U_o + b_o) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot \tilde c_t \\
        h_t &= (o_t \odot \phi(c_t)) P

    ``h`` has as many values as the projection, ``c`` as many as there are units: the recurrent
    kernel is ``(projection, 4 * units)``, and `Weights.further` holds :math:`P`,
    ``(units, projection)``. PyTorch's ``nn.LSTM(..., proj_size=projection)``.

    Args:
        projection: how many values come out of a step.
        activation: :math:`\phi`.
        recurrent_activation: :math:`\sigma`.

    Reference: Sak, Senior and Beaufays, "Long short-term memory based recurrent neural network
    architectures for large vocabulary speech recognition", arXiv:1402.1128 (2014).

    >>> state = ProjectedLSTM(3).initial_state(2, 8, "float32")
    >>> state.h.shape, state.c.shape
    ((2, 3), (2, 8))
    """

    projection: int
    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid
    gates: ClassVar = ("i", "f", "c", "o")
    state_type: ClassVar = LSTMState

    @renamed_arguments(batch="batch_size")
    def initial_state(self, batch_size: int, units: int, dtype) -> LSTMState:
        """Return the state before the first step: zeros."""
        shapes = (batch_size, self.projection), (batch_size, units)
        return LSTMState(*(jnp.zeros(shape, dtype) for shape in shapes))

    def gate_values(
        self, projected: Array, state, weights: Weights, masks: Array | None = None
    ) -> dict[str, Array]:
        """Return the gates of one step by their names, ``(batch, units)`` each."""
        recurrent = _masked_product(state.h, weights.recurrent_kernel, masks, 4)
        i, f, candidate, o = jnp.split(projected + recurrent, 4, axis=-1)
        i, f, o = map(self.recurrent_activation, (i, f, o))
        return {"i": i, "f": f, "c": self.activation(candidate), "o": o}

    def step(self, projected: Array, state, weights: Weights, masks: Array | None = None):
        """Return the state after one step, from ``projected (batch, 4 * units)``."""
        gates = self.gate_values(projected, state, weights, masks)
        (projection,) = weights.further
        c = gates["f"] * state.c + gates["i"] * gates["c"]
        return LSTMState(h=(gates["o"] * self.activation(c)) @ projection, c=c)
