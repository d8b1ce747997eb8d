"""Batches that come one by one, put together: one call of a program for many of them.

A call costs more than a small network's step. So consecutive batches of one shape become one
`Piece`, with room for a fixed number of batches, so that one compiled program serves all of them.
"""

import time
from collections.abc import Iterator
from types import GeneratorType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise.models.training.piece import Piece
from statewise.models.training.rows import BY_HAND_LIMIT
from statewise.models.training.sparse import is_sparse, of_jax, on_device, samples_in

# Batches of a piece at most, and their bytes.
MOST, MOST_BYTES = 128, 1 << 26
# Seconds for which batches are gathered before those that came are run; at first, when nothing is
# known of what gives them, longer.
SECONDS, FIRST_SECONDS = 0.2, 1.0


def with_own_arrays(data: Any) -> Any:
    """Return a generator whose batches have arrays of their own; other data as they are.

    Keras's reader takes a look at the first batches before it gives any, and whoever yields them
    may fill the same arrays anew for each.

    >>> def batches():
    ...     same = np.zeros(1)
    ...     for same[:] in range(3):
    ...         yield same
    >>> np.concatenate(list(batches())), np.concatenate(list(with_own_arrays(batches())))
    (array([2., 2., 2.]), array([0., 1., 2.]))
    """
    if not isinstance(data, GeneratorType):
        return data

    def copied():
        for batch in data:
            yield keras.tree.map_structure(
                lambda leaf: leaf.copy() if type(leaf) is np.ndarray else leaf, batch
            )

    return copied()


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
        group: _Group | None = None
        begun = time.monotonic()
        try:
            for step, data in batches:
                batch = _batch(step, data)
                if group is not None and batch.kind != group.kind:
                    yield self._piece(group)
                    group, begun = None, time.monotonic()
                if batch.kind is None:
                    yield Piece(step, 1, samples_in(batch.data), batch.data, None)
                    continue
                room = self._room.get(batch.kind)
                if group is None:
                    group = _Group(batch, room or _most(batch))
                group.add(batch.data)
                late = time.monotonic() - begun > (FIRST_SECONDS if room is None else SECONDS)
                if late or group.count >= group.room:
                    yield self._piece(group)
                    group, begun = None, time.monotonic()
        except Exception:
            if group is not None:
                yield self._piece(group)
            raise
        if group is not None:
            yield self._piece(group)

    def _piece(self, group: "_Group") -> Piece:
        room = self._room.setdefault(group.kind, 1 << (group.count - 1).bit_length())
        return Piece(group.step, group.count, group.samples, group.joined(room), None)


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


class _Group:
    """Batches of one kind, copied one below the other as they come.

    Whoever gives them may fill the same arrays anew for the next batch.

    Args:
        first: of the batches; to be added as the others.
        room: for how many.

    Attributes:
        step: the number of the first.
        count: how many were added.
        samples: of a batch.
        kind, room: as given.
    """

    def __init__(self, first: _Batch, room: int):
        self.step, self.kind, self.room, self.count = first.step, first.kind, room, 0
        self.samples = samples_in(first.data)
        leaves, self._structure = jax.tree.flatten(first.data)
        # NumPy's arrays are copied to their place, JAX's, which nobody changes, are kept.
        self._parts: list[Any] = [
            np.empty(
                (room * self.samples, *leaf.shape[1:]), jax.dtypes.canonicalize_dtype(leaf.dtype)
            )
            if isinstance(leaf, np.ndarray)
            else []
            for leaf in leaves
        ]

    def add(self, data: Any) -> None:
        """Add a batch of the group's kind."""
        rows = slice(self.count * self.samples, (self.count + 1) * self.samples)
        for part, leaf in zip(self._parts, jax.tree.leaves(data), strict=True):
            if isinstance(part, list):
                part.append(jnp.array(leaf) if isinstance(leaf, np.ndarray) else leaf)
            else:
                part[rows] = leaf
        self.count += 1

    def joined(self, room: int) -> Any:
        """Return the batches as one, on the device, with room for so many."""
        return jax.tree.unflatten(self._structure, [self._joined(p, room) for p in self._parts])

    def _joined(self, part: Any, room: int) -> Any:
        if isinstance(part, list):
            missing = room - self.count
            if len(part) == 1 and not missing:
                return on_device(part[0])
            return jnp.concatenate([*part, *[jnp.zeros_like(part[0])] * missing])
        whole = part[: room * self.samples]
        whole[self.count * self.samples :] = 0
        return whole if whole.nbytes <= BY_HAND_LIMIT else jax.device_put(whole)
