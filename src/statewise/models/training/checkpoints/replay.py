"""Coming back to a place in the data: where arrays and lanes are entered, and readers replayed.

Arrays and lanes are entered at any batch. What Keras's readers read (generators, `PyDataset`,
datasets of TensorFlow and torch) begins at its beginning in a new process, so as many batches are
read and left as were trained on. A digest of the first batch and of the last tells whether they are
the same ones.
"""

import jax

from statewise._keras_compat import py_dataset_adapter
from statewise.models.training.batches import Batches
from statewise.models.training.checkpoints.container import digest_of
from statewise.models.training.checkpoints.randomness import RandomState
from statewise.models.training.checkpoints.values import same
from statewise.models.training.lane_batches import LaneBatches
from statewise.models.training.piece import Piece
from statewise.models.training.shares import SharedOut, whole
from statewise.models.training.sparse import samples_in
from statewise.models.training.window_pieces import WindowPieces


def is_read(batches: Batches | LaneBatches | WindowPieces) -> bool:
    """Whether batches come from a reader, which can't be entered anywhere."""
    return isinstance(batches, Batches) and batches.given.rows is None


def digest_of_batch(piece: Piece, number: int) -> str:
    """Return what tells a batch of a piece (its number within it) from others."""
    leaves = [whole(leaf) for leaf in jax.tree.leaves(piece.data)]
    room = samples_in(piece.data)  # there may be room for more batches than the piece has
    if isinstance(piece.data, SharedOut):
        leaves = [leaf[number] for leaf in leaves]
    elif all(leaf.shape[:1] == (room,) for leaf in leaves):
        rows = slice(number * piece.batch_size, (number + 1) * piece.batch_size)
        leaves = [leaf[rows] for leaf in leaves]
    return digest_of(*leaves)


class Witness:
    """The first and the last batch that were trained on, by their digests.

    Attributes:
        first: the digest of the first batch; None before there was one.
    """

    def __init__(self, first: str | None = None):
        self.first = first
        self._last: tuple[Piece, int] | None = None

    def saw(self, piece: Piece, stop: int, *, first: bool = True) -> None:
        """Take note of the batches of a piece up to ``stop``."""
        if first and self.first is None:
            self.first = digest_of_batch(piece, 0)
        self._last = piece, stop - 1

    @property
    def last(self) -> str | None:
        """The digest of the last batch."""
        return None if self._last is None else digest_of_batch(*self._last)


def replay_epochs(
    batches: Batches, counts: list[int], within: bool, begin: RandomState, last: RandomState
) -> tuple[Witness, RandomState]:
    """Read the batches of whole epochs that were trained on, and leave them.

    A `PyDataset` that begins anew with each epoch is only told of them; the last one's batches are
    read, to see whether they are the same.

    Args:
        batches: which haven't given any yet.
        counts: how many batches each of the epochs had.
        within: whether another epoch had begun, which is replayed afterwards.
        begin: the random state at the beginning of the training.
        last: that at the beginning of the epoch that had begun last.

    Returns:
        What was seen of them, and the random state from which on they were read.

    Raises:
        ValueError: where there are fewer than there were.
    """
    adapter, seen = py_dataset_adapter(batches.iterator), Witness()
    begin.apply()
    for number, count in enumerate(counts):
        in_end = number == len(counts) - 1 and not within
        if adapter is not None and not in_end:
            adapter.py_dataset.on_epoch_begin()
            adapter.py_dataset.on_epoch_end()
            continue
        if adapter is not None:
            last.apply()
        read = 0
        for piece in batches.epoch():
            if piece.first < count:
                seen.saw(piece, min(piece.steps, count - piece.first), first=adapter is None)
            read = piece.first + piece.steps
        if read < count:
            raise no_longer_there(number, read, count)
    if adapter is not None and within:
        last.apply()
    return seen, begin if adapter is None else last


def no_longer_there(epoch: int, read: int, count: int) -> ValueError:
    """Return the error of data that give fewer batches than were trained on."""
    return ValueError(
        f"checkpoint: the data gave {read} batches in epoch {epoch + 1}, and {count} were trained "
        "on before the checkpoint. A generator must begin where it began then, and give the same "
        "batches."
    )


def check_witness(then: dict, seen: Witness) -> None:
    """Refuse data whose batches aren't those that were trained on.

    Raises:
        ValueError: saying so.
    """
    for name, digest in (("first", seen.first), ("last", seen.last)):
        if then[name] is not None and digest is not None and then[name] != digest:
            raise ValueError(
                f"checkpoint: the {name} of the batches that were trained on is another one than "
                "before the checkpoint. A generator or PyDataset must give the same batches again "
                "when it is read from its beginning: let it draw from a generator of its own, with "
                "a seed, and by the number of the batch. To train on other data, give another "
                "folder."
            )


def settle(before: RandomState, now: RandomState) -> None:
    """Let the process draw what it would have drawn, after a reader was replayed.

    A generator that draws from the process's state has drawn again while it was replayed, and may
    have read ahead; what it left is right then, and what it didn't touch is put back.
    """
    after = RandomState.now()
    kept = (
        new if same(old, left) else left for old, left, new in zip(before, after, now, strict=True)
    )
    RandomState(*kept).apply()
