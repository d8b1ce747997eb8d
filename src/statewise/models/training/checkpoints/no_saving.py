"""What `fit` calls on its way where no checkpoints are wanted: nothing is done."""

from collections.abc import Mapping

from statewise.models.training.piece import Piece


class NoSaving:
    """A training without checkpoints: nothing to do at any of these places."""

    def begin(self, epoch: int, epochs: int) -> tuple[int, dict]:
        """Return the epoch to begin with, and the last logs."""
        return epoch, {}

    def enter_epoch(self) -> dict | None:
        """Come to an epoch's begin; return the logs of batches that are done already, or None."""
        return None

    def done(self, piece: Piece) -> int:
        """Return how many batches of a piece are done already."""
        return 0

    def steps(self, most: int) -> int:
        """Return how many batches to run at most, of so many, before a checkpoint is due."""
        return most

    def epochs(self, most: int, steps: int) -> int:
        """Return how many epochs of so many batches to run at most in one call."""
        return most

    def trained(self, piece: Piece, start: int, stop: int, logs, *, between: bool = True) -> None:
        """Take note of trained batches of a piece; ``between`` whether a turn isn't under way."""

    def epoch_ended(self, epoch: int, logs: Mapping, steps: int = 0) -> None:
        """Take note that an epoch, or several of so many batches in all, ended before ``epoch``."""
