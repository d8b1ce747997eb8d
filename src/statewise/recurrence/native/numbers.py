"""The extension's numbers of cells and of their functions (kernels.hpp)."""

from typing import NamedTuple

from statewise.recurrence.activations import ACTIVATIONS, GATE_ACTIVATIONS
from statewise.recurrence.cells import GRU, LSTM, Cell, SimpleRNN

ACTIVATION_NUMBERS = {
    "linear": 0,
    "tanh": 1,
    "sigmoid": 2,
    "relu": 3,
    "softmax": 4,  # of dense layers only
    "hard_sigmoid": 5,
    "old_hard_sigmoid": 6,
    "hard_tanh": 7,
    "softsign": 8,
    "elu": 9,
    "selu": 10,
    "softplus": 11,
    "silu": 12,
    "gelu": 13,
}
_NAMES = {function: name for name, function in ACTIVATIONS.items()}
_SIMPLE_RNN, _LSTM, _GRU, _GRU_RESET_BEFORE = range(4)
# What the forward pass keeps for each unit and step, by the number of the cell.
_SAVED = (1, 5, 4, 3)


class Numbers(NamedTuple):
    """A cell as the extension knows it.

    Attributes:
        cell: its kind.
        activation: of the candidate and of what is put out.
        recurrent_activation: of the gates; sigmoid's where there are none.
    """

    cell: int
    activation: int
    recurrent_activation: int

    @property
    def saved(self) -> int:
        """How many values of each unit and step the forward pass keeps for the backward pass."""
        if self.cell == _SIMPLE_RNN and self.activation == ACTIVATION_NUMBERS["tanh"]:
            return 0  # its output says it
        return _SAVED[self.cell]


def numbers_of(cell: Cell) -> Numbers | None:
    """Return the numbers of a cell; None for another cell, or where a function isn't served.

    >>> import jax
    >>> numbers_of(LSTM(jax.nn.relu))
    Numbers(cell=1, activation=3, recurrent_activation=2)
    >>> numbers_of(GRU(lambda x: 2 * x)) is None
    True
    """
    if not isinstance(cell, (SimpleRNN, LSTM, GRU)):
        return None
    if type(cell) not in (SimpleRNN, LSTM, GRU):
        return None  # a class derived from one may compute something else
    activation = _name_of(cell.activation)
    gates = "sigmoid" if isinstance(cell, SimpleRNN) else _name_of(cell.recurrent_activation)
    if activation is None or gates not in GATE_ACTIVATIONS:
        return None
    if isinstance(cell, SimpleRNN):
        kind = _SIMPLE_RNN
    elif isinstance(cell, LSTM):
        kind = _LSTM
    else:
        kind = _GRU if cell.reset_after else _GRU_RESET_BEFORE
    return Numbers(kind, ACTIVATION_NUMBERS[activation], ACTIVATION_NUMBERS[gates])


def cell_of(numbers: Numbers) -> Cell:
    """Return the cell that has these numbers.

    >>> cell_of(Numbers(cell=3, activation=1, recurrent_activation=2)) == GRU(reset_after=False)
    True
    """
    kind, *functions = numbers
    names = {number: name for name, number in ACTIVATION_NUMBERS.items()}
    activation, gates = (ACTIVATIONS[names[number]] for number in functions)
    if kind == _SIMPLE_RNN:
        return SimpleRNN(activation)
    if kind == _LSTM:
        return LSTM(activation, gates)
    return GRU(activation, gates, reset_after=kind == _GRU)


def _name_of(function) -> str | None:
    try:
        return _NAMES.get(function)
    except TypeError:  # one that isn't hashable is none of them
        return None
