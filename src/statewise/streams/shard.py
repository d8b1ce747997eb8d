"""`Shard`: some of many streams, by themselves, whose changes are each done once."""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from statewise.models.state import State
from statewise.streams.arrivals import Batch
from statewise.streams.buckets import buckets_of
from statewise.streams.keys import Key
from statewise.streams.streams import Streams
from statewise.streams.tickets import Done, Ticket, packed, unpacked

_NOTE = "last change"


class Rows(NamedTuple):
    """All that is kept of some keys, on its way from one shard to another.

    Attributes:
        keys: of the streams.
        arrays: (keys, ...) for each column, in the order of the columns: layers of another copy of
            the model may have other names.
    """

    keys: list[Key]
    arrays: list[np.ndarray]


class Shard:
    """Streams with a store of their own, for a caller whose calls may come twice.

    The caller numbers its changes. A change is done and, with a store, in the same transaction as
    the states, its number and what it gave are noted: so after a ``kill -9``, when the shard is
    opened again and the caller asks again, what was done isn't done twice, and what wasn't is.

    Args:
        model: as for `Streams`.
        store: the path of the file; None for memory alone.
        options: of `Streams`.

    Attributes:
        streams: the keys that are here.

    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(4)])
    >>> shard = Shard(model)
    >>> batch = Batch(["north"], np.ones((1, 1, 2), "float32"), np.ones(1, bool), True, True)
    >>> (first,) = shard.push(Ticket("me", 1), [batch])
    >>> (again,) = shard.push(Ticket("me", 1), [batch])  # the answer was lost, say
    >>> bool((first == again).all()), shard.streams.steps("north")
    (True, 1)
    """

    def __init__(self, model: keras.Model, store: str | os.PathLike | None = None, **options: Any):
        self.streams = Streams(model, store, **options)
        self._states, self._runner = self.streams._states, self.streams._runner
        self._last: Done | None = None
        if self._states.store is not None:
            self._states.store.keep_notes()
            note = self._states.store.notes.read(_NOTE)
            self._last = None if note is None else unpacked(note)

    def push(self, ticket: Ticket, batches: Sequence[Batch]) -> list[np.ndarray]:
        """Run the model over checked batches, and keep the states of their keys.

        Returns:
            For each batch the outputs, ``(keys, outputs)`` or ``(keys, time, outputs)``.

        Raises:
            KeyError, FloatingPointError, OSError: as `Streams.push`; then nothing has changed.
        """
        if (answer := self._answer(ticket)) is not None:
            return answer
        outputs = None
        if len(batches) == 1:
            outputs = self._runner.push_in_place(batches[0], dict.fromkeys(batches[0].keys))
        if outputs is not None:
            answer = _by_batch(batches, outputs)
            self._last = Done(ticket, answer)
            return answer
        outputs, updates = self._runner.run(batches)
        answer = _by_batch(batches, outputs)
        self._change(Done(ticket, answer), lambda: self._states.replace(updates))
        return answer

    def peek(self, batches: Sequence[Batch]) -> list[np.ndarray]:
        """Return what `push` would return, and change nothing."""
        return _by_batch(batches, self._runner.run(batches)[0])

    def join(self, ticket: Ticket, keys: list[Key]) -> None:
        """Let keys join, see `Streams.join`."""
        self._once(ticket, lambda: self.streams.join(keys))

    def forget(self, ticket: Ticket, keys: list[Key]) -> None:
        """Let keys leave, see `Streams.forget`."""
        self._once(ticket, lambda: self.streams.forget(keys))

    def reset(self, ticket: Ticket, keys: list[Key] | None) -> None:
        """Take keys back to the beginning, see `Streams.reset`."""
        self._once(ticket, lambda: self.streams.reset(keys))

    def set_state(self, ticket: Ticket, key: Key, state: State) -> None:
        """Replace a key's state, see `Streams.set_state`."""
        self._once(ticket, lambda: self.streams.set_state(key, state))

    def strangers(self, keys: list[Key]) -> list[Key]:
        """Return those of some keys that aren't here."""
        return self._states.table.strangers(keys)

    def forecast(
        self, keys: list[Key], horizon: int, feed_back: Callable | None
    ) -> list[np.ndarray]:
        """Look ahead, see `Streams.forecast`; ``(keys, horizon, outputs)``."""
        ahead = self.streams.forecast(keys, horizon, feed_back=feed_back)
        return [np.stack([ahead[key] for key in keys])]

    def state(self, key: Key) -> State:
        """Return a key's state, see `Streams.state`."""
        return self.streams.state(key)

    def keys(self) -> list[Key]:
        """Return the keys that are here."""
        return self.streams.keys()

    def steps(self, key: Key) -> int:
        """Return how many steps of a key have arrived, see `Streams.steps`."""
        return self.streams.steps(key)

    def taken_out(self, buckets: np.ndarray) -> Rows:
        """Return copies of all that is kept of the keys in some buckets; they stay here."""
        keys = self._in(np.asarray(buckets))
        rows = self._states.gather(keys) if keys else self._states.fresh(0)
        return Rows(keys, list(rows.values()))

    def put_in(self, rows: Rows, buckets: np.ndarray) -> None:
        """Keep what another shard kept of some buckets, and nothing else of these.

        Doing it again changes nothing more. What was here of these buckets before is from another
        time, when they were here; keys that have left since would be back.
        """
        self.drop(buckets)
        if rows.keys:
            names = self._states.fresh(0)
            arrays = dict(zip(names, rows.arrays, strict=True))
            self._states.replace([(rows.keys, arrays)])

    def drop(self, buckets: np.ndarray) -> None:
        """Let the keys of some buckets go; doing it again changes nothing more."""
        keys = self._in(np.asarray(buckets))
        if keys:
            self._states.remove(keys)

    def close(self) -> None:
        """Close the store."""
        self.streams.close()

    def _in(self, buckets: np.ndarray) -> list[Key]:
        """Return the keys that are in some buckets."""
        keys = self.streams.keys()
        here = np.isin(buckets_of(keys), buckets)
        return [keys[i] for i in np.flatnonzero(here)]

    def _answer(self, ticket: Ticket) -> list[np.ndarray] | None:
        """Return what a change gave that was done already; None where it's another one."""
        if self._last is None or self._last.ticket.session != ticket.session:
            return None
        if ticket.number < self._last.ticket.number:
            raise RuntimeError(
                f"Change {ticket.number} came after change {self._last.ticket.number} of the same "
                "caller, so there is no telling whether it was done: nothing was."
            )
        return self._last.answer if ticket == self._last.ticket else None

    def _once(self, ticket: Ticket, change: Callable[[], None]) -> None:
        if self._answer(ticket) is None:
            self._change(Done(ticket, []), change)

    def _change(self, done: Done, change: Callable[[], None]) -> None:
        """Make a change and note it: both, or neither."""
        store = self._states.store
        if store is None:
            change()
        else:
            with store.notes.along(_NOTE, packed(done)):
                change()
        self._last = done


def _by_batch(batches: Sequence[Batch], outputs: dict) -> list[np.ndarray]:
    return [np.stack([outputs[key] for key in batch.keys]) for batch in batches]
