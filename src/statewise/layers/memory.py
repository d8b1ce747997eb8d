"""What a stateful layer keeps from one call to the next, and when it may."""

import functools
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import Array

from statewise._keras_compat import (
    assign_values,
    in_stateless_scope,
    in_symbolic_scope,
    model_in_training,
)


class Memory:
    """What a stateful layer keeps from one call to the next.

    The batch size is not fixed: before anything is carried, or after a reset, the next call may
    bring any.

    Args:
        name: the layer's, for messages.
        initial: returns the arrays of the initial state for a number of samples.

    Attributes:
        variables: one Keras variable for each array of the state, or None before the first call.
        carried: whether there is something to lose: False after a reset.
    """

    def __init__(self, name: str, initial: Callable[[int], Sequence[Array]]):
        self.name = name
        self.initial = initial
        self.variables: list[keras.Variable] | None = None
        self.carried = False

    def arrays(self, batch: int) -> list[Array] | None:
        """Return the arrays for a call with ``batch`` samples; None for the initial state.

        Raises:
            ValueError: where the state of another number of samples is carried.
        """
        if self.variables is None:
            return None
        kept = self.variables[0].shape[0]
        if kept != batch and not self.carried:
            return None
        if kept != batch:
            raise ValueError(
                f"The stateful layer {self.name!r} carries the state of a batch of {kept} samples, "
                f"but {batch} came. Either call reset_states() first, if these are new sequences, "
                f"or go on with the same {kept} sequences, in the same order."
            )
        return [variable.value for variable in self.variables]

    def store(self, arrays: Iterable[Array], *, carried: bool = True) -> None:
        """Keep the arrays of a state, whatever their batch size."""
        arrays = list(arrays)
        shapes = [tuple(a.shape) for a in arrays]
        if self.variables is None or [tuple(v.shape) for v in self.variables] != shapes:
            self._create(arrays)
        else:
            assign_values(self.variables, arrays)  # the shapes are known to agree
        self.carried = carried

    @property
    def batch_size(self) -> int | None:
        """The number of samples whose state is carried, or None where nothing is."""
        return self.variables[0].shape[0] if self.carried and self.variables else None

    def snapshot(self) -> tuple[list[Array] | None, bool]:
        """Return what is kept, for `restore`."""
        arrays = None if self.variables is None else [v.value for v in self.variables]
        return arrays, self.carried

    def restore(self, snapshot: tuple[list[Array] | None, bool]) -> None:
        """Go back to what was kept when the snapshot was taken."""
        arrays, carried = snapshot
        if arrays is None:
            self.variables, self.carried = None, False
        else:
            self.store(arrays, carried=carried)

    def reset(self, rows: Sequence[int] | None = None) -> None:
        """Go back to the initial state, for all samples or for the given rows of the batch.

        Raises:
            ValueError: for a row that isn't in the batch.
        """
        if self.variables is None:
            return
        batch = self.variables[0].shape[0]
        numbers = None if rows is None else self._checked(rows, batch)
        arrays = []
        for variable, fresh in zip(self.variables, self.initial(batch), strict=True):
            if numbers is not None:
                fresh = variable.value.at[numbers].set(fresh[numbers])
            if fresh.dtype != variable.dtype:  # JAX's astype takes longer than all the rest
                fresh = fresh.astype(variable.dtype)
            arrays.append(fresh)
        assign_values(self.variables, arrays)
        if rows is None:
            self.carried = False

    def _checked(self, rows: Sequence[int], batch: int) -> np.ndarray:
        numbers = np.asarray(rows)
        if numbers.size == 0:
            return numbers.astype(int)
        if numbers.dtype.kind not in "iu" or np.any((numbers < 0) | (numbers >= batch)):
            raise ValueError(
                f"rows to reset in layer {self.name!r} came as {numbers.tolist()}; it carries a "
                f"batch of {batch} samples, so rows are whole numbers from 0 to {batch - 1}."
            )
        return numbers

    def _create(self, arrays: Sequence[Array]) -> None:
        self.variables = [
            keras.Variable(array, trainable=False, dtype=array.dtype, name="rnn_state")
            for array in arrays
        ]


def check_no_state(rows, name: str) -> None:
    """Refuse the arrays of a state where the numbers of rows to reset are expected.

    Keras before version 3 took them there, and let the layer begin at them.

    Raises:
        TypeError: naming the ways to set a state.
    """
    parts = list(rows) if isinstance(rows, (list, tuple)) else [rows]
    shapes = [np.shape(part) for part in parts]
    numbers = [part for part in parts if np.asarray(part).dtype.kind == "f"]
    if any(len(shape) > 1 for shape in shapes) or numbers:
        raise TypeError(
            f"Layer {name!r} takes the numbers of the rows to reset; what came is a state, arrays "
            f"of the shapes {shapes}. To begin at a state, give it to the model, "
            "model.set_state(state), where state is like what get_state() gives, or call the layer "
            "with initial_state=[...]."
        )


@functools.lru_cache(maxsize=256)
def zeros(shape: tuple[int, ...], dtype) -> Array:
    """Return zeros that are made once."""
    # Arrays of JAX can't be changed, so one serves every reset; making it costs more than a step.
    return jnp.zeros(shape, dtype)


def may_keep(*values) -> bool:
    """Whether a layer called with these values may keep what it computes.

    While JAX traces, or while Keras runs a layer as a pure function, values are placeholders, or
    belong to the caller; then only a `Carry` takes a state out of the call.
    """
    placeholders = (jax.core.Tracer, keras.KerasTensor)
    return not in_stateless_scope() and not any(isinstance(v, placeholders) for v in values)


def warn_if_forgotten(layer: "keras.Layer") -> None:
    """Say so if a stateful layer runs in a trainer that drops what it ends with.

    Keras's own trainer does, on JAX: it runs a model as a pure function, and keeps its variables
    only. A `Carry` takes the state out of such a call, but only this package's models have one.
    """
    if not in_stateless_scope() or in_symbolic_scope():
        return
    # Asked once for each program that's compiled.
    model = model_in_training(sys._getframe(1))
    if model is not None:
        kind = "Sequential" if isinstance(model, keras.Sequential) else "Model"
        warnings.warn(
            f"The stateful layer {layer.name!r} is in a model of Keras's own, {model.name!r}, "
            "whose fit, evaluate and predict forget its state after every batch. Make the model "
            f"with statewise.{kind}, which carries the state; its arguments are the same.",
            stacklevel=2,
        )
