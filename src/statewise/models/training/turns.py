"""When the callbacks of a batch are called: around each turn of ``steps_per_execution`` batches."""

from collections.abc import Callable

from keras.callbacks import CallbackList

from statewise.models.training.progress import wants_every_batch


class Turns:
    """Calls a phase's batch callbacks around every turn, however its batches are run.

    A turn may be run in several calls, or reach over the end of a piece (the last batch of an epoch
    may be a smaller one); the last turn of an epoch may be cut short. As in Keras a turn is told by
    the numbers of its first batch and of what would be its last.

    Args:
        begin: the callback of a batch's begin.
        end: the callback of its end.
        size: batches of a turn.

    >>> turns = Turns(lambda first: print("from", first), lambda last, logs: print("to", last), 3)
    >>> for batch in range(5):
    ...     turns.begin(batch)
    ...     _ = turns.end(batch, {})
    from 0
    to 2
    from 3
    >>> turns.finish({})
    to 5
    """

    def __init__(self, begin: Callable, end: Callable, size: int):
        self._begin, self._end, self._size = begin, end, size
        self._first: int | None = None

    def batches_left(self, batch: int) -> int:
        """Return how many batches, from this one on, the turn still takes."""
        return self._size - batch % self._size

    def begin(self, batch: int) -> None:
        """Tell that a batch is about to run, where a turn begins with it."""
        if batch % self._size == 0:
            self._first = batch
            self._begin(batch)

    def end(self, batch: int, logs) -> bool:
        """Tell that a batch has run, where a turn ends with it; return whether it does."""
        if self.batches_left(batch) > 1:
            return False
        self.finish(logs)
        return True

    def finish(self, logs) -> None:
        """Tell of the end of a turn that the data's end cut short, if there is one."""
        if self._first is not None:
            first, self._first = self._first, None
            self._end(first + self._size - 1, logs)


def turns_of(callbacks: CallbackList, phase: str, size: int) -> Turns | None:
    """Return the turns of a phase (train, test or predict); None where no callback wants them."""
    if not wants_every_batch(callbacks, phase):
        return None
    begin, end = (getattr(callbacks, f"on_{phase}_batch_{when}") for when in ("begin", "end"))
    return Turns(begin, end, size)
