"""How much of an epoch to run in one call: enough to be fast, little enough to show progress."""

import time

import keras
from keras.callbacks import CallbackList, History, ModelCheckpoint, ProgbarLogger

from statewise._keras_compat import is_default
from statewise.models.training.agreement import for_this_process
from statewise.models.training.shares import current_shares

# Seconds between two looks at a running program: for a progress bar, and otherwise (so that
# Ctrl-C is heard).
SHOWN, SILENT = 0.2, 1.0
# Batches in the first call, when nothing is known of their time.
FIRST = 16


class Pace:
    """Chooses how many batches the next call runs, from how long the last ones took.

    Args:
        seconds: what is known of a batch's seconds, by batch size; it's brought up to date.
        every_batch: whether a callback wants to be called around every batch.
        shown: whether a progress bar is to be kept moving.
    """

    def __init__(self, seconds: dict[int, float], *, every_batch: bool, shown: bool):
        self._seconds = seconds
        self.every_batch = every_batch
        self._target = SHOWN if shown else SILENT

    def steps(self, batch_size: int, remaining: int) -> int:
        """Return how many of the remaining batches to run next."""
        if self.every_batch:
            return 1
        seconds = self._seconds.get(batch_size)
        if seconds is None:
            return min(remaining, FIRST)
        return max(1, min(remaining, int(self._target / seconds)))

    def epochs(self, batch_size: int, steps: int, most: int) -> int:
        """Return how many epochs of so many batches to run next, from 1 to ``most``."""
        seconds = self._seconds.get(batch_size)
        if seconds is None:
            return 1
        return max(1, min(most, int(self._target / (seconds * steps))))

    def took(self, batch_size: int, steps: int, seconds: float) -> None:
        """Learn from a call of ``steps`` batches."""
        # The first call may have compiled, and a busy machine is slow now and then: what counts is
        # the quickest so far.
        each = max(seconds / steps, 1e-9)
        self._seconds[batch_size] = min(each, self._seconds.get(batch_size, each))


class Timer:
    """Measures the seconds since it was made."""

    def __init__(self):
        self._start = time.perf_counter()

    def seconds(self) -> float:
        """Return the seconds since this timer was made."""
        return time.perf_counter() - self._start


def wants_every_batch(callbacks: CallbackList, phase: str) -> bool:
    """Whether some callback must be called around each batch of a phase: train, test or predict.

    >>> class EachBatch(keras.callbacks.Callback):
    ...     def on_train_batch_end(self, batch, logs=None): ...
    >>> wants_every_batch(CallbackList([EachBatch()]), "train")
    True
    >>> wants_every_batch(CallbackList([keras.callbacks.EarlyStopping()]), "train")
    False
    """
    names = [f"on_{phase}_batch_{when}" for when in ("begin", "end")]
    if phase == "train":
        names += ["on_batch_begin", "on_batch_end"]
    for callback in callbacks.callbacks:
        if isinstance(callback, (ProgbarLogger, History)):
            continue  # called at the end of each call
        if isinstance(callback, ModelCheckpoint) and callback.save_freq == "epoch":
            continue
        if not all(is_default(getattr(callback, name)) for name in names):
            return True
    return False


class _InTurn(CallbackList):
    """Keras's list, whose callbacks are called where they are due.

    Keras hands those of a batch to threads, so that the next batch need not wait for them. Here no
    batch waits for a callback that doesn't want each, and starting the threads takes longer than a
    prediction.
    """

    def _configure_async_dispatch(self, callbacks):
        """Leave it switched off."""


def only_history(callbacks: CallbackList) -> bool:
    """Whether the history alone wants to know of epochs, which it can be given later.

    >>> only_history(CallbackList(add_history=True))
    True
    >>> only_history(CallbackList([keras.callbacks.EarlyStopping()]))
    False
    """
    return all(type(callback) is History for callback in callbacks.callbacks)


def callback_list(model: keras.Model, callbacks, *, verbose, epochs, steps, history=False):
    """Return Keras's list of callbacks, with the default ones added; a list passes through.

    In several processes, those that write are called in the first alone.
    """
    if isinstance(callbacks, CallbackList):
        return callbacks
    shares = current_shares()
    if shares is not None and shares.several:
        callbacks, verbose = for_this_process(callbacks, verbose)
    return _InTurn(
        callbacks,
        add_history=history,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=steps,
        model=model,
    )
