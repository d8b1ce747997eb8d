"""Pieces whose batches are shared out among devices."""

from collections.abc import Iterator

import jax
import numpy as np

from statewise.models.training.agreement import check_alike
from statewise.models.training.piece import Piece
from statewise.models.training.shares import SharedOut, Shares, whole
from statewise.models.training.sparse import is_sparse

# Batches of larger data are laid on the devices this many bytes at a time.
CHUNK_LIMIT = 1 << 28
# Of so many samples it's looked at whether all processes have the same ones.
SOME = 64


def pieces_shared_out(
    shares: Shares, arrays, order: np.ndarray, size: int, bytes_each: int = 0
) -> Iterator[Piece]:
    """Yield the pieces of an epoch: the batches of ``size`` samples, then one of the rest.

    Of each batch this process reads only the samples of its own devices.

    Args:
        shares: who has which rows.
        arrays: `Rows`, in any structure.
        order: the numbers of the samples, in the order in which they come.
        size: samples of a batch.
        bytes_each: bytes of a sample, where the data are too large to be laid all at once; else 0.
    """
    check_alike(shares, "x, y and their weights", lambda: _values_of_rows(arrays))
    check_alike(shares, "the order of the samples", lambda: [order])
    full = len(order) // size
    chunk = max(1, CHUNK_LIMIT // (bytes_each * size)) if bytes_each else full
    for first in range(0, full, chunk or 1):
        steps = min(chunk, full - first)
        rows = order[first * size : (first + steps) * size].reshape(steps, size)
        yield Piece(first, steps, size, _laid(shares, arrays, rows), None)
    if rest := len(order) - full * size:
        yield Piece(full, 1, rest, _laid(shares, arrays, order[full * size :][None]), None)


def one_shared_out(shares: Shares, step: int, batch) -> Piece:
    """Return the piece of one batch, which every process has whole.

    Raises:
        TypeError: where it's sparse.
    """
    _refuse_sparse(batch)
    size = jax.tree.leaves(batch)[0].shape[0]
    own = shares.own(size)
    arrays = jax.tree.map(lambda a: shares.lay(whole(a)[None, own], size), batch)
    return Piece(step, 1, size, SharedOut(arrays), None)


def _values_of_rows(arrays) -> list:
    """Return what tells data from other data: their shapes, and some samples of each array."""
    found: list = []
    for rows in jax.tree.leaves(arrays):
        some = np.unique(np.linspace(0, len(rows) - 1, SOME).astype(int))
        found += [len(rows), rows.by_hand(some)]
    return found


def _refuse_sparse(batch) -> None:
    """Refuse sparse arrays, of which a device can't be given some rows."""
    if any(is_sparse(leaf) for leaf in jax.tree.leaves(batch, is_leaf=is_sparse)):
        raise TypeError(
            "A sparse array can't be shared out among devices. Give a dense one, or train without "
            "a distribution (keras.distribution.set_distribution(None))."
        )


def _laid(shares: Shares, arrays, rows: np.ndarray) -> SharedOut:
    """Return the samples ``(batches, samples)`` of these numbers on the devices."""
    steps, size = rows.shape
    mine = rows[:, shares.own(size)]

    def lay(array):
        values = array.by_hand(mine.reshape(-1))
        return shares.lay(values.reshape(steps, mine.shape[1], *values.shape[1:]), size)

    return SharedOut(jax.tree.map(lay, arrays))
