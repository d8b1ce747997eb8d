"""Checksums of what a store keeps: a bit that flips on the disk is noticed when it is read."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping

import numpy as np

from statewise.streams.keys import plain_key

BYTES = 8  # of a record's checksum
_WORD = 4  # bytes of a record that are multiplied at once
_FEW = 64  # records; so many more go through `einsum`, which begins slower and copies nothing


class KeySums(dict):
    """The checksums of plain keys, by key; what is asked for is computed once.

    >>> KeySums()["7"] == KeySums()[7]
    False
    """

    def __missing__(self, key: str | int) -> int:
        """Compute a key's checksum, and keep it; refuse a key that can't be kept."""
        plain_key(key)
        text = key.encode() if isinstance(key, str) else b"\0%d" % key
        return self.setdefault(key, zlib.crc32(text))


class RecordSums:
    """Checksums of records of one size, many at once: some ten times as quick as a CRC of each.

    A record is cut into words of 32 bits, each is multiplied with a number of its own, odd and of
    64 bits, and the products are added without what overflows. One changed word always changes the
    sum; several leave it as it is once in four billion times at most.

    Args:
        size: of a record in bytes, a multiple of eight.
    """

    def __init__(self, size: int):
        self._factors = _factors(size // _WORD + 1)

    def of(self, words: np.ndarray, keys: Iterable[int]) -> np.ndarray:
        """Return the checksums, uint64 ``(records,)``.

        Args:
            words: of the records, uint32 ``(records, size / 4)``.
            keys: the checksum of each record's key.
        """
        factors = self._factors[1:]  # the products are of 64 bits; what overflows is dropped
        if len(words) < _FEW:
            sums = np.dot(words, factors)
        else:
            sums = np.einsum("rw,w->r", words, factors, dtype=np.uint64, casting="unsafe")
        return sums + np.fromiter(keys, np.uint64, len(words)) * self._factors[0]


def padded(size: int) -> int:
    """Return the next size of which `RecordSums` takes records.

    >>> padded(7), padded(8)
    (8, 8)
    """
    return -(-size // BYTES) * BYTES


def of_texts(texts: Mapping[str, str]) -> str:
    """Return the checksum of named texts, in whatever order."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(texts):
        digest.update(f"{len(name)}:{name}{len(texts[name])}:{texts[name]}".encode())
    return digest.hexdigest()


def _factors(count: int) -> np.ndarray:
    """Return odd numbers that look random and are the same everywhere (splitmix64)."""
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) | np.uint64(1)
