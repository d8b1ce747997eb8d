"""cuDNN's LSTM, as JAX offers it: its weights, and one differentiable call.

The weights are one array. In the notation of `jax.experimental.rnn`, whose documentation is the
source of the order (and its ``lstm_ref`` the test): first :math:`W_{ih}`, then :math:`W_{hh}`, then
the biases :math:`b_{ih}` and :math:`b_{hh}`, each with the gates i f g o one below the other. That
is Keras's order of gates, g being its c; but a matrix is multiplied from its other side, so it is
transposed, and the two biases are added up, so Keras's one is the first and the second is zero.

JAX's call computes in float32 whatever the arrays are, copies the lengths to the host before it
starts, and writes zeros behind the end of a sequence.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.custom_batching import sequential_vmap
from jax.experimental import rnn

from statewise.recurrence.layout import LSTMState, Weights
from statewise.recurrence.refusing import forward_mode_refused, refusing

_FIRST_IN_REVERSE = (
    "cuDNN's LSTM has first derivatives in reverse mode (jax.grad, jax.vjp) only. For forward mode "
    "or second derivatives call statewise.recurrence.scan, which computes the same; for a whole "
    "model set the environment variable STATEWISE_GPU=reference before the process starts."
)


def flat_weights(weights: Weights) -> Array:
    """Return a layer's weights as cuDNN takes them, ``(4 * units * (features + units + 2),)``.

    >>> weights = Weights(jnp.ones((3, 8)), jnp.ones((2, 8)), jnp.arange(8.0))
    >>> flat_weights(weights).shape == (rnn.get_num_params_in_lstm(3, 2, 1, False),)
    True
    """
    bias = weights.bias
    if bias is None:
        bias = jnp.zeros(weights.kernel.shape[1:], weights.kernel.dtype)
    matrices = (weights.kernel.T.ravel(), weights.recurrent_kernel.T.ravel())
    return jnp.concatenate([*matrices, bias, jnp.zeros_like(bias)])


def lstm(x: Array, state: LSTMState, weights: Weights, lengths: Array) -> tuple[Array, LSTMState]:
    """Run an LSTM over sequences that begin at the first step and end where they end.

    Args:
        x: ``(batch, time, features)``, float32, finite behind the ends too.
        state: the state before the first step.
        weights: of the layer.
        lengths: int32 ``(batch,)``, from 1 to time.

    Returns:
        The outputs ``(batch, time, units)``, of no meaning behind the end of a sequence, and the
        state at the end of each.

    Raises:
        TypeError: if it is differentiated in forward mode or twice.
    """
    with forward_mode_refused(_FIRST_IN_REVERSE):
        outputs, h, c = _lstm(x, state.h[None], state.c[None], flat_weights(weights), lengths)
    return outputs, LSTMState(h[0], c[0])


def _sizes(x: Array, h: Array) -> dict:
    return {
        "input_size": x.shape[-1],
        "hidden_size": h.shape[-1],
        "num_layers": 1,
        "dropout": 0.0,
        "bidirectional": False,
        "precision": None,  # the one set in JAX's configuration
    }


@jax.custom_vjp
def _lstm(x, h, c, flat, lengths):
    return _forward(x, h, c, flat, lengths)[0]


def _forward(x, h, c, flat, lengths):
    return _refusing(partial(rnn.lstm_fwd, **_sizes(x, h)))(x, h, c, flat, lengths)


def _backward(kept, cotangents):
    sizes = tuple(_sizes(kept[0], kept[1]).values())

    def backward(kept, cotangents):
        return rnn.lstm_bwd(*sizes, kept, cotangents)[:4]

    return (*_refusing(backward)(kept, cotangents), None)


def _refusing(function):
    # Under `jax.vmap` one after the other: JAX's call has no rule of its own.
    return refusing(sequential_vmap(function), _FIRST_IN_REVERSE)


_lstm.defvjp(_forward, _backward)
