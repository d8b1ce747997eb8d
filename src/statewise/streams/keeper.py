"""What is kept of every key, in memory and in the store, and how the two stay the same."""

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import keras
import numpy as np

from statewise.streams.engines import Weights
from statewise.streams.keys import plain_key
from statewise.streams.signature import Signature, fingerprint
from statewise.streams.slots import Change, SlotTable
from statewise.streams.store import StateStore
from statewise.streams.windows import Windows


class Keeper:
    """The rows of all keys: state, last output, number of steps, and what `learn` looks back on.

    Args:
        model: whose states they are.
        signature: of the model.
        windows: what is kept for learning; in memory only.
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
        windows: Windows,
        path: str | os.PathLike | None,
    ):
        self._model = model
        self._windows = windows
        self.table = SlotTable(
            {
                **signature.state,
                "output": np.full(signature.outputs, np.nan, "float32"),
                "steps": np.zeros((), "int64"),
                **windows.first_rows(),
            },
            state=list(signature.state),
        )
        self.store = None if path is None else self._opened(path, signature)

    def gather(self, keys: Sequence) -> dict[str, np.ndarray]:
        """Return copies of the rows of some keys, by column; for a new key those of a beginning."""
        return self.table.gather(self.table.find(keys))

    def fresh(self, count: int) -> dict[str, np.ndarray]:
        """Return the rows with which ``count`` keys begin."""
        return self.table.gather(np.full(count, -1))

    def keep(self, updates: Sequence[tuple[Sequence, Mapping[str, np.ndarray]]]) -> None:
        """Replace the rows of keys, or add keys: all of it or, after an error, nothing.

        Args:
            updates: keys and their rows, of all columns. Every key once.

        Raises:
            ValueError: if a new key can't be kept.
            OSError, RuntimeError: if the store can't be written, see `StateStore`.
        """
        self.do(self.planned(updates), updates)

    def planned(self, updates, undo: Callable[[], None] | None = None) -> Change:
        """Return what `do` is to do; the rows may still be filled in until then.

        Args:
            updates: see `keep`.
            undo: takes back what belongs to it elsewhere, if it comes to nothing.
        """
        change = self.table.planned(updates)
        change.undo = undo
        for key in change.joining:
            plain_key(key)
        return change

    def do(self, change: Change, updates) -> None:
        """Do what was planned, see `keep`."""
        self._decide(change, lambda: self._write(updates, change.decided))

    def remove(self, keys: Iterable) -> None:
        """Remove keys that are there.

        Raises:
            OSError: if the store can't be written.
        """
        keys = list(keys)
        change = self.table.planned_removal(keys)
        done = partial(change.decided.append, True)
        self._decide(change, lambda: self.store.delete(keys, then=done))

    def close(self) -> None:
        """Close the store, if there is one."""
        if self.store is not None:
            self.store.close()

    def _decide(self, change: Change, write: Callable[[], None]) -> None:
        """Decide a change, on the disk where there is a store, and apply it; or drop it."""
        table = self.table
        try:
            table.change = change
            if self.store is None:
                change.decided.append(True)
            else:
                write()
            change.apply(table)
            table.change = None
        finally:
            table.settle()

    def _write(self, updates, decided: list) -> None:
        if not self._weights.are_current():
            weights = self._weights.snapshot()
            self._fingerprint = fingerprint(self._model)
            self._weights.note(weights)
        keys = [key for keys, _ in updates for key in keys]
        values = {
            column.name: np.concatenate([rows[column.name] for _, rows in updates])
            for column in self.store.columns
        }
        done = partial(decided.append, True)
        self.store.write(keys, values, weights=self._fingerprint, then=done)

    def _opened(self, path, signature) -> StateStore:
        """Open the store, and take over what it holds."""
        self._weights = Weights(self._model)
        self._fingerprint = fingerprint(self._model)
        store = StateStore(path, signature.columns(), weights=self._fingerprint)
        try:
            keys, rows = store.read()
            self.table.put([(keys, rows | self._windows.anew(rows))])
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
