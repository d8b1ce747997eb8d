"""The batches that a training is validated on: the same ones after every epoch."""

import warnings
from collections.abc import Iterator

import jax

from statewise.models.training.batches import WHOLE_LIMIT, Batches
from statewise.models.training.piece import Piece
from statewise.models.training.window_pieces import WindowPieces


class SameBatches:
    """Batches that begin anew with every epoch, so that one validation can be held to the next.

    What can be read again is read again. A generator can't, so its batches are kept, where they
    take no more than 1 GiB.

    Args:
        batches: the batches of the validation data; as many of them as `steps` says.

    Attributes:
        batches: these.
        kept: the pieces of a generator that were kept; None where they are read again.
    """

    def __init__(self, batches: Batches | WindowPieces):
        self.batches = batches
        self.kept: list[Piece] | None = [] if batches.once else None
        self._bytes = 0
        self._rest: Iterator[Piece] | None = None  # what a generator still has to give

    @property
    def num_batches(self) -> int | None:
        """Batches of a validation, or None while that isn't known."""
        return self.batches.num_batches

    @property
    def gathers(self) -> bool:
        """Whether batches that come one by one are run many at a time; see `Batches`."""
        return self.batches.gathers

    @gathers.setter
    def gathers(self, gathers: bool) -> None:
        self.batches.gathers = gathers

    def sizes(self) -> set[int]:
        """Return the different sizes of the batches, where they are known beforehand."""
        return self.batches.sizes()

    def epoch(self) -> Iterator[Piece]:
        """Yield the pieces of one validation."""
        if self.kept is None:
            self.batches.begin_again()
            yield from self.batches.epoch()
            return
        yield from self.kept
        if self._rest is None:
            self._rest = self.batches.epoch()
        for piece in self._rest:
            self._keep(piece)
            yield piece

    def _keep(self, piece: Piece) -> None:
        if self.kept is None:
            return
        self._bytes += sum(leaf.nbytes for leaf in jax.tree.leaves(piece.data))
        if self._bytes <= WHOLE_LIMIT:
            self.kept.append(piece)
            return
        self.kept = None
        warnings.warn(
            "validation_data is a generator whose batches are too large to be kept, so each "
            "validation sees other batches than the one before: don't compare them. Give arrays, a "
            "keras.utils.PyDataset or fewer validation_steps.",
            stacklevel=2,
        )
