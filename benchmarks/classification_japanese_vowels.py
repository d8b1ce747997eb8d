"""JapaneseVowels: nine speakers told apart, seeds 0 to 9, by the defaults.

    python benchmarks/classification_japanese_vowels.py --data FOLDER [--seeds 10] [--choose]

The data (270 sequences to learn from, 370 to be told, 12 features, 7 to 29 steps) are written
before by benchmarks/classification_peers.py. Published for FCN: 99.3 % (Wang, Yan and Oates, "Time
series classification from scratch with deep neural networks", IJCNN 2017, is the network).

Each seed runs in a process of its own: seconds of ``fit`` with programs compiled anew, and again in
the same process, where they are kept. ``--choose`` shows the cross-validation on the training part
alone by which the defaults were chosen: 5 parts, log loss and accuracy; the test part isn't read.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np

from classification import parts

NAME = "JapaneseVowels"
# What is tried, beside the defaults: constants of training.py, and arguments.
CHOICES = {
    "as it is": ({}, {}),
    "dropout 0": ({"DROPOUT": 0.0}, {}),
    "dropout 0.5": ({"DROPOUT": 0.5}, {}),
    "noise 0": ({"NOISE": 0.0}, {}),
    "noise 0.3": ({"NOISE": 0.3}, {}),
    "rate 0.002": ({"RATE": 0.002}, {}),
    "rate 0.01": ({"RATE": 0.01}, {}),
    "16 together": ({"TOGETHER": 16}, {}),
    "units 32": ({}, {"units": 32}),
    "units 128": ({}, {"units": 128}),
    "lstm": ({}, {"cell": "lstm"}),
    "2 layers": ({}, {"layers": 2}),
    "1 network": ({}, {"members": 1}),
    "forwards alone": ({}, {"bidirectional": False}),
}


def measure(folder, seed):
    """Fit twice and tell the test part; print what came out as JSON."""
    from statewise import SequenceClassifier
    from statewise.tasks.classification.calibration import calibration_error

    X, y, X_test, y_test = parts(folder, NAME)
    seconds = []
    for _ in range(2):
        begun, used = time.perf_counter(), time.process_time()
        classifier = SequenceClassifier(seed=seed).fit(X, y)
        seconds.append((time.perf_counter() - begun, time.process_time() - used))
    chances = classifier.predict_proba(X_test)
    places = np.searchsorted(classifier.classes_, y_test)
    plain = chances**classifier.temperature_  # as before the temperature
    plain /= plain.sum(1, keepdims=True)
    rows = np.arange(len(places))
    result = {
        "wrong": int((chances.argmax(1) != places).sum()),
        "accuracy": float((chances.argmax(1) == places).mean()),
        "first": seconds[0],
        "again": seconds[1],
        "temperature": classifier.temperature_,
        "log_loss": float(-np.log(np.maximum(chances[rows, places], 1e-12)).mean()),
        "log_loss_before": float(-np.log(np.maximum(plain[rows, places], 1e-12)).mean()),
        "error": calibration_error(chances, places),
        "error_before": calibration_error(plain, places),
    }
    print(json.dumps(result))


def choose(folder, names, seeds):
    """Print accuracy and log loss of each choice, by cross-validation on the training part."""
    from statewise import SequenceClassifier
    from statewise.tasks.classification import training

    X, y, *_ = parts(folder, NAME)
    print("| choice | accuracy, % | wrong | log loss | s a fit |\n|---|---|---|---|---|")
    for name in names:
        constants, arguments = CHOICES[name]
        wrong, losses, seconds = 0, [], []
        for seed in range(seeds):
            part = np.random.default_rng(seed).permutation(len(X)) % 5
            for held in range(5):
                train, test = np.flatnonzero(part != held), np.flatnonzero(part == held)
                with patch.multiple(training, **constants) if constants else nullcontext():
                    begun = time.perf_counter()
                    model = SequenceClassifier(seed=seed, **arguments)
                    model.fit([X[i] for i in train], y[train])
                    seconds.append(time.perf_counter() - begun)
                    chances = model.predict_proba([X[i] for i in test])
                places = np.searchsorted(model.classes_, y[test])
                wrong += int((chances.argmax(1) != places).sum())
                of_true = chances[np.arange(len(places)), places]
                losses += (-np.log(np.maximum(of_true, 1e-12))).tolist()
        accuracy = 100 * (1 - wrong / (seeds * len(X)))
        cells = f"{accuracy:.2f} | {wrong} | {np.mean(losses):.4f} | {np.median(seconds):.2f}"
        print(f"| {name} | {cells} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=10, help="run seeds 0 to N - 1")
    parser.add_argument("--choose", nargs="*", metavar="CHOICE", help="cross-validate choices")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        return measure(options.data, options.measure)
    if options.choose is not None:
        return choose(options.data, options.choose or CHOICES, options.seeds)
    found = []
    print("| seed | wrong of 370 | accuracy, % | s | s again | temperature | log loss | ECE % |")
    print("|---" * 8 + "|")
    for seed in range(options.seeds):
        command = [sys.executable, __file__, "--data", str(options.data), "--measure", str(seed)]
        environment = {**os.environ, "STATEWISE_CACHE": "0"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        one = json.loads(done.stdout.splitlines()[-1])
        found.append(one)
        log_loss = f"{one['log_loss_before']:.4f} -> {one['log_loss']:.4f}"
        error = f"{100 * one['error_before']:.2f} -> {100 * one['error']:.2f}"
        print(
            f"| {seed} | {one['wrong']} | {100 * one['accuracy']:.2f} | {one['first'][0]:.2f} | "
            f"{one['again'][0]:.2f} | {one['temperature']:.2f} | {log_loss} | {error} |",
            flush=True,
        )
    numbers = [name for name in found[0] if name not in ("first", "again")]
    mean = {name: np.mean([one[name] for one in found]) for name in numbers}
    first, again = (np.median([one[name][0] for one in found]) for name in ("first", "again"))
    print(
        f"\nMean accuracy {100 * mean['accuracy']:.2f} %; median {first:.2f} s, again "
        f"{again:.2f} s; log loss "
        f"{mean['log_loss_before']:.4f} -> {mean['log_loss']:.4f}, calibration error "
        f"{100 * mean['error_before']:.2f} -> {100 * mean['error']:.2f} % by the temperature."
    )


if __name__ == "__main__":
    main()
