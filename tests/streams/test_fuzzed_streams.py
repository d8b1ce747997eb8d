"""A short run of the search for faults in streams; see ``scripts/fuzz_streams.py``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import statewise

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_streams.py"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_random_calls_of_streams(seed):
    source = str(Path(statewise.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, SCRIPT, "--seed", str(seed), "--rounds", "8", "--calls", "120"],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.count("120 calls") == 8
