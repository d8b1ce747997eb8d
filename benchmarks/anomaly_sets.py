"""VUS-PR on the labelled sets that aeon's package has: our detector and others.

    python benchmarks/anomaly_sets.py --peer-python PYTHON [--seeds 3] [--methods forecast]

* KDD-TSAD 135 (UCR anomaly archive, "Internal Bleeding 16"): one feature, learned from its own
  training part, one anomaly in the test part.
* ECG diff count 3 (TimeEval's GutenTAG): one feature, drawn heartbeats, three odd ones of 100 steps
  each; learned from a series of 10,000 steps without any.

VUS-PR is the volume under the surface of precision and recall over all thresholds and buffers
around an anomaly (Paparrizos et al., PVLDB 15, 2022), as aeon computes it, with buffers of up to
100 steps. The Python needs aeon, river and pyod. Prints a table in Markdown.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from anomaly_peers import DETECTORS
from forecast_common import HERE
from machine import machine
from statewise.tasks import AnomalyDetector


def called(python, job, folder, *more):
    """Run a job of anomaly_peers.py by another Python; what it leaves is in the folder."""
    command = [python, str(HERE / "anomaly_peers.py"), job, folder, *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{job}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def loaded(python):
    """Return for each set its values (time, features), labels, and how many steps to learn from."""
    with tempfile.TemporaryDirectory() as folder:
        called(python, "load", folder, 0)
        with np.load(Path(folder) / "sets.npz") as found:
            names = sorted({name.split("|")[0] for name in found.files})
            return {
                name: (
                    found[f"{name}|values"],
                    found[f"{name}|labels"],
                    int(found[f"{name}|learn"]),
                )
                for name in names
            }


def volumes(python, labels, scores):
    """Return the VUS-PR of scores, by set."""
    with tempfile.TemporaryDirectory() as folder:
        parts = {f"{name}|labels": labels[name] for name in scores}
        parts |= {f"{name}|scores": one for name, one in scores.items()}
        np.savez(Path(folder) / "scores.npz", **parts)
        called(python, "vus", folder, 0)
        return json.loads((Path(folder) / "vus.json").read_text())


def ours(values, learn, method, seed):
    """Return the scores of the steps after those that are learned from."""
    detector = AnomalyDetector(method=method, seed=seed).fit(values[:learn])
    return np.nan_to_num(detector.score(values[learn:], follows=True))


def peers(python, name, values, learn, seed):
    """Return a peer's scores of the same steps: the highest of those of each feature."""
    with tempfile.TemporaryDirectory() as folder:
        given = {str(i): column for i, column in enumerate(values.T)}
        given |= {f"probation {i}": np.array(learn) for i in range(values.shape[1])}
        np.savez(Path(folder) / "given.npz", **given)
        called(python, name, folder, seed)
        with np.load(Path(folder) / "found.npz") as found:
            return np.max([found[key] for key in found.files], axis=0)[learn:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="run seeds 0 to N - 1")
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--methods", default="forecast")
    given = parser.parse_args()
    sets = loaded(given.peer_python)
    labels = {name: y[learn:] for name, (_, y, learn) in sets.items()}
    print(machine())
    for name, (values, y, learn) in sets.items():
        print(f"\n{name}: {values.shape}, {learn} to learn from, {int(y.sum())} odd steps.", end="")
    print(f"\n\n| detector | seed | {' | '.join(sets)} |\n|---|---|{'---|' * len(sets)}")
    runs = [(f"statewise, {method}", method, seed) for method in given.methods.split(",")
            for seed in range(given.seeds)]  # fmt: skip
    for name in DETECTORS:
        drawn = name.startswith(("river", "pyod"))
        runs += [(name, None, seed) for seed in range(given.seeds if drawn else 1)]
    for name, method, seed in runs:
        scores = {
            one: ours(values, learn, method, seed)
            if method
            else peers(given.peer_python, name, values, learn, seed)
            for one, (values, _, learn) in sets.items()
        }
        found = volumes(given.peer_python, labels, scores)
        cells = " | ".join(f"{found[one]:.3f}" for one in sets)
        print(f"| {name} | {seed} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
