"""How weights and states are laid out: the one place that states it.

=============  ==========  =====================  ======================  ==================
cell           gates       kernel                 recurrent kernel        bias
=============  ==========  =====================  ======================  ==================
``SimpleRNN``  h           ``(features, units)``  ``(units, units)``      ``(units,)``
``GRU``        z r h       ``(features, 3units)`` ``(units, 3units)``     ``(2, 3units)``, or
                                                                          ``(3units,)`` with
                                                                          ``reset_after=False``
``LSTM``       i f c o     ``(features, 4units)`` ``(units, 4units)``     ``(4units,)``
``MinGRU``     z h         ``(features, 2units)`` None                    ``(2units,)``
``MinLSTM``    i f h       ``(features, 3units)`` None                    ``(3units,)``
=============  ==========  =====================  ======================  ==================

The gates' blocks stand side by side along the last axis, in the order named (Keras's): LSTM input,
forget, candidate, output; GRU update, reset, candidate. ``(2, 3units)`` holds the input bias and
the recurrent bias of a GRU whose reset gate is applied after the matrix product (cuDNN's form).
``LayerNormLSTM`` and ``ProjectedLSTM`` are laid out as ``LSTM``, but that the latter's recurrent
kernel has a row for each value of its projection; what else they have is in `Weights.further`.

Arrays are batch first: inputs ``(batch, time, features)``, outputs ``(batch, time, units)``,
every array of a state ``(batch, units)``, masks and resets ``(batch, time)``.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array


class Weights(NamedTuple):
    """The weights of one recurrent layer, laid out as the module's table says.

    Attributes:
        kernel: ``(features, gates * units)``, multiplies the input of a step.
        recurrent_kernel: ``(units, gates * units)``, multiplies the previous output; None of a
            cell without a recurrent product.
        bias: as in the table, or None.
        further: other arrays of the cell, in the order that its equations name.
    """

    kernel: Array
    recurrent_kernel: Array
    bias: Array | None = None
    further: tuple[Array, ...] = ()


class SimpleRNNState(NamedTuple):
    """What a SimpleRNN carries from step to step: ``h (batch, units)``, its last output."""

    h: Array


class GRUState(NamedTuple):
    """What a GRU carries from step to step: ``h (batch, units)``, its last output."""

    h: Array


class LSTMState(NamedTuple):
    """What an LSTM carries: ``h``, its last output, and ``c``, the cell; ``(batch, units)``."""

    h: Array
    c: Array


# The state of any of the cells.
CellState = SimpleRNNState | GRUState | LSTMState


class DropoutMasks(NamedTuple):
    """Dropout masks, the same for every step of a sequence (Gal and Ghahramani, 2016).

    A mask holds 0 where a value is dropped and ``1 / (1 - rate)`` elsewhere. One mask for all
    gates has the shape ``(batch, n)``; one for each gate ``(gates, batch, n)``.

    Attributes:
        inputs: for the inputs, n = features; None drops nothing.
        recurrent: for the previous output, n = units; None drops nothing.
    """

    inputs: Array | None = None
    recurrent: Array | None = None


def starts_backwards(resets: Array) -> Array:
    """Where sequences begin for a layer that runs backwards in time.

    ``resets[b, t]`` says that a new sequence begins at step t. Running backwards, that sequence's
    neighbour is entered at step t - 1, so the flags move one step towards the start.

    Args:
        resets: bool ``(batch, time)``.

    Returns:
        bool ``(batch, time)``, in forward order of time.

    >>> starts_backwards(jnp.array([[False, False, True, False]])).tolist()
    [[False, True, False, False]]
    """
    return jnp.concatenate([resets[:, 1:], jnp.zeros_like(resets[:, :1])], axis=1)
