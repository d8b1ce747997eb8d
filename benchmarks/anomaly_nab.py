"""NAB's score on files of NAB: our detector and others, one setting for all files.

    python benchmarks/anomaly_nab.py [--seeds 3] [--peer-python PYTHON] [--data FOLDER]
        [--methods forecast,autoencoder,feedback]

The folder has the series of NAB (time stamp, value) and ``windows.json``, the benchmark's windows.
A detector begins with the probationary part, the first 15 % of a file (750 steps at most);
afterwards each step is scored before the next one is seen (some go on learning), and nothing tells
a detector which file it is. Faults of our detector were mended after these scores had been seen:
what that means stands in docs/anomalies.md.

Two scores stand side by side. *By its own threshold*: once in 10,000 steps for whatever scores by a
probability, for the others the highest score of the probationary part. *By the best threshold*: the
one for all files that scores highest, with the windows known, as NAB's published table takes it of
every detector. An alarm is every step that reaches the threshold, or, with "new alarms only", the
first one after 64 steps without one, which is how our `detect` counts.

Peers in an environment of their own: river and pyod (``--peer-python``); the windowed Gaussian
and the z-score need NumPy only. Prints a table in Markdown.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from anomaly_peers import DETECTORS, IN_LOGARITHMS
from forecast_common import DATA, HERE
from machine import machine
from statewise.tasks import AnomalyDetector
from statewise.tasks.anomaly.intervals import QUIET
from statewise.tasks.anomaly.nab import (
    alarms_of,
    best_threshold,
    judge,
    nab_score,
    probation_of,
)

RATE = 1e-4


def read(folder):
    """Return the series, and the windows of each as steps."""
    every = {name.split("/")[-1]: w for name, w in
             json.loads((folder / "windows.json").read_text()).items()}  # fmt: skip
    series, windows = {}, {}
    for name, spans in every.items():
        frame = pd.read_csv(folder / name, parse_dates=["timestamp"])
        series[name] = frame.set_index("timestamp")["value"].astype(float)
        stamps = frame["timestamp"].to_numpy()
        windows[name] = []
        for begin, end in spans:
            inside = np.flatnonzero(
                (stamps >= np.datetime64(begin)) & (stamps <= np.datetime64(end))
            )
            windows[name].append((int(inside[0]), int(inside[-1])))
    return series, windows


def ours(series, method, seed, **options):
    """Return the scores, the seconds of fitting, and the seconds of scoring all files."""
    detectors, scores, fitting = {}, {}, 0.0
    for name, one in series.items():
        begun = time.perf_counter()
        known = one.iloc[: probation_of(len(one))]
        detectors[name] = AnomalyDetector(method=method, seed=seed, rate=RATE, **options).fit(known)
        fitting += time.perf_counter() - begun
    for name, one in series.items():
        scores[name] = detectors[name].score(one).to_numpy()
    begun = time.perf_counter()  # once more, without what is done once in a process
    for name, one in series.items():
        detectors[name].score(one)
    return scores, fitting, time.perf_counter() - begun


def peer(name, series, seed, python):
    """Return a peer's scores and seconds, or None where its package is missing."""
    with tempfile.TemporaryDirectory() as folder:
        given = {key: one.to_numpy() for key, one in series.items()}
        given |= {f"probation {key}": np.array(probation_of(len(one))) for key, one in
                  series.items()}  # fmt: skip
        np.savez(Path(folder) / "given.npz", **given)
        command = [python, str(HERE / "anomaly_peers.py"), name, folder, str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: {(done.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
            return None
        with np.load(Path(folder) / "found.npz") as found:
            scores = {key: found[key] for key in found.files}
        return scores, json.loads((Path(folder) / "found.json").read_text())["seconds"]


def judged(scores, windows, thresholds, quiet):
    """Return what the alarms of all files come to."""
    return [
        judge(
            alarms_of(one, thresholds[name], quiet), windows[name], probation=probation_of(len(one))
        )
        for name, one in scores.items()
    ]


def row(name, seed, scores, windows, by_probability, seconds, fitting):
    """Print a detector's row."""
    if by_probability:
        thresholds = dict.fromkeys(scores, -np.log10(RATE))
    else:
        thresholds = {
            key: np.nextafter(np.nanmax(one[: probation_of(len(one))]), np.inf)
            for key, one in scores.items()
        }
    cells = []
    for quiet in (QUIET, 0):
        found = judged(scores, windows, thresholds, quiet)
        hits, wrong = sum(one.hits for one in found), sum(one.false_alarms for one in found)
        cells += [f"{nab_score(found):.1f}", f"{hits} / {wrong}"]
    best = [f"{best_threshold(scores, windows, quiet=quiet)[1]:.1f}" for quiet in (QUIET, 0)]
    points = sum(map(len, scores.values()))
    cells = [name, str(seed), *cells, *best, f"{points / seconds:,.0f}", f"{fitting:.1f}"]
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="run seeds 0 to N - 1")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--data", type=Path, default=DATA / "nab")
    parser.add_argument("--methods", default="forecast,autoencoder,feedback")
    parser.add_argument("--files", action="store_true", help="what was found in each file, too")
    given = parser.parse_args()
    series, windows = read(given.data)
    print(machine())
    count = sum(map(len, windows.values()))
    print(f"\n{len(series)} files, {sum(map(len, series.values())):,} steps, {count} windows.\n")
    print(
        "| detector | seed | own threshold, new alarms only | hits / false alarms | own threshold, "
        "every step | hits / false alarms | best threshold, new alarms only | best threshold, "
        "every step | points a second | seconds to fit |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for method in given.methods.split(","):
        for seed in range(given.seeds):
            scores, fitting, seconds = ours(series, method, seed)
            row(f"statewise, {method}", seed, scores, windows, True, seconds, fitting)
            if given.files:
                for name, one in scores.items():
                    alarms = alarms_of(one, -np.log10(RATE), QUIET)
                    print(f"    {name}: alarms {alarms}, windows {windows[name]}")
    for name in DETECTORS:
        drawn = name.startswith(("river", "pyod"))
        for seed in range(given.seeds if drawn else 1):
            found = peer(name, series, seed, given.peer_python)
            if found is not None:
                row(name, seed, found[0], windows, name in IN_LOGARITHMS, found[1], 0.0)


if __name__ == "__main__":
    main()
