"""Rows of several arrays, one row for each key: where the states of many streams live."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import numpy as np

_FIRST_CAPACITY = 16


class SlotTable:
    """Arrays with one row, a slot, for each key; they grow, and slots of removed keys serve again.

    Args:
        rows: for each column, the row ``(*shape)`` with which a key begins.

    Attributes:
        columns: for each column, an array ``(capacity, *shape)``.
        generation: a number that changes whenever a key may have got another slot, or a column
            another array.

    >>> table = SlotTable({"h": np.zeros(2, "float32")})
    >>> table.add(["north", "south"]).tolist()
    [0, 1]
    >>> table.columns["h"][table.find(["south"])] = 1
    >>> table.gather(table.find(["south", "east"]))["h"].tolist()  # east isn't there: as it begins
    [[1.0, 1.0], [0.0, 0.0]]
    >>> table.find_all(["south", "north"]).tolist(), table.find_all(["south", "east"])
    ([1, 0], None)
    """

    def __init__(self, rows: Mapping[str, np.ndarray]):
        self._first = {name: np.array(row) for name, row in rows.items()}
        self.columns = {
            name: np.empty((0, *row.shape), row.dtype) for name, row in self._first.items()
        }
        self.generation = 0
        self._slots: dict[Hashable, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._slots

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._slots)

    def __getitem__(self, key: Hashable) -> int:
        return self._slots[key]

    @property
    def capacity(self) -> int:
        """How many keys there is room for."""
        return len(self._slots) + len(self._free)

    def find(self, keys: Sequence[Hashable]) -> np.ndarray:
        """Return the slot of each key, int64 ``(keys,)``; -1 where a key isn't there."""
        get = self._slots.get
        return np.fromiter((get(key, -1) for key in keys), np.int64, len(keys))

    def find_all(self, keys: Sequence[Hashable]) -> np.ndarray | None:
        """Return the slot of each key, int64 ``(keys,)``; None where any key isn't there."""
        try:
            return np.fromiter(map(self._slots.__getitem__, keys), np.int64, len(keys))
        except KeyError:
            return None

    def reserve(self, count: int) -> None:
        """Make room for ``count`` more keys."""
        missing = count - len(self._free)
        if missing <= 0:
            return
        old = self.capacity
        new = max(_FIRST_CAPACITY, 2 * old, old + missing)
        grown = {}
        for name, array in self.columns.items():
            grown[name] = np.empty((new, *array.shape[1:]), array.dtype)
            grown[name][:old] = array
        self.columns = grown
        self._free = [*range(new - 1, old - 1, -1), *self._free]
        self.generation += 1

    def add(self, keys: Sequence[Hashable]) -> np.ndarray:
        """Give each of these new keys a slot with the beginning's rows; return the slots."""
        self.reserve(len(keys))
        slots = [self._free.pop() for _ in keys]
        for name, row in self._first.items():
            self.columns[name][slots] = row
        self._slots.update(zip(keys, slots, strict=True))
        return np.array(slots, np.int64)

    def remove(self, keys: Iterable[Hashable]) -> None:
        """Remove keys; their slots serve again."""
        self._free.extend(self._slots.pop(key) for key in keys)
        self.generation += 1

    def gather(self, slots: np.ndarray, names: Iterable[str] | None = None) -> dict:
        """Return copies of the rows of some slots, by column; for -1 the row of the beginning."""
        absent = slots < 0
        none = not absent.any()
        rows = {}
        for name in self.columns if names is None else names:
            if none:
                rows[name] = self.columns[name][slots]
                continue
            rows[name] = np.empty((len(slots), *self._first[name].shape), self._first[name].dtype)
            rows[name][~absent] = self.columns[name][slots[~absent]]
            rows[name][absent] = self._first[name]
        return rows

    def scatter(self, slots: np.ndarray, rows: Mapping[str, np.ndarray]) -> None:
        """Replace the rows of some slots, in the columns that are given."""
        for name, values in rows.items():
            self.columns[name][slots] = values
