"""What a store keeps of a key, as bytes: the values of its columns, and a checksum of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from statewise.streams import checksums

_WORD = np.dtype("<u4")


class Column(NamedTuple):
    """What is kept of every key under one name.

    Attributes:
        name: say ``"lstm.h"``.
        kind: what it belongs to, say ``"LSTM.h"``; a store fits where kinds, shapes and dtypes do,
            whatever the names.
        shape: of one key's value.
        dtype: of its elements.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: np.dtype


class Records:
    """Records of some columns: value after value, zeros up to whole words, then the checksum.

    Args:
        columns: what a record holds.

    Attributes:
        size: of a record, in bytes.
        bare_size: of its values alone, which is all that the first format of a store has.

    >>> records = Records([Column("h", "GRU:h", (3,), np.dtype("float32"))])
    >>> north, south = records.packed(["north", "south"], {"h": np.eye(2, 3, dtype="float32")})
    >>> len(north), records.unpacked([south])["h"].tolist()
    (24, [[0.0, 1.0, 0.0]])
    >>> records.wrong(["north", "south"], [north, south]).tolist()
    []
    >>> records.wrong(["north", "south"], [north, north]).tolist()  # the key counts too
    [1]
    """

    def __init__(self, columns: Sequence[Column]):
        sizes = [bytes_of(column) for column in columns]
        self.bare_size = sum(sizes)
        padded = checksums.padded(self.bare_size)
        self.size = padded + checksums.BYTES
        self._words = self.size // _WORD.itemsize
        self._fields = np.dtype(
            {
                "names": [str(i) for i in range(len(sizes))],
                "formats": [(column.dtype, column.shape) for column in columns],
                "offsets": [sum(sizes[:i]) for i in range(len(sizes))],
                "itemsize": self.size,
            }
        )
        # For each column: its name, its field's, and what an array of it must be.
        self._places = [
            (column.name, str(i), column.shape, np.dtype(column.dtype))
            for i, column in enumerate(columns)
        ]
        self._key_sums = checksums.KeySums()
        self._record_sums = checksums.RecordSums(padded)

    def packed(self, keys: list, values: Mapping[str, np.ndarray]) -> list[bytes]:
        """Return each key's values as a record.

        Args:
            keys: plain ones.
            values: for each column an array ``(keys, *shape)``.

        Raises:
            ValueError: if an array or a key doesn't fit.
        """
        count = len(keys)
        words = np.zeros((count, self._words), _WORD)
        fields = words.view(self._fields)[:, 0]
        for name, field, shape, dtype in self._places:
            array = np.asarray(values[name])
            if array.shape != (count, *shape) or array.dtype != dtype:
                raise ValueError(
                    f"{name}: expected {(count, *shape)} {dtype}, got {array.shape} {array.dtype}."
                )
            fields[field] = array
        return self._sealed(keys, words)

    def sealed(self, keys: list, bare: Sequence[bytes]) -> list[bytes]:
        """Return records of values that have no checksums yet."""
        words = np.zeros((len(keys), self._words), _WORD)
        values = np.frombuffer(b"".join(bare), np.uint8).reshape(len(keys), self.bare_size)
        words.view(np.uint8)[:, : self.bare_size] = values
        return self._sealed(keys, words)

    def wrong(self, keys: list, records: Sequence[bytes]) -> np.ndarray:
        """Return the numbers of the records that don't have their checksum."""
        words = np.frombuffer(b"".join(records), _WORD).reshape(len(keys), self._words)
        return np.flatnonzero(words.view("<u8")[:, -1] != self._sums(keys, words))

    def unpacked(self, records: Sequence[bytes]) -> dict[str, np.ndarray]:
        """Return each column's values, ``(records, *shape)``."""
        fields = np.frombuffer(b"".join(records), self._fields)
        return {name: fields[field].copy() for name, field, *_ in self._places}

    def _sealed(self, keys: list, words: np.ndarray) -> list[bytes]:
        """Put the checksums into their places; return each record's bytes."""
        words.view("<u8")[:, -1] = self._sums(keys, words)
        whole, size = words.tobytes(), self.size
        return [whole[i : i + size] for i in range(0, len(whole), size)]

    def _sums(self, keys: Iterable, words: np.ndarray) -> np.ndarray:
        """Return what the checksums should be."""
        values = words[:, : -(checksums.BYTES // _WORD.itemsize)]
        return self._record_sums.of(values, map(self._key_sums.__getitem__, keys))


def bytes_of(column: Column) -> int:
    """Return how many bytes a column has in a record."""
    return int(np.prod(column.shape, dtype=np.int64)) * np.dtype(column.dtype).itemsize
