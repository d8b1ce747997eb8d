"""What processes that train together have to do alike, or agree on, lest they wait for ever.

Every process runs the same program on the same batches; one that went another way (because it had
other data, or another order, or its clock said so) would wait for what the others never do or,
worse, would compute something else that looks like a result.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import jax
import numpy as np
from jax.experimental import multihost_utils
from keras import callbacks as keras_callbacks

from statewise._runtime.processes import together
from statewise.models.training.piece import Piece
from statewise.models.training.shares import Shares

# Of each array no more bytes than this are compared.
_BYTES = 1 << 20
# Callbacks that write files; two processes would write the same ones at the same time.
_WRITERS = (
    keras_callbacks.ModelCheckpoint,
    keras_callbacks.CSVLogger,
    keras_callbacks.TensorBoard,
)


def least(count: int, shares: Shares | None) -> int:
    """Return the least of the numbers that the processes have come to, each by its own clock."""
    if shares is None or not shares.several:
        return count
    return int(_of_all(np.asarray([count], np.int32)).min())


def stops(model, shares: Shares | None) -> bool:
    """Whether training is to stop: where a callback of any process has said so, it does in all."""
    if shares is not None and shares.several:
        flags = _of_all(np.asarray([bool(model.stop_training)], np.int32))
        if flags.any() and not model.stop_training:
            model.stop_training = True
    return model.stop_training


def all_free(shares: Shares | None, free: bool, due: bool) -> bool:
    """Whether to do now what is due by the first process's clock, and none is in the way of."""
    if shares is None or not shares.several:
        return free and due
    flags = _of_all(np.asarray([free, due], np.int32))
    return bool(flags[:, 0].all() and flags[0, 1])


def alike(pieces: Iterable[Piece], shares: Shares) -> Iterator[Piece]:
    """Yield pieces, having seen that those of all processes are of the same batches and end alike.

    Raises:
        ValueError: where they differ.
    """
    if not shares.several:
        yield from pieces
        return
    pieces = iter(pieces)
    while True:
        piece = next(pieces, None)
        check_alike(shares, "the number and the shapes of the batches", partial(_marks, piece))
        if piece is None:
            return
        yield piece


def check_alike(shares: Shares, what: str, marks: Callable[[], list]) -> None:
    """Refuse to go on where a process has something else than the others.

    Args:
        shares: who they are.
        what: has to be alike, for the message.
        marks: gives what to compare: arrays, numbers, texts.

    Raises:
        ValueError: in every process, naming those that differ from process 0.
    """
    if not shares.several:
        return
    digest = hashlib.sha256()
    for mark in marks():
        digest.update(_bytes(mark))
    found = _of_all(np.frombuffer(digest.digest()[:8], np.int32))
    others = [i for i, one in enumerate(found) if not np.array_equal(one, found[0])]
    if others:
        names = ", ".join(map(str, others))
        raise ValueError(
            f"In process{'es' * (len(others) > 1)} {names} of {len(found)}, {what} differ from "
            "process 0's. Every process is given the same data, whole, and takes its own rows of "
            "each batch; it draws the same random numbers (join() sees to it; after that, draw in "
            "all processes or in none)."
        )


def for_this_process(callbacks, verbose):
    """Return the callbacks that this process is to call, and how much it is to say.

    Raises:
        ValueError: for a callback that restores what it has written itself.
    """
    given = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    if any(isinstance(callback, keras_callbacks.BackupAndRestore) for callback in given):
        raise ValueError(
            "BackupAndRestore is written for one process: several would read and delete each "
            "other's files. Give fit(..., checkpoint=folder) instead."
        )
    if jax.process_index() == 0:
        return callbacks, verbose
    given = [one for one in given if one is not None and not isinstance(one, _WRITERS)]
    return given, 0


@together
def _of_all(values: np.ndarray) -> np.ndarray:
    """Return the values of each process, in their order."""
    return np.asarray(multihost_utils.process_allgather(values)).reshape(-1, len(values))


def _marks(piece: Piece | None) -> list:
    if piece is None:
        return ["the end"]
    shapes = [(a.shape, str(a.dtype)) for a in jax.tree.leaves(piece.data)]
    return [piece.first, piece.steps, piece.batch_size, repr(shapes)]


def _bytes(mark) -> bytes:
    if not isinstance(mark, np.ndarray):
        return repr(mark).encode()
    head = f"{mark.shape}{mark.dtype}".encode()
    return head + np.ascontiguousarray(mark).reshape(-1).view(np.uint8)[:_BYTES].tobytes()
