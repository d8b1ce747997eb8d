"""A stack of layers stepped from Python without JAX's dispatch, for live streams."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.recurrence.cells import GRU, LSTM, Cell, SimpleRNN
from statewise.recurrence.layout import Weights
from statewise.recurrence.native.extension import extension

if TYPE_CHECKING:
    from statewise.recurrence.native._native import LiveStep

_ACTIVATIONS = {"linear": 0, "tanh": 1, "sigmoid": 2, "relu": 3, "softmax": 4}


class Dense(NamedTuple):
    """A dense layer: ``activation(x @ kernel + bias)``.

    Attributes:
        kernel: ``(inputs, units)``.
        bias: ``(units,)`` or None.
        activation: "linear", "tanh", "sigmoid", "relu" or "softmax".
    """

    kernel: np.ndarray
    bias: np.ndarray | None = None
    activation: str = "linear"


def cell_number(cell: Cell) -> int | None:
    """Return the extension's number of a cell, or None where its activations aren't served."""
    if not isinstance(cell, (SimpleRNN, LSTM, GRU)) or cell.activation is not jnp.tanh:
        return None
    if isinstance(cell, SimpleRNN):
        return 0
    if cell.recurrent_activation is not jax.nn.sigmoid:
        return None
    if isinstance(cell, LSTM):
        return 1
    return 2 if cell.reset_after else 3


def live_step(layers: Sequence[tuple[Cell, Weights] | Dense]) -> "LiveStep":
    """Return an object that steps a stack of layers, one time step of a batch of rows a call.

    It keeps its own copy of the weights, in float32. ``step(x, state)`` gives ``(y, state)``, new
    arrays; ``update(x, state, rows=None)`` changes the state in place and gives ``y``. A state is
    a tuple with one float32 array ``(batch, units)`` for each of ``state_units``: ``h``, and ``c``
    for an LSTM, layer by layer.

    Args:
        layers: recurrent layers as ``(cell, weights)`` with tanh and sigmoid, and `Dense` layers.

    Returns:
        A ``LiveStep``, with the attributes ``features``, ``outputs`` and ``state_units``.

    Raises:
        RuntimeError: if the native extension isn't available.
        ValueError: if there are no layers, a cell or an activation isn't served, or the weights'
            shapes don't fit.

    >>> from statewise.recurrence.native import available
    >>> x, h = np.ones((1, 2), np.float32), np.zeros((1, 3), np.float32)
    >>> rnn = (SimpleRNN(), Weights(np.ones((2, 3), np.float32), np.eye(3, dtype=np.float32)))
    >>> if available():
    ...     live = live_step([rnn, Dense(np.ones((3, 1), np.float32))])
    ...     y, (h,) = live.step(x, (h,))
    ...     assert np.allclose(y, 3 * np.tanh(2))
    """
    live = extension().LiveStep()
    if not layers:
        raise ValueError("layers is empty; give at least one (cell, weights) or Dense.")
    for position, layer in enumerate(layers):
        try:
            _add(live, layer)
        except ValueError as error:
            raise ValueError(f"layers[{position}]: {error}") from None
    return live


def _add(live: "LiveStep", layer: tuple[Cell, Weights] | Dense) -> None:
    if isinstance(layer, Dense):
        if layer.activation not in _ACTIVATIONS:
            raise ValueError(
                f"activation is {layer.activation!r}; expected one of {', '.join(_ACTIVATIONS)}."
            )
        live.add_dense(_ACTIVATIONS[layer.activation], _single(layer.kernel), _single(layer.bias))
        return
    cell, weights = layer
    number = cell_number(cell)
    if number is None:
        raise ValueError(
            f"{cell} is not served natively; its activation must be jax.numpy.tanh and its "
            "recurrent activation jax.nn.sigmoid."
        )
    kernel, recurrent_kernel, bias, _ = weights
    live.add_recurrent(number, *map(_single, (kernel, recurrent_kernel, bias)))


def _single(array) -> np.ndarray | None:
    return None if array is None else np.asarray(array, dtype=np.float32)
