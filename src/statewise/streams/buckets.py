"""Buckets: into which of a fixed number of parts a key falls, the same everywhere and for ever."""

from collections.abc import Sequence

import numpy as np

from statewise.streams.checksums import KeySums
from statewise.streams.keys import Key

BUCKETS = 4096
_MOST_KEPT = 1 << 21  # sums of keys that are remembered, some 200 MB
_sums = KeySums()
_MIXED = np.uint64(0x9E3779B97F4A7C15)  # odd, near 2**64 divided by the golden ratio


def buckets_of(keys: Sequence[Key]) -> np.ndarray:
    """Return the buckets of plain keys, int64 ``(keys,)``.

    A key's checksum is multiplied by a number that spreads it, and the uppermost bits count
    (Knuth, "The art of computer programming", volume 3, section 6.4: multiplicative hashing).

    >>> buckets = buckets_of([f"tank {i}" for i in range(100_000)])
    >>> counts = np.bincount(buckets % 4)
    >>> bool((abs(counts / 25_000 - 1) < 0.05).all())
    True
    """
    if len(_sums) > _MOST_KEPT:
        _sums.clear()
    sums = np.fromiter(map(_sums.__getitem__, keys), np.uint64, len(keys))
    return ((sums * _MIXED) >> np.uint64(52)).astype(np.int64)
