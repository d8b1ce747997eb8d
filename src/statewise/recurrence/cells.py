r"""The equations of the cells: what one time step computes.

A cell is a small, hashable description of the arithmetic. ``project`` is the part of a step that
doesn't need the previous one, so it's done for all steps at once; ``step`` is the rest.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from statewise._renamed import renamed_arguments
from statewise.recurrence.activations import Activation
from statewise.recurrence.layout import CellState, GRUState, LSTMState, SimpleRNNState, Weights


class Cell(Protocol):
    """The arithmetic of a step: what a cell has to have in order to run.

    A new one needs no change elsewhere: the reference runs any object of this form. It must be
    hashable and equal to another that computes the same, since programs are compiled for it.

    Attributes:
        gates: the names of the blocks of the kernels, in their order.
        state_type: a NamedTuple of the arrays that are carried from step to step.

    A sum that forgets a tenth at each step, as one:

    >>> from typing import NamedTuple
    >>> from statewise.recurrence import scan
    >>> class Level(NamedTuple):
    ...     h: Array
    >>> class Leaky:
    ...     gates, state_type = ("h",), Level
    ...
    ...     def initial_state(self, batch_size, units, dtype):
    ...         return Level(jnp.zeros((batch_size, units), dtype))
    ...
    ...     def project(self, x, weights, masks=None):
    ...         return x @ weights.kernel
    ...
    ...     def step(self, projected, state, weights, masks=None):
    ...         return Level(0.9 * state.h + projected)
    ...
    ...     def output(self, state):
    ...         return state.h
    >>> cell, one = Leaky(), jnp.ones((1, 1))
    >>> zeros = cell.initial_state(1, 1, "float32")
    >>> result = scan(cell, jnp.ones((1, 2, 1)), zeros, Weights(one, one))
    >>> print(result.outputs.ravel())
    [1.  1.9]
    """

    @property
    def gates(self) -> tuple[str, ...]:
        """The names of the blocks of the kernels."""

    @property
    def state_type(self) -> Any:
        """The NamedTuple of what is carried."""

    def initial_state(self, batch_size: int, units: int, dtype) -> CellState:
        """Return the state before the first step, ``(batch, ...)`` each."""

    def project(self, x: Array, weights: Weights, masks: Array | None = None) -> Array:
        """Return what of a step doesn't need the one before, for ``x (..., batch, features)``."""

    def step(self, projected: Array, state, weights: Weights, masks: Array | None = None):
        """Return the state after a step, from what `project` gave for it."""

    def output(self, state) -> Array:
        """Return what the layer puts out after a step, ``(batch, n)``."""


class _Gated:
    """What the cells here have in common: zero states, and the product of the inputs."""

    gates: ClassVar[tuple[str, ...]]
    state_type: ClassVar[Any]

    @renamed_arguments(batch="batch_size")
    def initial_state(self, batch_size: int, units: int, dtype) -> CellState:
        """Return the state before the first step: zeros, ``(batch, units)`` each."""
        shape = (batch_size, units)
        return self.state_type(*(jnp.zeros(shape, dtype) for _ in self.state_type._fields))

    def output(self, state) -> Array:
        """Return what the layer puts out: the state's ``h``."""
        return state.h

    def input_bias(self, weights: Weights) -> Array | None:
        """Return the bias that is added to the projected inputs, ``(gates * units,)``."""
        return weights.bias

    def project(self, x: Array, weights: Weights, masks: Array | None = None) -> Array:
        """Return the inputs' part of every gate, ``(..., gates * units)``.

        Args:
            x: ``(..., batch, features)``.
            weights: of the layer.
            masks: dropout masks for the inputs, one for all gates or one for each.
        """
        projected = _masked_product(x, weights.kernel, masks, len(self.gates))
        bias = self.input_bias(weights)
        return projected if bias is None else projected + bias


@dataclass(frozen=True)
class SimpleRNN(_Gated):
    r"""Elman's network.

    .. math:: h_t = \phi(x_t W + h_{t-1} U + b)

    Args:
        activation: :math:`\phi`.

    Reference: Elman, "Finding structure in time", Cognitive Science 14 (1990).

    >>> SimpleRNN(jax.nn.relu).initial_state(2, 4, "float32").h.shape
    (2, 4)
    """

    activation: Activation = jnp.tanh
    gates: ClassVar = ("h",)
    state_type: ClassVar = SimpleRNNState

    def step(self, projected: Array, state, weights: Weights, masks: Array | None = None):
        """Return the state after one step, from ``projected (batch, units)``."""
        recurrent = _masked_product(state.h, weights.recurrent_kernel, masks, 1)
        return SimpleRNNState(self.activation(projected + recurrent))


@dataclass(frozen=True)
class LSTM(_Gated):
    r"""Long short-term memory with a forget gate.

    .. math::
        i_t &= \sigma(x_t W_i + h_{t-1} U_i + b_i) \\
        f_t &= \sigma(x_t W_f + h_{t-1} U_f + b_f) \\
        \tilde c_t &= \phi(x_t W_c + h_{t-1} U_c + b_c) \\
        o_t &= \sigma(x_t W_o + h_{t-1} U_o + b_o) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot \tilde c_t \\
        h_t &= o_t \odot \phi(c_t)

    Args:
        activation: :math:`\phi`.
        recurrent_activation: :math:`\sigma`.

    References: Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9 (1997);
    Gers, Schmidhuber and Cummins, "Learning to forget", Neural Computation 12 (2000).

    >>> LSTM().gates, LSTM().initial_state(2, 4, "float32").c.shape
    (('i', 'f', 'c', 'o'), (2, 4))
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid
    gates: ClassVar = ("i", "f", "c", "o")
    state_type: ClassVar = LSTMState

    def step(self, projected: Array, state, weights: Weights, masks: Array | None = None):
        """Return the state after one step, from ``projected (batch, 4 * units)``."""
        recurrent = _masked_product(state.h, weights.recurrent_kernel, masks, 4)
        i, f, candidate, o = jnp.split(projected + recurrent, 4, axis=-1)
        i, f, o = map(self.recurrent_activation, (i, f, o))
        c = f * state.c + i * self.activation(candidate)
        return LSTMState(h=o * self.activation(c), c=c)


@dataclass(frozen=True)
class GRU(_Gated):
    r"""Gated recurrent unit.

    .. math::
        z_t &= \sigma(x_t W_z + h_{t-1} U_z + b_z) \\
        r_t &= \sigma(x_t W_r + h_{t-1} U_r + b_r) \\
        h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t

    with the reset gate after the matrix product (``reset_after=True``, Keras's default and cuDNN's
    form, with a recurrent bias :math:`b'` in every gate) or before it (the original):

    .. math::
        \tilde h_t &= \phi(x_t W_h + b_h + r_t \odot (h_{t-1} U_h + b'_h)) \\
        \tilde h_t &= \phi(x_t W_h + b_h + (r_t \odot h_{t-1}) U_h)

    Args:
        activation: :math:`\phi`.
        recurrent_activation: :math:`\sigma`.
        reset_after: which of the two forms.

    Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder",
    EMNLP 2014 (version 3 on arXiv for the original form, version 1 for ``reset_after``).

    >>> GRU(reset_after=False).gates
    ('z', 'r', 'h')
    """

    activation: Activation = jnp.tanh
    recurrent_activation: Activation = jax.nn.sigmoid
    reset_after: bool = True
    gates: ClassVar = ("z", "r", "h")
    state_type: ClassVar = GRUState

    def input_bias(self, weights: Weights) -> Array | None:
        """Return the bias of the inputs' part; with ``reset_after`` the first of the two rows."""
        if weights.bias is None or not self.reset_after:
            return weights.bias
        return weights.bias[0]

    def step(self, projected: Array, state, weights: Weights, masks: Array | None = None):
        """Return the state after one step, from ``projected (batch, 3 * units)``."""
        units = state.h.shape[-1]
        xz, xr, xh = jnp.split(projected, 3, axis=-1)
        if self.reset_after:
            recurrent = _masked_product(state.h, weights.recurrent_kernel, masks, 3)
            if weights.bias is not None:
                recurrent = recurrent + weights.bias[1]
            hz, hr, hh = jnp.split(recurrent, 3, axis=-1)
            z, r = self.recurrent_activation(xz + hz), self.recurrent_activation(xr + hr)
            candidate = self.activation(xh + r * hh)
        else:
            outer, inner = jnp.split(weights.recurrent_kernel, [2 * units], axis=-1)
            outer_masks = masks if masks is None or masks.ndim == 2 else masks[:2]
            inner_mask = masks if masks is None or masks.ndim == 2 else masks[2]
            hz, hr = jnp.split(_masked_product(state.h, outer, outer_masks, 2), 2, axis=-1)
            z, r = self.recurrent_activation(xz + hz), self.recurrent_activation(xr + hr)
            candidate = self.activation(xh + _masked_product(r * state.h, inner, inner_mask, 1))
        return GRUState(z * state.h + (1 - z) * candidate)


# The cells by the names that whole jobs call them; a cell's gates are `Cell.gates`.
CELLS: dict[str, Cell] = {"lstm": LSTM(), "gru": GRU(), "rnn": SimpleRNN()}


def _masked_product(x: Array, kernel: Array, masks: Array | None, gates: int) -> Array:
    """Return ``x @ kernel``, with dropout masks of ``(batch, n)`` or ``(gates, batch, n)`` on x."""
    if masks is None:
        return x @ kernel
    if masks.ndim == 2:
        return (x * masks) @ kernel
    blocks = jnp.split(kernel, gates, axis=-1)
    return jnp.concatenate([(x * m) @ block for m, block in zip(masks, blocks, strict=True)], -1)
