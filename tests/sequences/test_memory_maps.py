"""What was read of a memory map doesn't stay resident, and what was written to it isn't lost."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from statewise.models.training.rows import Rows
from statewise.sequences import lanes, memory_maps, windows
from statewise.sequences.memory_maps import let_go

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def resident(path):
    """Return the bytes of a file's maps that are resident."""
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            ours = line.endswith(str(path))
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


@pytest.fixture
def panel(tmp_path):
    x = np.random.default_rng(0).normal(size=(6, 20_000, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    return x, tmp_path / "x.npy"


@LINUX
def test_the_pages_of_a_map_are_let_go(panel):
    x, path = panel
    mapped = np.load(path, mmap_mode="r")
    assert mapped.sum(dtype=np.float64) == pytest.approx(x.sum(dtype=np.float64))
    assert resident(path) >= x.nbytes * 0.9
    assert let_go(mapped[2])
    assert resident(path) == 0
    np.testing.assert_array_equal(mapped, x)
    assert not let_go(x)


def test_changes_that_are_in_memory_alone_stay(panel):
    _, path = panel
    copied = np.load(path, mmap_mode="c")
    copied[1, 3] = 7
    assert not let_go(copied)
    assert (copied[1, 3] == 7).all()
    written = np.load(path, mmap_mode="r+")
    written[1, 3] = 5
    assert let_go(written)
    assert (written[1, 3] == 5).all()
    del written
    assert (np.load(path)[1, 3] == 5).all()


@LINUX
@pytest.mark.parametrize("way", ["lanes", "windows", "rows"])
def test_reading_all_of_a_map_leaves_little_resident(panel, way, monkeypatch):
    x, path = panel
    limit = 1 << 18
    monkeypatch.setattr(memory_maps, "LIMIT", limit)
    mapped = np.load(path, mmap_mode="r")
    most, total = 0, 0.0
    if way == "lanes":
        laid = lanes(mapped, lanes=3, steps=50, targets=None, seed=1)
        parts = (chunk.x for chunk in laid.epoch())
    elif way == "windows":
        cut = windows(mapped, 50, horizon=0, stride=50, batch=16, seed=1)
        parts = (one.x for one in cut.epoch())
    else:
        rows = Rows(mapped.reshape(-1, 50, 4))
        order = np.random.default_rng(1).permutation(2400)
        parts = (np.asarray(rows.take(order[i : i + 16])) for i in range(0, 2400, 16))
    for number, part in enumerate(parts):
        total += float(part.sum(dtype=np.float64))
        if number % 37 == 36:  # it takes longer than reading
            most = max(most, resident(path))
    assert total == pytest.approx(x.sum(dtype=np.float64))
    assert most > 0 or way == "rows"
    assert most < x.nbytes / 2
