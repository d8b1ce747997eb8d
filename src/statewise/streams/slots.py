"""Rows of several arrays, one row for each key: where the states of many streams live.

A change of the table is whole or not at all, whatever interrupts it: Ctrl-C, an exception that
another thread sends, want of memory. It is planned beside the table (`Change`, `InPlace`), decided
by one operation that nothing can divide, and then applied. `settle`, which everything that looks at
the table calls first, applies what was decided and drops what wasn't, as often as it takes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from statewise.streams.keys import Key

_FIRST_CAPACITY = 16


# What a handle made of its stream since the table was last looked at: the arrays of the state,
# (1, ...) each, the last output, and how many time steps have arrived in all. A plain tuple, as one
# is made with every push.
Newest = tuple[tuple[np.ndarray, ...], np.ndarray, int]


class Change:
    """Rows that are to be replaced, and keys that join or leave.

    Args:
        parts: slots and their new rows, by column.
        joining: the slots of new keys.
        leaving: the slots of keys that leave.
        free: how many free slots are left after those that join.
        undo: what takes back what belongs to this change elsewhere, if it isn't decided.

    Attributes:
        decided: empty, until something is put in: from then on the change counts.
    """

    def __init__(
        self,
        parts: Sequence[tuple[np.ndarray, Mapping[str, np.ndarray]]] = (),
        joining: Mapping[Key, int] | None = None,
        leaving: Mapping[Key, int] | None = None,
        free: int = 0,
        undo: Callable[[], None] | None = None,
    ):
        self.parts, self.undo = parts, undo
        self.joining, self.leaving, self.free = joining or {}, leaving or {}, free
        self.decided: list = []

    def apply(self, table: "SlotTable") -> None:
        """Do it; doing it again, after an interruption, changes nothing more."""
        for slots, rows in self.parts:
            for name, values in rows.items():
                table.columns[name][slots] = values
        if self.joining or self.leaving:
            table._found = None
        if self.joining:
            table._slots.update(self.joining)
            del table._free[self.free :]
        if self.leaving:
            for key in self.leaving:
                table._slots.pop(key, None)
            table._free[self.free :] = self.leaving.values()


class InPlace:
    """One step of streams whose rows are changed where they lie, by one call.

    Args:
        slots: of the streams.
        steps: how many steps they'll have.

    Attributes:
        decided: holds what the call gives, the outputs, once it has changed states and outputs.
    """

    undo = None

    def __init__(self, slots: np.ndarray, steps: np.ndarray):
        self._slots, self._steps = slots, steps
        self.decided: list[np.ndarray] = []

    def apply(self, table: "SlotTable") -> None:
        """Note the numbers of steps; doing it again changes nothing more."""
        table.columns["steps"][self._slots] = self._steps


class SlotTable:
    """Arrays with one row, a slot, for each key; they grow, and slots of removed keys serve again.

    Args:
        rows: for each column, the row ``(*shape)`` with which a key begins.
        state: the columns that hold the state, where handles keep the `newest` rows.

    Attributes:
        columns: for each column, an array ``(capacity, *shape)``; to be looked at after `settle`.
        change: what is about to be changed; None between calls.
        newest: by key, what handles made of their streams and the columns don't hold yet.

    >>> table = SlotTable({"h": np.zeros(2, "float32")})
    >>> table.put([(["north", "south"], {"h": np.ones((2, 2), "float32")})])
    >>> table.gather(table.find(["south", "east"]))["h"].tolist()  # east isn't there: as it begins
    [[1.0, 1.0], [0.0, 0.0]]
    >>> table.find_all(["south", "north"]).tolist(), table.find_all(["south", "east"])
    ([1, 0], None)
    """

    def __init__(self, rows: Mapping[str, np.ndarray], state: Sequence[str] = ()):
        self._first = {name: np.array(row) for name, row in rows.items()}
        self._state = tuple(state)
        self.columns = {
            name: np.empty((0, *row.shape), row.dtype) for name, row in self._first.items()
        }
        self.change: Change | InPlace | None = None
        self.newest: dict[Key, Newest] = {}
        self._slots: dict[Key, int] = {}
        self._free: list[int] = []
        # Keys that were last found together, and their slots, as long as nobody joins or leaves:
        # mostly the next push is of the same.
        self._found: tuple[list, np.ndarray] | None = None

    def __len__(self) -> int:
        self.settle()
        return len(self._slots)

    def __contains__(self, key: Key) -> bool:
        self.settle()
        return key in self._slots

    def __iter__(self) -> Iterator[Key]:
        self.settle()
        return iter(self._slots)

    def settle(self) -> None:
        """Make the columns as they should be: to be called before anything looks at them.

        Applies what was decided before an interruption, drops what wasn't, and takes over what
        handles made of their streams.
        """
        if self.change is not None:
            self._finish()
        if self.newest:
            self._take_over()

    def find(self, keys: Sequence[Key]) -> np.ndarray:
        """Return the slot of each key, int64 ``(keys,)``; -1 where a key isn't there."""
        self.settle()
        get = self._slots.get
        return np.fromiter((get(key, -1) for key in keys), np.int64, len(keys))

    def find_all(self, keys: Sequence[Key]) -> np.ndarray | None:
        """Return the slot of each key, int64 ``(keys,)``; None where any key isn't there.

        The array is to be read only.
        """
        self.settle()
        if self._found is not None and keys == self._found[0]:
            return self._found[1]
        try:
            slots = np.fromiter(map(self._slots.__getitem__, keys), np.int64, len(keys))
        except KeyError:
            return None
        slots.flags.writeable = False
        self._found = [*keys], slots
        return slots

    def gather(self, slots: np.ndarray, some_absent: bool = True) -> dict[str, np.ndarray]:
        """Return copies of the rows of some slots, by column; for -1 the row of the beginning.

        Args:
            slots: of the keys.
            some_absent: whether one of them may be -1.
        """
        if not some_absent:
            return {name: column[slots] for name, column in self.columns.items()}
        absent, rows = slots < 0, {}
        for name, first in self._first.items():
            rows[name] = np.empty((len(slots), *first.shape), first.dtype)
            rows[name][~absent] = self.columns[name][slots[~absent]]
            rows[name][absent] = first
        return rows

    def newest_of(self, key: Key) -> Newest:
        """Return a stream's rows, and leave it at that what handles made of others.

        Raises:
            KeyError: if the key isn't there.
        """
        newest = self.newest.get(key)
        if newest is not None:
            return newest
        if self.change is not None:
            self._finish()
        slot = self._slots[key]
        rows = {name: column[slot : slot + 1].copy() for name, column in self.columns.items()}
        state = tuple(rows[name] for name in self._state)
        return state, rows["output"][0], int(rows["steps"][0])

    def planned(self, updates: Sequence[tuple[Sequence, Mapping]]) -> Change:
        """Return a change that isn't decided yet: other rows for keys, of all columns.

        Args:
            updates: keys, each once, and their rows, by column. Keys that aren't there join.
        """
        parts = []
        for keys, rows in updates:
            slots = self.find_all(keys)
            if slots is None:
                return self._planned_with_new(updates)
            parts.append((slots, rows))
        return Change(parts)

    def strangers(self, keys: Sequence[Key]) -> list:
        """Return those keys that aren't there."""
        self.settle()
        slots = self._slots
        return [key for key in keys if key not in slots]

    def planned_removal(self, keys: Iterable[Key]) -> Change:
        """Return a change that isn't decided yet: keys leave, and their slots serve again."""
        self.settle()
        return Change(leaving={key: self._slots[key] for key in keys}, free=len(self._free))

    def put(self, updates: Sequence[tuple[Sequence, Mapping]]) -> None:
        """Replace the rows of keys, or let keys join."""
        change = self.planned(updates)
        change.decided.append(True)
        self.change = change
        self.settle()

    def _planned_with_new(self, updates: Sequence[tuple[Sequence, Mapping]]) -> Change:
        """Return a change in which some keys join."""
        new = self.strangers([key for keys, _ in updates for key in keys])
        self._reserve(len(new))
        free = len(self._free) - len(new)
        joining = dict(zip(new, reversed(self._free[free:]), strict=True))
        parts = []
        for keys, rows in updates:
            slots = self.find(keys)
            for i in np.flatnonzero(slots < 0).tolist():
                slots[i] = joining[keys[i]]
            parts.append((slots, rows))
        return Change(parts, joining, free=free)

    def _reserve(self, count: int) -> None:
        """Make room for ``count`` more keys."""
        missing = count - len(self._free)
        if missing <= 0:
            return
        old = len(self._slots) + len(self._free)
        new = max(_FIRST_CAPACITY, 2 * old, old + missing)
        grown = {}
        for name, array in self.columns.items():
            grown[name] = np.empty((new, *array.shape[1:]), array.dtype)
            grown[name][:old] = array
        free = [*range(new - 1, old - 1, -1), *self._free]
        vars(self).update(columns=grown, _free=free)  # both or, after an interruption, neither

    def _finish(self) -> None:
        change = self.change
        if change is None:
            return
        if change.decided:
            change.apply(self)
        elif change.undo is not None:
            change.undo()
        self.change = None

    def _take_over(self) -> None:
        """Bring what handles made of their streams into the columns."""
        states, outputs, steps = zip(*self.newest.values(), strict=True)
        slots = np.fromiter(map(self._slots.__getitem__, self.newest), np.int64, len(steps))
        for name, arrays in zip(self._state, zip(*states, strict=True), strict=True):
            self.columns[name][slots] = np.concatenate(arrays)
        self.columns["output"][slots] = np.stack(outputs)
        self.columns["steps"][slots] = steps
        self.newest.clear()
