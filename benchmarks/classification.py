"""Sequences told apart: data sets that aeon ships, beside MiniRocket and LSTM-FCN.

    python benchmarks/classification.py --data FOLDER [--seeds 3] [--sets A,B] [--peer-python PY]

The data are written before, by ``PY benchmarks/classification_peers.py data FOLDER``, with a Python
that has aeon, and for LSTM-FCN sktime and TensorFlow. Each set comes with its training and its test
part; statewise's settings are its defaults, the same for all, and nothing of a test part is looked
at. Each seed runs in a process of its own, programs compiled anew. Prints a table in Markdown: mean
accuracy over the seeds, and seconds to train.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

PEERS = ("MiniRocket", "LSTM-FCN")
HERE = Path(__file__).parent


def parts(folder, name):
    """Return training sequences (time, features) and labels, and those of the test part."""
    with np.load(folder / f"{name}.npz") as file:
        given = {key: file[key] for key in file.files}
    found = []
    for part in ("train", "test"):
        ends = np.cumsum(given[f"{part}_lengths"])[:-1]
        found += [np.split(given[f"{part}_values"], ends), given[f"{part}_labels"]]
    return found


def measure(folder, name, seed):
    """Train by the defaults, and print what came out as JSON."""
    from statewise import SequenceClassifier
    from statewise.tasks.classification.calibration import calibration_error

    X, y, X_test, y_test = parts(folder, name)
    begun, used = time.perf_counter(), time.process_time()
    # All are (time, features), however few steps they have.
    classifier = SequenceClassifier(seed=seed, axes="time first").fit(X, y)
    fitted = time.perf_counter()
    chances = classifier.predict_proba(X_test)
    done = time.perf_counter()
    places = np.searchsorted(classifier.classes_, y_test)
    of_true = np.maximum(chances[np.arange(len(places)), places], 1e-12)
    result = {
        "accuracy": float((chances.argmax(1) == places).mean()),
        "seconds": fitted - begun,
        "processor": time.process_time() - used,
        "telling": done - fitted,
        "log_loss": float(-np.log(of_true).mean()),
        "calibration_error": calibration_error(chances, places),
        "temperature": classifier.temperature_,
    }
    print(json.dumps(result))


def run(command):
    """Run a measurement in a process of its own; return the JSON of its last line."""
    environment = {**os.environ, "STATEWISE_CACHE": "0"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=3600
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1][:80]}
    return json.loads(done.stdout.splitlines()[-1])


def cell(results):
    """Write the mean over seeds, or the first error."""
    errors = [one["error"] for one in results if "error" in one]
    if errors:
        return errors[0], "-"
    accuracy = 100 * np.mean([one["accuracy"] for one in results])
    return f"{accuracy:.1f}", f"{np.median([one['seconds'] for one in results]):.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3, help="run seeds 0 to N - 1")
    parser.add_argument("--sets", help="names with commas between; by default all of the folder")
    parser.add_argument("--peer-python", default=os.environ.get("PEER_PYTHON"))
    parser.add_argument("--peers", default=",".join(PEERS),
                        help="with commas between; LSTM-FCN:1 is run with one seed")  # fmt: skip
    parser.add_argument("--measure", nargs=2, metavar=("NAME", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.data, options.measure[0], int(options.measure[1]))
    names = sorted(path.stem for path in options.data.glob("*.npz"))
    if options.sets:
        names = options.sets.split(",")
    peers = [peer.partition(":") for peer in options.peers.split(",")]
    seeds = {who: int(count or options.seeds) for who, _, count in peers}
    peers = list(seeds) if options.peer_python else []
    heads = [f"{who} {what}" for who in ("statewise", *peers) for what in ("%", "s")]
    print(f"| set | cases | steps | classes | {' | '.join(heads)} | ECE % |")
    print("|---" * (len(heads) + 5) + "|")
    every = {who: [] for who in ("statewise", *peers)}
    for name in names:
        X, y, *_ = parts(options.data, name)
        lengths = [len(x) for x in X]
        steps = f"{min(lengths)}-{max(lengths)}" if min(lengths) < max(lengths) else lengths[0]
        cells, sure = [], "-"
        for who in ("statewise", *peers):
            results = []
            for seed in range(seeds.get(who, options.seeds)):
                if who == "statewise":
                    command = [sys.executable, __file__, "--data", str(options.data)]
                    command += ["--measure", name, str(seed)]
                else:
                    script = str(HERE / "classification_peers.py")
                    command = [options.peer_python, script, who, str(options.data), name, str(seed)]
                results.append(run(command))
            cells += cell(results)
            if not any("error" in one for one in results):
                every[who].append(np.mean([one["accuracy"] for one in results]))
                if who == "statewise":
                    error = np.mean([one["calibration_error"] for one in results])
                    sure = f"{100 * error:.1f}"
        print(f"| {name} | {len(X)} | {steps} | {len(set(y))} | {' | '.join(cells)} | {sure} |")
        sys.stdout.flush()
    means = [f"{who} {100 * np.mean(found):.2f}" for who, found in every.items() if found]
    print(f"\nMean accuracy, percent: {', '.join(means)}")


if __name__ == "__main__":
    main()
