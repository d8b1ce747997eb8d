"""Checksums of records are what their words say, however many are computed at once."""

import numpy as np
import pytest

from statewise.streams import checksums


def plainly(words, key, factors):
    """Return one record's checksum in Python's own whole numbers."""
    pairs = zip([key, *words.tolist()], factors.tolist(), strict=True)
    return sum(value * factor for value, factor in pairs) % 2**64


@pytest.mark.parametrize("count", [0, 1, 63, 64, 200])
def test_few_and_many_records_have_the_same_checksums(count, rng):
    sums = checksums.RecordSums(40)
    words = rng.integers(0, 2**32, (count, 12), dtype=np.uint32)[:, :10]  # a part, as in a store
    keys = rng.integers(0, 2**32, count).tolist()
    found = sums.of(words, keys)
    assert found.dtype == np.uint64
    factors = checksums._factors(11)
    assert found.tolist() == [plainly(w, k, factors) for w, k in zip(words, keys, strict=True)]
