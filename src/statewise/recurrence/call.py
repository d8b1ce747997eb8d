"""What a recurrence is asked to compute, as one value, and what it gives."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

import jax
from jax import Array

from statewise.recurrence.cells import Cell
from statewise.recurrence.layout import CellState, DropoutMasks, Weights

NO_DROPOUT = DropoutMasks()


class Options(TypedDict, total=False):
    """What may be said of a call by name, beside its cell and arrays: see `Call`."""

    mask: Array | None
    resets: Array | None
    dropout: DropoutMasks
    go_backwards: bool
    zero_output_for_mask: bool
    all_outputs: bool
    unroll: bool


# Of a field that is part of a program's structure, not of its data.
_STATIC = {"static": True}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Call:
    """A cell run over a batch of sequences; the arrays are its leaves as a pytree.

    Attributes:
        cell: the arithmetic of a step, see `statewise.recurrence.Cell`.
        x: inputs ``(batch, time, features)``, floating point, at least one time step.
        state: the state before the first processed step, every array ``(batch, units)``.
        weights: of the layer, see `statewise.recurrence.layout`.
        mask: bool ``(batch, time)``; where False the state stays as it is and the output is the
            previous one (that of the initial state before the first), or zero. What x holds there,
            NaN too, counts neither in the results nor in a gradient.
        resets: bool ``(batch, time)``; where True a new sequence begins at that step: it starts
            from zeros, and neither values nor gradients cross from the steps before.
        dropout: masks for the inputs and for the previous output.
        go_backwards: process the last time step first.
        zero_output_for_mask: give zeros for masked steps.
        all_outputs: give the outputs of all steps.
        unroll: compile a copy of the step for each time step, where there is a loop to unroll.

    Raises:
        ValueError: if there is no time step.

    >>> import jax.numpy as jnp
    >>> from statewise.recurrence import GRU
    >>> cell, x = GRU(), jnp.ones((2, 3, 1))
    >>> weights = Weights(jnp.ones((1, 12)), jnp.ones((4, 12)))
    >>> call = Call(cell, x, cell.initial_state(2, 4, x.dtype), weights, go_backwards=True)
    >>> call.batch, call.time, call.dtypes
    (2, 3, ['float32'])
    """

    cell: Cell = field(metadata=_STATIC)
    x: Array
    state: CellState
    weights: Weights
    mask: Array | None = None
    resets: Array | None = None
    dropout: DropoutMasks = NO_DROPOUT
    go_backwards: bool = field(default=False, metadata=_STATIC)
    zero_output_for_mask: bool = field(default=False, metadata=_STATIC)
    all_outputs: bool = field(default=True, metadata=_STATIC)
    unroll: bool = field(default=False, metadata=_STATIC)

    @property
    def batch(self) -> int:
        """How many sequences there are."""
        return self.x.shape[0]

    @property
    def time(self) -> int:
        """How many time steps there are."""
        return self.x.shape[1]

    @property
    def arrays(self) -> list[Array]:
        """The inputs, the state and the weights, one after the other."""
        return jax.tree.leaves((self.x, self.state, self.weights))

    @property
    def dtypes(self) -> list[str]:
        """The names of the dtypes of `arrays`, each once, in alphabetical order."""
        return sorted({str(array.dtype) for array in self.arrays})


class Result(NamedTuple):
    """What running a cell over a sequence gives.

    Attributes:
        outputs: ``(batch, time, units)``, in the order in which the steps were processed (with
            ``go_backwards`` the last time step comes first); None where they weren't asked for.
        last: ``(batch, units)``, the output of the step processed last.
        state: the state after the step processed last, every array ``(batch, units)``.
    """

    outputs: Array | None
    last: Array
    state: CellState
