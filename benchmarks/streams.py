"""Ten thousand live streams: what a push of all, of one in a hundred and of one takes.

    python benchmarks/streams.py [--rounds 3] [--peer-python PYTHON]

10,000 keys, 8 features, an LSTM(64). Sides, each in a process of its own, in turn:

* statewise: `Streams.push` of a mapping by key, states in memory; the same with a store on disk,
  where every push is on the disk before it returns; and `Stream.push`, one step of one stream.
* Keras on JAX: a model of batch 10,000 (1 for one stream) whose states are carried by hand, and a
  stateful one, called (which keeps the state) and by `predict_on_batch` (which loses it).
* PyTorch: an LSTM with the states of all keys in tensors, gathered and scattered by hand.

The peers are given statewise's weights and must give its outputs before the clock starts; they get
arrays and row numbers where statewise gets a mapping by key. Prints a table in Markdown: the median
of the rounds' medians, and of their 99th percentiles.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from forecast_common import head, in_process, row
from machine import machine
from streams_peers import calls

KEYS, FEATURES, UNITS, STEPS = 10_000, 8, 64, 3
TARGET = 5e-6  # seconds for one step of one stream
PUSHES = {"all": KEYS, "1 %": KEYS // 100, "one": 1, "one stream": 1}


def model():
    import statewise

    # isort: split
    import keras

    keras.utils.set_random_seed(0)
    layers = statewise.layers
    return statewise.Sequential([layers.Input((None, FEATURES)), layers.LSTM(UNITS)])


def arrivals():
    """Return three steps of all keys, and the rows of a random hundredth of them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(STEPS, KEYS, FEATURES)).astype("float32")
    return x, rng.choice(KEYS, KEYS // 100, replace=False)


def write_given(path):
    """Write what the peers are given: weights, arrivals, and the outputs they must give."""
    from statewise.streams import Streams

    network, (x, rows) = model(), arrivals()
    streams = Streams(network)
    for step in x:
        outputs = streams.push(dict(enumerate(step)))
    weights = dict(zip(("kernel", "recurrent", "bias"), network.get_weights(), strict=True))
    np.savez(path, x=x, rows=rows, outputs=np.stack(list(outputs.values())), **weights)


def measure(store, seconds):
    """Return the seconds of each push."""
    from statewise.streams import Streams

    x, rows = arrivals()
    keys = [f"tank {i}" for i in range(KEYS)]
    with Streams(model(), store=store) as streams:
        streams.join(keys)
        everything = dict(zip(keys, x[0], strict=True))
        some = {keys[i]: x[0, i] for i in rows}
        single, handle, step = {keys[0]: x[0, 0]}, streams[keys[0]], x[0, 0]
        return {
            "all": calls(lambda: streams.push(everything), seconds),
            "1 %": calls(lambda: streams.push(some), seconds),
            "one": calls(lambda: streams.push(single), seconds),
            "one stream": calls(lambda: handle.push(step), seconds),
        }


def peer(python, side, given, seconds):
    script = Path(__file__).with_name("streams_peers.py")
    command = [python, str(script), side, str(given), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def rounds(arguments, folder):
    """Measure every side in turn, round after round."""
    given, seconds = folder / "given.npz", arguments.seconds
    write_given(given)
    found = {}
    for number in range(arguments.rounds):
        sides = {
            "statewise": lambda: in_process(__file__, seconds),
            "statewise, store": lambda n=number: in_process(
                __file__, seconds, folder / f"{n}.store"
            ),
            "Keras": lambda: peer(arguments.peer_python, "Keras", given, seconds),
            "PyTorch": lambda: peer(arguments.peer_python, "PyTorch", given, seconds),
        }
        for side, run in sides.items():
            found.setdefault(side, []).append(run())
    return found


def table(found):
    """Print what was found, push by push."""
    head("push of", "side", "median", "99 % are below", "streams a second", "times PyTorch's speed")
    for push, streams in PUSHES.items():
        figures = {}
        for side, results in found.items():
            if failed := [result["error"] for result in results if "error" in result]:
                row(push, side, f"failed: {failed[0]}", "", "", "")
                continue
            for name in [name for name in results[0] if name.split(",")[0] == push]:
                figures[side + name[len(push) :]] = [
                    statistics.median(result[name][which] for result in results)
                    for which in ("median", "p99")
                ]
        torch = figures["PyTorch"][0] if "PyTorch" in figures else float("nan")
        for side, (median, p99) in figures.items():
            row(push, side, _time(median), _time(p99), round(streams / median), torch / median)
    one = figures["statewise"][0] if "statewise" in figures else float("inf")
    print(
        f"\nOne step of one stream: {1e6 * one:.2f} microseconds; to be {1e6 * TARGET:.0f} or "
        f"less: {'yes' if one <= TARGET else 'no'}."
    )


def _time(seconds):
    return f"{1e3 * seconds:.3f} ms" if seconds >= 1e-4 else f"{1e6 * seconds:.2f} us"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each push, in each round")
    parser.add_argument(
        "--peer-python", default=sys.executable, help="a Python that has Keras, JAX and PyTorch"
    )
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        seconds, *store = arguments.measure
        print(json.dumps(measure(store[0] if store else None, float(seconds))))
        return
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        table(rounds(arguments, Path(folder)))


if __name__ == "__main__":
    main()
