"""What every test shares: the engine, the seeds, and the way to data that isn't in the package."""

import os
import zlib
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("STATEWISE_CACHE", "0")  # tests compile anew, whatever ran before them

import statewise  # noqa: F401  (chooses Keras's engine, so it comes before keras)

_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def rng(request):
    """A generator of its own for every test, the same one in every run."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def shared_data():
    """Return the path of a data file that isn't part of the repository, or skip the test."""

    def path(name: str) -> Path:
        if not (_DATA / name).exists():
            pytest.skip(f"{_DATA / name} is missing; it isn't part of the repository")
        return _DATA / name

    return path


def pytest_make_parametrize_id(config, val, argname):
    """Name bytes by the parameter: what packs them may write the clock among them."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Count what takes long, and what drives a browser, among the slow tests; refuse odd names.

    With names that differ from process to process pytest-xdist would run no test at all.
    """
    long = set((Path(__file__).parent / "long_tests.txt").read_text("utf-8").splitlines())
    for item in items:
        if item.nodeid in long or "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    unsteady = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if unsteady:
        raise pytest.UsageError(f"give the parameters of this test ids: {unsteady[0]}")
