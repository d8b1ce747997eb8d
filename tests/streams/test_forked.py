"""A forked child is told what it can't do, at once, and never touches its parent's store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import forked
import statewise

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SENTENCE = "RuntimeError: This process was forked from one in which JAX had computed something."


def told(folder, *ways):
    source = str(Path(statewise.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, forked.__file__, str(folder), *ways],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split("|", 1) for line in done.stdout.splitlines() if "|" in line)


def check(found):
    assert found["early"] == "done: (3, 5, 2)"  # forked before anything was computed
    refused = ("predict", "predict with callbacks", "call", "step", "forecast", "functional")
    for name in (*refused, "compiled push", "new streams", "opened anew"):
        assert found[name].startswith(SENTENCE), (name, found[name])
        assert "'spawn'" in found[name]
        assert "'forkserver'" in found[name]
    for name in ("fork pool", "fork pool, streams"):
        assert found[name].startswith(SENTENCE[14:])
    assert found["native push"] in ("done: 3", found["predict"])  # where the extension isn't built
    for name in ("stored push", "stored forget"):
        assert "was forked from it and has no part in it" in found[name], (name, found[name])
    assert found["stored close"] == "done: None"
    assert found["parent"] == "2|1"
    assert found["on the disk"] == "2"


@pytest.mark.slow
def test_a_forked_child_is_told(tmp_path):
    check(told(tmp_path))


@pytest.mark.slow
def test_workers_that_begin_anew(tmp_path):
    found = told(tmp_path, "spawn", "forkserver")
    check(found)
    assert found["spawn"] == found["forkserver"] == "True"
