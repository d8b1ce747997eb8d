"""The peers' side of the benchmarks of classification, in an environment with aeon.

LSTM-FCN is sktime's, and needs TensorFlow; aeon 1.6 has none.

    python benchmarks/classification_peers.py data FOLDER
    python benchmarks/classification_peers.py MiniRocket|LSTM-FCN FOLDER NAME SEED

The first writes the data sets that aeon's package holds as FOLDER/NAME.npz; nothing is downloaded.
The second trains on one of them and prints the accuracy and the seconds as JSON. Neither MiniRocket
nor LSTM-FCN takes sequences of several lengths: as is usual for them, shorter ones are padded by
zeros behind to the longest of the training part, and longer ones are cut. Inputs are brought to
mean 0 and deviation 1 by the training part for LSTM-FCN, as the paper's are; MiniRocket needs none.
"""

import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

SETS = (
    "ACSF1",
    "ArrowHead",
    "BasicMotions",
    "GunPoint",
    "ItalyPowerDemand",
    "JapaneseVowels",
    "OSULeaf",
    "PickupGestureWiimoteZ",
)
EPOCHS = 300  # of LSTM-FCN; the paper's 2000 take seven times as long


def write(folder):
    """Write each set: values of all sequences one after the other, their lengths and labels."""
    import aeon.datasets
    from aeon.datasets import load_from_ts_file

    root = Path(aeon.datasets.__file__).parent / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for name in SETS:
        if not (root / name / f"{name}_TRAIN.ts").exists():
            print(f"{name}: not in aeon's package", file=sys.stderr)
            continue
        arrays = {}
        for part in ("train", "test"):
            X, y = load_from_ts_file(str(root / name / f"{name}_{part.upper()}.ts"))
            each = [np.asarray(x).T for x in X]  # (time, channels)
            arrays |= {
                f"{part}_values": np.concatenate(each),
                f"{part}_lengths": np.array([len(x) for x in each]),
                f"{part}_labels": np.asarray(y).astype(str),
            }
        np.savez(folder / f"{name}.npz", **arrays)


def blocks(folder, name):
    """Return the training and the test part as (cases, channels, time), and their labels."""
    with np.load(folder / f"{name}.npz") as file:
        given = {key: file[key] for key in file.files}
    time_steps = int(given["train_lengths"].max())
    found = []
    for part in ("train", "test"):
        lengths = given[f"{part}_lengths"]
        values = np.split(given[f"{part}_values"], np.cumsum(lengths)[:-1])
        block = np.zeros((len(lengths), values[0].shape[1], time_steps))
        for row, one in zip(block, values, strict=True):
            row[:, : min(len(one), time_steps)] = one[:time_steps].T
        found += [block, given[f"{part}_labels"]]
    return found


def classifier(which, seed):
    if which == "MiniRocket":
        from aeon.classification.convolution_based import MiniRocketClassifier

        return MiniRocketClassifier(random_state=seed, n_jobs=2)
    from sktime.classification.deep_learning import LSTMFCNClassifier

    return LSTMFCNClassifier(random_state=seed, n_epochs=EPOCHS, verbose=0)


def main():
    which, folder, *rest = sys.argv[1:]
    folder = Path(folder)
    if which == "data":
        return write(folder)
    name, seed = rest[0], int(rest[1])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    X, y, X_test, y_test = blocks(folder, name)
    if which != "MiniRocket":
        mean, deviation = X.mean((0, 2), keepdims=True), X.std((0, 2), keepdims=True)
        X, X_test = (X - mean) / deviation, (X_test - mean) / deviation
    model = classifier(which, seed)
    begun = time.perf_counter()
    model.fit(X, y)
    fitted = time.perf_counter()
    told = model.predict(X_test)
    done = time.perf_counter()
    result = {
        "accuracy": float((np.asarray(told) == y_test).mean()),
        "seconds": fitted - begun,
        "telling": done - fitted,
        "version": version("aeon" if which == "MiniRocket" else "sktime"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
