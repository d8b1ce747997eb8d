"""Series of 10 to 1000 steps: lanes, against padding and masking in the same model.

    python benchmarks/lanes.py [--rounds 3] [--peer-python PYTHON] [--series 256]

An LSTM(64) and a dense layer of one unit over 8 features; the lengths are drawn evenly from 10 to
1000. A step is useful if it's a step of a series; what is computed for padding isn't. Ways, each in
a process of its own, in turn:

* statewise, lanes: 32 lanes, chunks of 64 steps;
* statewise, padded: all series padded to the longest, a `Masking` layer, batches of 32;
* Keras, padded: the same on stock Keras with JAX;
* Keras, sorted: what a careful user does: series of like length in a batch of 32, each batch padded
  to its own longest (up to a hundred steps), so that Keras compiles a program for each of these.

Each side compiles and warms up before the clock starts. All begin with the same weights, and what
they predict for the first series, before training, must agree. Prints a table in Markdown: useful
steps a second in `fit` and in `predict`, medians of the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

FEATURES, UNITS, BATCH, CHUNK = 8, 64, 32, 64
WAYS = ("statewise, lanes", "statewise, padded", "Keras, padded", "Keras, sorted")
USEFUL, FASTER = 0.95, 3  # what is to be reached: of the steps; times stock Keras, padded


def series(count):
    """Return inputs and targets (time, features) and (time, 1) of each series."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(10, 1000, size=count, endpoint=True)
    x = [rng.normal(size=(length, FEATURES)).astype("float32") for length in lengths]
    return x, [values[:, :1] * 0.5 for values in x]


def padded(arrays, time):
    """Return the arrays as one (series, time, features), zeros behind each."""
    whole = np.zeros((len(arrays), time, arrays[0].shape[1]), "float32")
    for row, values in zip(whole, arrays, strict=True):
        row[: len(values)] = values
    return whole


def model(side):
    os.environ["KERAS_BACKEND"] = "jax"
    if side == "statewise":
        import statewise

        # isort: split
        import keras

        sequential, lstm = statewise.Sequential, statewise.layers.LSTM
    else:
        import keras

        sequential, lstm = keras.Sequential, keras.layers.LSTM
    keras.utils.set_random_seed(0)
    made = sequential(
        [
            keras.layers.Input((None, FEATURES)),
            keras.layers.Masking(),
            lstm(UNITS, return_sequences=True),
            keras.layers.Dense(1),
        ]
    )
    made.compile(loss="mse", optimizer="adam")
    return made


def on_lanes(count):
    """Return what trains, what predicts, and how many steps both compute."""
    from statewise.sequences import lanes

    x, y = series(count)
    made = model("statewise")
    cut = lanes(x, targets=y, lanes=BATCH, steps=CHUNK, seed=0)
    return (
        lambda: made.fit(cut, verbose=0),
        lambda: made.predict(cut, verbose=0)[0][:, 0],
        cut.balance.computed_steps,
    )


def on_padding(side, count):
    x, y = series(count)
    made, longest = model(side), max(map(len, x))
    whole, targets = padded(x, longest), padded(y, longest)
    return (
        lambda: made.fit(whole, targets, batch_size=BATCH, verbose=0),
        lambda: made.predict(whole, batch_size=BATCH, verbose=0)[0, : len(x[0]), 0],
        longest * count,
    )


def on_sorted_batches(count):
    x, y = series(count)
    made = model("Keras")
    order = np.argsort([len(values) for values in x], kind="stable")
    batches = []
    for rows in np.split(order, range(BATCH, count, BATCH)):
        time_steps = -(-len(x[rows[-1]]) // 100) * 100
        chosen = [x[i] for i in rows], [y[i] for i in rows]
        batches.append((rows, *(padded(arrays, time_steps) for arrays in chosen)))

    def fit():
        for _, inputs, targets in batches:
            made.train_on_batch(inputs, targets)

    def predict():
        outputs = {}
        for rows, inputs, _ in batches:
            outputs |= dict(zip(rows.tolist(), made.predict_on_batch(inputs), strict=True))
        return outputs[0][: len(x[0]), 0]

    return fit, predict, sum(inputs.shape[0] * inputs.shape[1] for _, inputs, _ in batches)


def measure(way, count):
    """Return useful steps a second, and what was predicted for the first series."""
    side, form = way.split(", ")
    if form == "padded":
        fit, predict, computed = on_padding(side, count)
    else:
        fit, predict, computed = {"lanes": on_lanes, "sorted": on_sorted_batches}[form](count)
    useful = sum(len(values) for values in series(count)[0])
    begun = time.perf_counter()
    predicted = predict()
    fit()
    first = time.perf_counter() - begun
    rates = {name: useful / seconds(run) for name, run in (("fit", fit), ("predict", predict))}
    return rates | {
        "useful": useful / computed,
        "first": first,
        "predicted": np.asarray(predicted).tolist(),
    }


def seconds(run, times=5):
    """Return the median time of a run."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def in_process(python, way, count):
    command = [python, __file__, "--measure", way, "--series", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def table(found):
    """Print what was found, and whether it's what is to be reached."""
    from forecast_common import head, row

    head("way", "useful of the computed steps", "fit, useful steps a second", "predict", "first")
    rates = {}
    for way, results in found.items():
        if failed := [result["error"] for result in results if "error" in result]:
            row(way, f"failed: {failed[0]}", "", "", "")
            continue
        rates[way] = [statistics.median(r[name] for r in results) for name in ("fit", "predict")]
        first = statistics.median(result["first"] for result in results)
        row(way, f"{results[0]['useful']:.1%}", *map(round, rates[way]), f"{first:.1f} s")
    predicted = [results[0]["predicted"] for results in found.values() if way_ran(results)]
    apart = max(float(np.abs(np.subtract(predicted[0], other)).max()) for other in predicted)
    print(f"\nThe predictions for the first series differ by {apart:.1e} at most.")
    if WAYS[0] not in rates:
        return
    useful = found[WAYS[0]][0]["useful"]
    print(f"Useful steps in lanes: {useful:.1%}; to be {USEFUL:.0%}: {_yes(useful >= USEFUL)}.")
    for way in [way for way in rates if way != WAYS[0]]:
        fit, predict = (a / b for a, b in zip(rates[WAYS[0]], rates[way], strict=True))
        wanted = f"; to be {FASTER}: {_yes(fit >= FASTER)}" if way == "Keras, padded" else ""
        print(f"Lanes over {way}: {fit:.1f} times in fit{wanted}; {predict:.1f} in predict.")


def way_ran(results):
    return all("error" not in result for result in results)


def _yes(reached):
    return "yes" if reached else "no"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--series", type=int, default=256)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has Keras")
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.series)))
        return
    from machine import machine

    print(machine())
    found = {way: [] for way in WAYS}
    for _ in range(arguments.rounds):
        for way in WAYS:
            python = arguments.peer_python if way.startswith("Keras") else sys.executable
            found[way].append(in_process(python, way, arguments.series))
    table(found)


if __name__ == "__main__":
    main()
