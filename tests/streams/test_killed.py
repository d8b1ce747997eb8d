"""A process that is killed at any moment loses no acknowledged push, and halves none."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import push_until_killed
import statewise
from push_until_killed import COLUMNS, KEYS, UNITS, arrivals, model, values
from statewise.streams import StateStore, Streams

PROGRAM = push_until_killed.__file__
KILLS = 60
# A process that is killed between the two parts of a write's last page leaves a write that isn't
# whole, and was never acknowledged.
pytestmark = pytest.mark.filterwarnings("ignore:The last write in .* isn't whole:UserWarning")


def started(mode, path):
    source = str(Path(statewise.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, PROGRAM, mode, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": source},
    )


def expected_counts(pushes):
    """Return how many steps each key has after so many whole pushes."""
    counts = {"pushes": pushes} if pushes else {}
    for number in range(pushes):
        for key in arrivals(number):
            counts[key] = counts.get(key, 0) + 1
    return counts


def acknowledged(lines):
    """Return the number of the last push whose line is whole."""
    whole = [line for line in lines if line.endswith(b"\n") and line.strip().isdigit()]
    return int(whole[-1]) if whole else None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_store_survives_being_killed_at_any_moment(tmp_path):
    path = tmp_path / "streams.db"
    StateStore(path, COLUMNS).close()
    rng = random.Random(0)
    done = 0
    parent = started("store", path)
    try:
        for _ in range(KILLS):
            parent.stdin.write(b"go\n")
            parent.stdin.flush()
            child = int(parent.stdout.readline().split()[1])
            # From before the file is open to the midst of some later push.
            lines = [parent.stdout.readline() for _ in range(rng.choice([0, 1, 1, 2, 3]))]
            time.sleep(rng.choice([0, rng.uniform(0, 0.002), rng.uniform(0, 0.02)]))
            os.kill(child, signal.SIGKILL)
            while (line := parent.stdout.readline()) != b"dead\n":
                assert line, "the parent died"
                lines.append(line)
            last = acknowledged(lines)
            with StateStore(path, COLUMNS) as store:
                keys, kept = store.read()
            counts = dict(zip(keys, kept["steps"].tolist(), strict=True))
            pushes = counts.get("pushes", 0)
            # What was acknowledged is there; one push more may be, that nobody heard of.
            assert pushes in ({done, done + 1} if last is None else {last, last + 1})
            assert counts == expected_counts(pushes)
            np.testing.assert_array_equal(
                kept["h"], np.repeat(kept["steps"][:, None], UNITS, axis=1).astype("float32")
            )
            done = pushes
    finally:
        parent.stdin.close()
        parent.wait(timeout=20)
        parent.stdout.close()
    assert done > KILLS / 2  # the children got somewhere


@pytest.mark.slow
def test_streams_survive_being_killed(tmp_path):
    path, rng, done = tmp_path / "streams.db", random.Random(1), 0
    for _ in range(3):
        child = started("streams", path)
        child.stdout.readline()  # JAX takes seconds to start; then it pushes
        time.sleep(rng.uniform(0, 0.3))
        child.kill()
        rest, _ = child.communicate()
        with Streams(model(), store=path) as streams:
            counts = {key: streams.steps(key) for key in streams}
            last = acknowledged(rest.splitlines(keepends=True)) or done + 1
            assert counts["pushes"] in (last, last + 1)
            assert counts == expected_counts(counts["pushes"])
            fresh = Streams(streams.model)
            for key in [key for key in KEYS if key in counts]:
                x = np.stack([values(key, step) for step in range(counts[key])])
                fresh.push({key: x})
                for name, state in fresh.state(key).items():
                    for array in state:
                        np.testing.assert_allclose(
                            streams.state(key)[name][array], state[array], atol=1e-6
                        )
            done = counts["pushes"]
