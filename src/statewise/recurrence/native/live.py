"""A stack of layers stepped from Python without JAX's dispatch, for live streams."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from statewise.recurrence.activations import ACTIVATIONS, GATE_ACTIVATIONS
from statewise.recurrence.cells import Cell
from statewise.recurrence.layout import Weights
from statewise.recurrence.native.extension import extension
from statewise.recurrence.native.numbers import ACTIVATION_NUMBERS, numbers_of

if TYPE_CHECKING:
    from statewise.recurrence.native._native import LiveStep


class Dense(NamedTuple):
    """A dense layer: ``activation(x @ kernel + bias)``.

    Attributes:
        kernel: ``(inputs, units)``.
        bias: ``(units,)`` or None.
        activation: "softmax" or a name in `statewise.recurrence.activations`.
    """

    kernel: np.ndarray
    bias: np.ndarray | None = None
    activation: str = "linear"


def live_step(layers: Sequence[tuple[Cell, Weights] | Dense]) -> "LiveStep":
    """Return an object that steps a stack of layers, one time step of a batch of rows a call.

    It keeps its own copy of the weights, in float32. ``step(x, state)`` gives ``(y, state)``, new
    arrays; ``update(x, state, rows=None)`` changes the state in place and gives ``y``. A state is
    a tuple with one float32 array ``(batch, units)`` for each of ``state_units``: ``h``, and ``c``
    for an LSTM, layer by layer.

    Args:
        layers: recurrent layers as ``(cell, weights)``, with functions that the kernels know, and
            `Dense` layers.

    Returns:
        A ``LiveStep``, with the attributes ``features``, ``outputs`` and ``state_units``.

    Raises:
        RuntimeError: if the native extension isn't available.
        ValueError: if there are no layers, a cell or an activation isn't served, or the weights'
            shapes don't fit.

    >>> from statewise.recurrence import SimpleRNN
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
        if layer.activation not in ACTIVATION_NUMBERS:
            raise ValueError(
                f"activation is {layer.activation!r}; expected one of "
                f"{', '.join(ACTIVATION_NUMBERS)}."
            )
        number = ACTIVATION_NUMBERS[layer.activation]
        live.add_dense(number, _single(layer.kernel), _single(layer.bias))
        return
    cell, weights = layer
    numbers = numbers_of(cell)
    if numbers is None:
        raise ValueError(
            f"{cell} is not served natively; it must be a SimpleRNN, GRU or LSTM, its activation "
            f"one of statewise.recurrence.activations.ACTIVATIONS ({', '.join(ACTIVATIONS)}), its "
            f"recurrent activation one of {', '.join(GATE_ACTIVATIONS)}."
        )
    kernel, recurrent_kernel, bias, _ = weights
    live.add_recurrent(*numbers, *map(_single, (kernel, recurrent_kernel, bias)))


def _single(array) -> np.ndarray | None:
    return None if array is None else np.asarray(array, dtype=np.float32)
