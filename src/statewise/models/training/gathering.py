"""Batches that come one by one, put together: one call of a program for many of them.

A call costs more than a small network's step. So consecutive batches of one shape become one
`Piece`, with room for a fixed number of batches, so that one compiled program serves all of them.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.models.training.piece import Piece
from statewise.models.training.rows import BY_HAND_LIMIT
from statewise.models.training.sparse import is_sparse, of_jax, on_device, samples_in

# Batches of a piece at most, and their bytes.
MOST, MOST_BYTES = 128, 1 << 26
# Seconds for which batches are gathered before those that came are run; at first, when nothing is
# known of what gives them, longer.
SECONDS, FIRST_SECONDS = 0.2, 1.0


class Gathering:
    """Puts batches together, epoch after epoch.

    >>> batches = ((step, (np.full((4, 1), step),)) for step in range(5))
    >>> [(piece.first, piece.steps, piece.batch_size) for piece in Gathering().pieces(batches)]
    [(0, 5, 4)]
    >>> sizes = ((step, (np.ones((size, 1)),)) for step, size in enumerate([4, 4, 3]))
    >>> [(piece.first, piece.steps, piece.batch_size) for piece in Gathering().pieces(sizes)]
    [(0, 2, 4), (2, 1, 3)]
    """

    def __init__(self) -> None:
        self._room: dict[Any, int] = {}  # for how many batches, by their kind

    def pieces(self, batches: Iterator[tuple[int, Any]]) -> Iterator[Piece]:
        """Yield pieces of batches, which come with their numbers within the epoch.

        Where reading fails, what came before is yielded first, as if it had been run when it came.
        """
        group: list[_Batch] = []
        begun = time.monotonic()
        try:
            for step, data in batches:
                batch = _batch(step, data)
                if group and batch.kind != group[0].kind:
                    yield self._piece(group)
                    group, begun = [], time.monotonic()
                if batch.kind is None:
                    yield Piece(step, 1, samples_in(batch.data), batch.data, None)
                    continue
                group.append(batch)
                room = self._room.get(batch.kind)
                late = time.monotonic() - begun > (FIRST_SECONDS if room is None else SECONDS)
                if late or len(group) >= (room or _most(batch)):
                    yield self._piece(group)
                    group, begun = [], time.monotonic()
        except Exception:
            if group:
                yield self._piece(group)
            raise
        if group:
            yield self._piece(group)

    def _piece(self, group: list["_Batch"]) -> Piece:
        first, *_ = group
        room = self._room.setdefault(first.kind, 1 << (len(group) - 1).bit_length())
        missing = room - len(group)
        leaves = [jax.tree.leaves(batch.data) for batch in group]
        joined = [_joined(parts, missing) for parts in zip(*leaves, strict=True)]
        data = jax.tree.unflatten(jax.tree.structure(first.data), joined)
        return Piece(first.step, len(group), samples_in(first.data), data, None)


class _Batch(NamedTuple):
    """A batch, and what another must have in common with it; None where it stays alone."""

    step: int
    data: Any
    kind: Any


def _batch(step: int, data: Any) -> _Batch:
    leaves, structure = jax.tree.flatten(data, is_leaf=is_sparse)
    if all(type(leaf) is np.ndarray or isinstance(leaf, jax.Array) for leaf in leaves):
        shapes = [leaf.shape for leaf in leaves]
        if all(shapes) and len({shape[0] for shape in shapes}) == 1:
            return _Batch(step, data, (structure, *shapes, *[leaf.dtype for leaf in leaves]))
    return _Batch(step, jax.tree.map(on_device, data, is_leaf=of_jax), None)


def _most(batch: _Batch) -> int:
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(batch.data))
    most = max(1, min(MOST, MOST_BYTES // max(1, size)))
    return 1 << (most.bit_length() - 1)


def _joined(parts: tuple, missing: int) -> Any:
    """Return arrays one below the other on the device, with room for as many more."""
    if len(parts) == 1 and not missing:
        return on_device(parts[0])
    if not all(isinstance(part, np.ndarray) for part in parts):
        zeros = jnp.zeros_like(parts[0])
        return jnp.concatenate([*parts, *[zeros] * missing])
    samples = len(parts[0])
    kind = jax.dtypes.canonicalize_dtype(parts[0].dtype)
    whole = np.empty(((len(parts) + missing) * samples, *parts[0].shape[1:]), kind)
    for place, part in enumerate(parts):
        whole[place * samples : (place + 1) * samples] = part
    whole[len(parts) * samples :] = 0
    return whole if whole.nbytes <= BY_HAND_LIMIT else jax.device_put(whole)
