"""Cells that floor 1 knows, one or several on top of one another, run over whole sequences."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import jax
import jax.numpy as jnp
import keras
from keras import ops, tree

from statewise import recurrence
from statewise.layers.arithmetic import arithmetic_of, dropout_of, is_pure, weights_of
from statewise.recurrence.layout import starts_backwards

# The same recurrence, compiled once for all eager calls of the same form: a loop that JAX meets
# outside of jit is otherwise compiled anew in every call.
_compiled = jax.jit(recurrence.run_call)


class Served(NamedTuple):
    """What runs a cell of a layer.

    Attributes:
        layer: the layer.
        cell: its cell, or None for a layer that floor 1 knows nothing of.
        backend: the name of the backend.
        reasons: why the backends asked before it don't serve, each as part of a sentence.
    """

    layer: keras.Layer
    cell: keras.Layer | None
    backend: str
    reasons: dict[str, str]


_served: ContextVar[list[Served] | None] = ContextVar("served", default=None)


@contextmanager
def noting_what_serves() -> Iterator[list[Served]]:
    """Within this context the returned list gets what serves each cell that is run or traced."""
    noted: list[Served] = []
    token = _served.set(noted)
    try:
        yield noted
    finally:
        _served.reset(token)


def note_a_loop(layer) -> None:
    """Note that a layer runs its cell, which floor 1 doesn't know, step by step."""
    if (noted := _served.get()) is not None:
        reason = f"{type(layer.cell).__name__} is a cell of somebody else's making"
        noted.append(Served(layer, None, "loop", {"cpu": reason}))


def known_cells(cell) -> list[tuple[keras.Layer, recurrence.Cell]] | None:
    """Return a cell, or those of a stack from the lowest on, each with its arithmetic.

    Returns:
        None where floor 1 doesn't know one of them.

    >>> [type(a).__name__ for _, a in known_cells(keras.layers.GRUCell(3))]
    ['GRU']
    """
    # A subclass may call its cells in another way.
    cells = cell.cells if type(cell) is keras.layers.StackedRNNCells else [cell]
    found = []
    for one in cells:
        arithmetic = arithmetic_of(one)
        if arithmetic is None:
            return None
        found.append((one, arithmetic))
    return found


def run_cells(layer, cells, sequences, initial_state, mask, resets, training):
    """Run the cells of a recurrent layer over sequences, one cell after the other.

    All steps of one cell before the first of the next: what a step of the next needs of this one
    is its output. At steps that are passed over no cell's state changes, whatever comes in.

    Args:
        layer: the layer, of which the options are read.
        cells: what `known_cells` gives.
        sequences: ``(batch, time, features)``.
        initial_state: in the layer's structure.
        mask: bool ``(batch, time)`` or None.
        resets: likewise.
        training: whether dropout is active.

    Returns:
        The last output, all outputs or None, and the state in the layer's structure.
    """
    backwards, last = bool(layer.go_backwards), len(cells) - 1
    begin = tree.flatten(initial_state)
    x, end = sequences, []
    for number, (cell, arithmetic) in enumerate(cells):
        count = len(arithmetic.state_type._fields)
        state, begin = arithmetic.state_type(*begin[:count]), begin[count:]
        eager = is_pure(cell) and not isinstance(x, jax.core.Tracer)
        run = _compiled if eager else recurrence.run_call
        call = recurrence.Call(
            arithmetic,
            ops.cast(x, cell.compute_dtype),
            state,
            weights_of(cell),
            mask=mask,
            resets=resets,
            dropout=dropout_of(cell, training),
            go_backwards=backwards,
            zero_output_for_mask=bool(layer.zero_output_for_mask) and number == last,
            all_outputs=bool(layer.return_sequences) or number < last,
            unroll=bool(layer.unroll),
        )
        if (noted := _served.get()) is not None:
            noted.append(Served(layer, cell, *recurrence.served_by(call)))
        result = run(call)
        x = result.outputs
        end += result.state
        if backwards:  # what comes out is in the order of processing
            backwards = False
            mask = None if mask is None else jnp.flip(jnp.asarray(mask), axis=1)
            if resets is not None:
                resets = jnp.flip(starts_backwards(resets), axis=1)
    return result.last, x, tree.pack_sequence_as(initial_state, end)
