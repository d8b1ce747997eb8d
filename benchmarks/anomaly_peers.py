"""Other detectors' scores: NAB's windowed Gaussian, a rolling z-score, and those of packages.

    python benchmarks/anomaly_peers.py DETECTOR FOLDER SEED

reads ``given.npz`` (for each series its values, and how many steps at its beginning may be learned
from) and writes ``found.npz``, a score a step, and the seconds they took. Each detector looks at
nothing beyond the step that it scores. Run by `anomaly_nab.py` and `anomaly_sets.py`, with a Python
that has river and pyod.
"""

import json
import math
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np

WINDOW = 10  # steps that pyod's forest is shown at a time


def windowed_gaussian(values, probation, seed, window=6400, step=100):
    """Score by the tail of a normal distribution of the last values, as NAB's own baseline does.

    The distribution is that of the last 6400 values, and is taken anew every 100 steps.
    """
    scores = np.zeros(len(values))
    mean = deviation = None
    for at, value in enumerate(values):
        if at >= probation and (mean is None or at % step == 0):
            past = values[max(0, at - window) : at]
            mean, deviation = past.mean(), max(past.std(), 1e-9)
        if mean is not None:
            tail = 0.5 * math.erfc(abs(value - mean) / deviation / math.sqrt(2))
            scores[at] = -math.log10(max(2 * tail, 1e-300))
    return scores


def rolling_z_score(values, probation, seed, window=288):
    """Score by the deviation from the last 288 values, in their standard deviations."""
    scores, past = np.zeros(len(values)), deque(maxlen=window)
    total = squares = 0.0
    for at, value in enumerate(values):
        if len(past) > 10:
            mean = total / len(past)
            deviation = math.sqrt(max(squares / len(past) - mean**2, 1e-12))
            z = abs(value - mean) / deviation
            scores[at] = -math.log10(max(math.erfc(z / math.sqrt(2)), 1e-300))
        if len(past) == window:
            gone = past[0]
            total, squares = total - gone, squares - gone**2
        past.append(value)
        total, squares = total + value, squares + value**2
    return scores


def half_space_trees(values, probation, seed):
    """Score by river's HalfSpaceTrees with its defaults, behind its own scaling to 0..1."""
    from river import anomaly, preprocessing

    scale, trees = preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=seed)
    scores = np.zeros(len(values))
    for at, value in enumerate(values.tolist()):
        x = {"value": value}
        scale.learn_one(x)
        x = scale.transform_one(x)
        scores[at] = trees.score_one(x)
        trees.learn_one(x)
    return scores


def isolation_forest(values, probation, seed):
    """Score by pyod's IForest with its defaults on the last 10 values, fitted on the beginning."""
    from pyod.models.iforest import IForest

    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)
    forest = IForest(random_state=seed).fit(windows[: max(probation - WINDOW + 1, 2)])
    scores = np.full(len(values), -np.inf)
    scores[WINDOW - 1 :] = forest.decision_function(windows)
    return np.maximum(scores, scores[WINDOW - 1 :].min())


DETECTORS = {
    "windowed Gaussian": windowed_gaussian,
    "rolling z-score": rolling_z_score,
    "river HalfSpaceTrees": half_space_trees,
    "pyod IForest": isolation_forest,
}
# Whose scores are minus a decimal logarithm of a probability, as ours.
IN_LOGARITHMS = ("windowed Gaussian", "rolling z-score")


def load(folder):
    """Write the labelled sets that aeon's package has."""
    from aeon.datasets import load_ecg_diff_count_3, load_kdd_tsad_135

    known, _ = load_kdd_tsad_135(split="train")
    series = {"KDD-TSAD 135": (*load_kdd_tsad_135(split="test"), known)}
    later, labels, known, _ = load_ecg_diff_count_3(learning_type="semi-supervised")
    series["ECG, 3 odd beats"] = later, labels, known
    sets = {}
    for name, (later, labels, known) in series.items():
        values = np.concatenate([np.ravel(known), np.ravel(later)])[:, None]
        odd = np.concatenate([np.zeros(np.size(known)), np.ravel(labels)])
        sets[name] = values, odd, np.size(known)
    parts = {}
    for name, (values, y, learn) in sets.items():
        parts |= {f"{name}|values": values, f"{name}|labels": y, f"{name}|learn": np.array(learn)}
    np.savez(folder / "sets.npz", **parts)


def volumes(folder):
    """Write the VUS-PR of scores."""
    from aeon.benchmarking.metrics.anomaly_detection import range_pr_vus_score

    given = np.load(folder / "scores.npz")
    names = {name.split("|")[0] for name in given.files}
    found = {
        name: float(
            range_pr_vus_score(
                given[f"{name}|labels"].astype(int), given[f"{name}|scores"], max_buffer_size=100
            )
        )
        for name in names
    }
    (folder / "vus.json").write_text(json.dumps(found))


def main():
    name, folder, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if name in ("load", "vus"):
        return load(folder) if name == "load" else volumes(folder)
    given = np.load(folder / "given.npz")
    found, seconds = {}, 0.0
    for key in [key for key in given.files if not key.startswith("probation ")]:
        begun = time.perf_counter()
        found[key] = DETECTORS[name](given[key], int(given[f"probation {key}"]), seed)
        seconds += time.perf_counter() - begun
    np.savez(folder / "found.npz", **found)
    (folder / "found.json").write_text(json.dumps({"seconds": seconds}))
    return None


if __name__ == "__main__":
    main()
