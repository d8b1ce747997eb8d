"""What is kept of every key, in memory and in the store, and how the two stay the same."""

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import keras
import numpy as np

from statewise.streams.history import History
from statewise.streams.keys import plain_key
from statewise.streams.model_watch import WeightsWatch
from statewise.streams.signature import Signature, fingerprint
from statewise.streams.slots import Change, SlotTable
from statewise.streams.store import StateStore

# Keys, and their rows of all columns.
Update = tuple[list, dict[str, np.ndarray]]


class KeyedStates:
    """The rows of all keys: state, last output, number of steps, and what `learn` looks back on.

    Args:
        model: whose states they are.
        signature: of the model.
        history: what is kept for learning; in memory only.
        path: of the store, or None.

    Attributes:
        table: the rows in memory.
        store: the rows on disk, or None.

    Raises:
        ValueError, BlockingIOError, OSError: where the store can't be opened, see `StateStore`.
    """

    def __init__(
        self,
        model: keras.Model,
        signature: Signature,
        history: History,
        path: str | os.PathLike | None,
    ):
        self._model = model
        self._history = history
        self.table = SlotTable(
            {
                **signature.state,
                "output": np.full(signature.outputs, np.nan, "float32"),
                "steps": np.zeros((), "int64"),
                **history.first_rows(),
            },
            state=list(signature.state),
        )
        self.store = None if path is None else self._opened(path, signature)

    def gather(self, keys: Sequence) -> dict[str, np.ndarray]:
        """Return copies of the rows of some keys, by column; for a new key those of a beginning."""
        slots = self.table.find_all(keys)
        return self.table.gather(self.table.find(keys) if slots is None else slots, slots is None)

    def copied(self) -> tuple[list, dict[str, np.ndarray]]:
        """Return all keys, and copies of their rows, where they are in memory alone.

        Raises:
            TypeError: if there is a store, which only this process may have open.
        """
        if self.store is not None:
            raise TypeError(
                f"These streams keep their states in {self.store.path}, which one process at a "
                "time has open, so they can't be pickled or copied. Close them, and let the other "
                "process make Streams(model, store=...) of its own."
            )
        keys = list(self.table)
        return keys, self.gather(keys)

    def known(self, keys: list) -> list:
        """Return the keys; refuse those that aren't there.

        Raises:
            KeyError: naming some of them.
        """
        strangers = self.table.strangers(keys)
        if strangers:
            more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
            raise KeyError(
                f"No such key: {', '.join(map(repr, strangers[:3]))}{more}. There are "
                f"{len(self.table)} keys; join(keys) lets new ones begin."
            )
        return keys

    def fresh(self, count: int) -> dict[str, np.ndarray]:
        """Return the rows with which ``count`` keys begin."""
        return self.table.gather(np.full(count, -1))

    def replace(self, updates: Sequence[Update]) -> None:
        """Replace the rows of keys, or add keys: all of it or, after an error, nothing.

        Args:
            updates: keys and their rows, of all columns. Every key once.

        Raises:
            ValueError: if a new key can't be kept.
            OSError, RuntimeError: if the store can't be written, see `StateStore`.
        """
        self.carry_out(self.planned(updates), updates)

    def planned(self, updates: Sequence[Update], undo: Callable[[], None] | None = None) -> Change:
        """Return what `carry_out` is to do; the rows may still be filled in until then.

        Args:
            updates: see `replace`.
            undo: takes back what belongs to it elsewhere, if it comes to nothing.
        """
        change = self.table.planned(updates)
        change.undo = undo
        for key in change.joining:
            plain_key(key)
        return change

    def carry_out(self, change: Change, updates: Sequence[Update]) -> None:
        """Do what was planned, see `replace`."""
        self._decide(change, lambda store: self._write(store, updates, change.decided))

    def remove(self, keys: Iterable) -> None:
        """Remove keys that are there.

        Raises:
            OSError: if the store can't be written.
        """
        keys = list(keys)
        change = self.table.planned_removal(keys)
        done = partial(change.decided.append, True)
        self._decide(change, lambda store: store.delete(keys, then=done))

    def close(self) -> None:
        """Close the store, if there is one."""
        if self.store is not None:
            self.store.close()

    def _decide(self, change: Change, write: Callable[[StateStore], None]) -> None:
        """Decide a change, on the disk where there is a store, and apply it; or drop it."""
        table = self.table
        try:
            table.change = change
            if self.store is None:
                change.decided.append(True)
            else:
                write(self.store)
            change.apply(table)
            table.change = None
        finally:
            table.settle()

    def _write(self, store: StateStore, updates: Sequence[Update], decided: list) -> None:
        if not self._weights.are_current():
            weights = self._weights.snapshot()
            self._fingerprint = fingerprint(self._model)
            self._weights.note(weights)
        if len(updates) == 1:
            keys, values = updates[0]
        else:
            keys = [key for keys, _ in updates for key in keys]
            values = {
                column.name: np.concatenate([rows[column.name] for _, rows in updates])
                for column in store.columns
            }
        done = partial(decided.append, True)
        store.write(keys, values, weights=self._fingerprint, then=done)

    def _opened(self, path, signature) -> StateStore:
        """Open the store, and take over what it holds."""
        self._weights = WeightsWatch(self._model)
        self._fingerprint = fingerprint(self._model)
        store = StateStore(path, signature.columns(), weights=self._fingerprint)
        try:
            keys, rows = store.read()
            self.table.put([(keys, rows | self._history.anew(rows))])
            if keys and store.weights != self._fingerprint:
                warnings.warn(
                    f"The states in {store.path} were made with other weights than those of model "
                    f"{self._model.name!r}. If that wasn't meant, load the weights that were saved "
                    "with them; reset() begins all streams anew.",
                    UserWarning,
                    stacklevel=4,
                )
        except BaseException:
            store.close()
            raise
        return store
