"""From a Keras cell to the arithmetic of floor 1: its equations, weights and dropout masks."""

import jax.numpy as jnp
import keras

from statewise import recurrence
from statewise.layers.scores import remembering_softmax
from statewise.recurrence import DropoutMasks, Weights
from statewise.recurrence.activations import ACTIVATIONS, old_hard_sigmoid

# Keras's own spellings of functions that floor 1 knows by JAX's name.
_FUNCTIONS = {
    getattr(keras.activations, name): function
    for name, function in ACTIVATIONS.items()
    if hasattr(keras.activations, name)
}


# So that what Keras 1 and 2 called hard_sigmoid can stand in a layer's configuration.
keras.saving.register_keras_serializable("statewise")(old_hard_sigmoid)

# Functions of their argument alone: what Keras and floor 1 offer by name. An activation of somebody
# else's making may be a layer, with weights of its own.
_BY_NAME = frozenset(
    {f for f in vars(keras.activations).values() if callable(f)}
    | {remembering_softmax, *ACTIVATIONS.values()}
)


class ByEquations:
    """A Keras cell that computes what floor 1's equations say: `equations` names them.

    To be named before a Keras layer in the bases of a class with the weights ``kernel``,
    ``recurrent_kernel`` (or none), ``bias``, and Keras's ``DropoutRNNCell`` among its ancestors.
    """

    recurrent_kernel = None

    def equations(self) -> recurrence.Cell:
        """Return the cell of `statewise.recurrence`; an equal one in every call."""
        raise NotImplementedError(f"{type(self).__name__} doesn't say its equations.")

    def further_weights(self) -> list[keras.Variable]:
        """Return the weights that the equations need beside the kernels and the bias."""
        return []

    def call(self, inputs, states, training=False):
        """Compute one step: ``(x (batch, features), state) -> (output, state)``."""
        cell, weights = self.equations(), weights_of(self)
        if training:  # drawn once for all steps of a sequence
            self.get_dropout_mask(inputs)
            self.get_recurrent_dropout_mask(states[0])
        dropout = dropout_of(self, training)
        projected = cell.project(inputs, weights, dropout.inputs)
        after = cell.step(projected, cell.state_type(*states), weights, dropout.recurrent)
        return cell.output(after), list(after)


def arithmetic_of(cell) -> recurrence.Cell | None:
    """Return the equations of a Keras cell, or None for a cell of somebody else's making.

    >>> arithmetic_of(keras.layers.GRUCell(3, reset_after=False)).reset_after
    False
    """
    # Exact types: a subclass may compute something else.
    kind = getattr(type(cell), "keras_cell", type(cell))
    if getattr(type(cell), "call", None) is not getattr(kind, "call", None):
        kind = None  # one of ours with a step of its own
    match kind:
        case keras.layers.SimpleRNNCell:
            return recurrence.SimpleRNN(function_of(cell.activation))
        case keras.layers.LSTMCell:
            return recurrence.LSTM(
                function_of(cell.activation), function_of(cell.recurrent_activation)
            )
        case keras.layers.GRUCell:
            return recurrence.GRU(
                function_of(cell.activation),
                function_of(cell.recurrent_activation),
                cell.reset_after,
            )
    if getattr(type(cell), "call", None) is ByEquations.call:
        return cell.equations()
    return None


def array_names(layer) -> list[str]:
    """Return the names of a recurrent layer's arrays: those of its cell, numbered in a stack.

    >>> from statewise import layers
    >>> array_names(layers.LSTM(2)), array_names(layers.RNN([layers.GRUCell(2)] * 2))
    (['h', 'c'], ['0.h', '1.h'])
    """
    cells = getattr(layer.cell, "cells", None)
    if cells is None:
        return _cell_names(layer.cell)
    return [f"{i}.{name}" for i, cell in enumerate(cells) for name in _cell_names(cell)]


def _cell_names(cell) -> list[str]:
    arithmetic = arithmetic_of(cell)
    if arithmetic is not None:
        return list(arithmetic.state_type._fields)
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    return [f"s{i}" for i in range(len(sizes))]


def is_pure(layer) -> bool:
    """Whether the activations of a layer or cell depend on nothing but their argument.

    >>> is_pure(keras.layers.LSTMCell(3)), is_pure(keras.layers.LSTMCell(3, keras.layers.PReLU()))
    (True, False)
    """
    activations = (getattr(layer, n, None) for n in ("activation", "recurrent_activation"))
    return all(f is None or f in _BY_NAME for f in activations)


def weights_of(cell) -> Weights:
    """Return the current values of a built cell's weights, in its compute dtype."""

    def value(variable):
        if variable is None:
            return None
        return keras.ops.convert_to_tensor(variable, cell.compute_dtype)

    further = cell.further_weights() if isinstance(cell, ByEquations) else ()
    return Weights(
        value(cell.kernel),
        value(cell.recurrent_kernel),
        value(cell.bias),
        tuple(map(value, further)),
    )


def dropout_of(cell, training: bool) -> DropoutMasks:
    """Return the masks that the cell has drawn for this call; none outside training."""
    return DropoutMasks(
        inputs=_mask(cell.get_dropout_mask, cell.dropout, training),
        recurrent=_mask(cell.get_recurrent_dropout_mask, cell.recurrent_dropout, training),
    )


def _mask(drawn, rate: float, training: bool):
    if not training or not 0 < rate < 1:
        return None
    masks = drawn(None)  # drawn before, for this call's shapes
    return jnp.stack(masks) if isinstance(masks, list) else masks


def function_of(activation):
    """Return a Keras activation as floor 1 has it.

    >>> function_of(keras.activations.tanh) is jnp.tanh
    True
    """
    if activation is None:
        activation = keras.activations.linear
    return _FUNCTIONS.get(activation, activation)
