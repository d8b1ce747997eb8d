"""Programs that push until they are killed; `test_killed.py` kills them.

``python push_until_killed.py store PATH`` forks a child for each line on its standard input, tells
its process id, and lets it push with a fake step: all keys' values grow by one from push to push.
NumPy alone is imported, so forking is quick and safe.

``python push_until_killed.py streams PATH`` pushes with a model, once.

A push is acknowledged by a line with its number, written after it returned.
"""

import os
import sys

import numpy as np

from statewise.streams.records import Column
from statewise.streams.store import StateStore

KEYS = [*(f"tank {i}" for i in range(30)), *range(30)]
UNITS = 200  # so that a push is several pages of the file
COLUMNS = [
    Column("h", "RNN:h", (UNITS,), np.dtype("float32")),
    Column("steps", "steps", (), np.dtype("int64")),
]
FEATURES = 2


def arrivals(number):
    """Return the keys of a push: another part of them each time, new ones among them."""
    rng = np.random.default_rng(number)
    return [KEYS[i] for i in np.flatnonzero(rng.random(len(KEYS)) < 0.6)]


def values(key, step):
    """Return the inputs of one step of one key, for the full stack."""
    return np.sin(np.arange(FEATURES) + step + KEYS.index(key)).astype("float32")


def pushed(counts, keys):
    """Return the columns after one more step of some keys: a fake, deterministic model."""
    steps = np.array([counts.get(key, 0) + 1 for key in keys], "int64")
    return {"h": np.repeat(steps[:, None], UNITS, axis=1).astype("float32"), "steps": steps}


def push_to_store(path):
    with StateStore(path, COLUMNS) as store:
        keys, kept = store.read()
        counts = dict(zip(keys, kept["steps"].tolist(), strict=True))
        number = counts.get("pushes", 0)
        while True:
            keys = ["pushes", *arrivals(number)]
            rows = pushed(counts, keys)
            store.write(keys, rows)
            counts |= dict(zip(keys, rows["steps"].tolist(), strict=True))
            number += 1
            os.write(1, b"%d\n" % number)


def fork_on_demand(path):
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            push_to_store(path)
        os.write(1, b"child %d\n" % child)
        os.waitpid(child, 0)
        os.write(1, b"dead\n")


def model():
    """Return the model of the full stack, the same in every process."""
    import keras

    from statewise import Sequential, layers

    keras.utils.set_random_seed(1)
    return Sequential([layers.Input((None, FEATURES)), layers.LSTM(8), layers.Dense(FEATURES)])


def push_to_streams(path):
    from statewise.streams import Streams

    with Streams(model(), store=path) as streams:
        number = max((streams.steps("pushes") if "pushes" in streams else 0), 0)
        while True:
            step = {key: streams.steps(key) if key in streams else 0 for key in arrivals(number)}
            new = {key: values(key, at) for key, at in step.items()}
            streams.push({"pushes": np.zeros(FEATURES, "float32"), **new})
            number += 1
            os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    {"store": fork_on_demand, "streams": push_to_streams}[sys.argv[1]](sys.argv[2])
