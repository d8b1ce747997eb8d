"""Arrays of Zarr: the same lanes and windows as in memory, each chunk unpacked about once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import _opening, chunked, lanes, windows

zarr = pytest.importorskip("zarr", reason="zarr isn't installed")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_an_array_of_series(tmp_path_factory, seed, shuffled):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in (rng.integers(1, 14), rng.integers(2, 40), rng.integers(1, 4)))
    x = rng.normal(size=shape).astype(np.float32)
    chunks = tuple(int(rng.integers(1, n + 1)) for n in shape)
    array = zarr.create_array(tmp_path_factory.mktemp("z") / "x.zarr", shape=shape, dtype="f4",
                              chunks=chunks)  # fmt: skip
    array[:] = x
    batch, steps = int(rng.integers(1, shape[0] + 1)), int(rng.integers(1, 9))
    laid = lanes(array, lanes=batch, steps=steps, seed=5 if shuffled else None)
    found = laid.gather(np.stack([chunk.x for chunk in laid.epoch(1)]), 1)
    np.testing.assert_array_equal(np.stack(found), x[:, :-1])
    lookback = int(rng.integers(1, shape[1]))
    cut = windows(array, lookback, batch=3)
    parts = [one.x for one in cut.epoch()]
    np.testing.assert_array_equal(np.concatenate(parts), windows(x, lookback).x)


def test_a_group_and_a_mapping_of_arrays(tmp_path):
    rng = np.random.default_rng(1)
    group = zarr.create_group(tmp_path / "g.zarr")
    series = {f"k{i}": rng.normal(size=(9 + 5 * i, 2)).astype(np.float32) for i in range(6)}
    for key, values in series.items():
        array = group.create_array(key, shape=values.shape, chunks=(4, 1), dtype="f4")
        array[:] = values
    for source in (group, {key: group[key] for key in series}):
        laid = lanes(source, lanes=2, steps=4, seed=3)
        found = laid.gather(np.stack([chunk.x for chunk in laid.epoch()]), 0)
        assert found.keys() == series.keys()
        for key, values in series.items():
            np.testing.assert_array_equal(found[key], values[:-1])


def test_a_chunk_is_unpacked_once(tmp_path, monkeypatch):
    monkeypatch.setattr(_opening, "_BLOCK_BYTES", 4 * 50 * 8)  # 4 series
    x = np.random.default_rng(2).normal(size=(40, 50, 2)).astype(np.float32)
    array = zarr.create_array(tmp_path / "x.zarr", shape=x.shape, chunks=(4, 10, 2), dtype="f4")
    array[:] = x
    reads = []

    class Counted(chunked.Unpacked):
        def block(self, array, first):
            if (id(array), first) not in self._kept:
                reads.append(first)
            block = super().block(array, first)
            assert self._bytes <= max(self._memory, block.nbytes)
            return block

    monkeypatch.setattr(_opening, "Unpacked", Counted)
    for _ in lanes(array, lanes=8, steps=7, seed=1).epoch():
        pass
    assert len(reads) == len(set(reads)) == 50
    reads.clear()
    monkeypatch.setattr(chunked, "MEMORY", 3000)
    for _ in lanes(array, lanes=8, steps=7, seed=1).epoch():
        pass
    assert len(reads) > 50  # too little memory costs time, and nothing else
