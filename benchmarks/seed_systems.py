"""Two systems of the page on statewise and on stock Keras with JAX, in turn, in one run.

    python benchmarks/seed_systems.py [--rounds 3] [--system words] [--system airline]

* words: the word model (10,000 words, Embedding 128, GRU 512, GRU 128, TimeDistributed Dense and
  softmax, 50 steps, batch 32, Adam); the time of a training step.
* airline: the script's hundred epochs (batch 1, 3 steps, stateful LSTM(4)), one `fit` for each and
  a reset between them; the time of all hundred.

Each measurement is a process of its own, which compiles and warms up before the clock starts; what
that took stands apart. The sides begin with the same weights, and the losses stand in the table:
those of the words agree to rounding. Those of the airline don't, since Keras 3.15.1 on JAX begins
each batch of a stateful model at zeros: its loss is that of a stateless one. Prints a table in
Markdown with the median of the rounds.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np

SIDES = ("statewise", "Keras")
NEEDED = {"words": 4, "airline": 20}  # times faster
UNIT = {"words": "ms a step", "airline": "ms for 100 epochs"}


def names_of(side):
    """Return ``Sequential``, ``Model``, ``layers`` and ``keras`` of one side."""
    os.environ["KERAS_BACKEND"] = "jax"
    if side == "Keras":
        import keras

        return SimpleNamespace(
            Sequential=keras.Sequential, Model=keras.Model, layers=keras.layers, keras=keras
        )
    import statewise

    # isort: split
    import keras

    return SimpleNamespace(
        Sequential=statewise.Sequential,
        Model=statewise.Model,
        layers=statewise.layers,
        keras=keras,
    )


def words(side, batches=4):
    """Measure a training step of the word model."""
    use = names_of(side)
    use.keras.utils.set_random_seed(0)
    vocabulary, steps, batch = 10_000, 50, 32
    inputs = use.layers.Input(batch_shape=(None, steps), name="input")
    hidden = use.layers.Embedding(vocabulary, 128)(inputs)
    hidden = use.layers.GRU(512, return_sequences=True)(hidden)
    hidden = use.layers.GRU(128, return_sequences=True)(hidden)
    scores = use.layers.TimeDistributed(use.layers.Dense(vocabulary))(hidden)
    outputs = use.layers.TimeDistributed(use.layers.Activation("softmax"))(scores)
    model = use.Model(inputs, outputs)
    falling = use.keras.optimizers.schedules.InverseTimeDecay(0.009, 1, 0.01)
    model.compile(
        loss="sparse_categorical_crossentropy", optimizer=use.keras.optimizers.Adam(falling)
    )
    text = np.random.default_rng(0).integers(0, vocabulary, size=(batches * batch, steps + 1))
    x, y = text[:, :-1], text[:, 1:]

    def run():
        return model.fit(x, y, batch_size=batch, shuffle=False, verbose=0).history["loss"][-1]

    first, _ = timed(run)
    seconds, loss = timed(run)
    return {"first": first - seconds, "seconds": seconds / batches, "loss": loss}


def airline(side, epochs=100):
    """Measure the hundred epochs of the airline script."""
    use = names_of(side)
    use.keras.utils.set_random_seed(0)
    # As long as the airline's training part; the values don't matter to the clock.
    series = np.sin(np.arange(96) / 2) / 4 + np.linspace(0.2, 0.8, 96)
    windows = np.lib.stride_tricks.sliding_window_view(series, 4)
    x, y = windows[:, :3, None].astype("float32"), windows[:, 3].astype("float32")
    model = use.Sequential(
        [
            use.layers.Input(batch_shape=(1, 3, 1)),
            use.layers.LSTM(4, stateful=True),
            use.layers.Dense(1),
        ]
    )
    model.compile(loss="mean_squared_error", optimizer="adam")

    def epoch():
        history = model.fit(x, y, epochs=1, batch_size=1, verbose=2, shuffle=False)
        model.layers[0].reset_state()
        return history.history["loss"][-1]

    def run():
        with contextlib.redirect_stdout(io.StringIO()):  # verbose=2, as on the page
            return [epoch() for _ in range(epochs)][-1]

    with contextlib.redirect_stdout(io.StringIO()):
        first, _ = timed(epoch)
    seconds, loss = timed(run)
    return {"first": first - seconds / epochs, "seconds": seconds, "loss": loss}


def timed(run):
    begun = time.perf_counter()
    result = run()
    return time.perf_counter() - begun, result


def measure(system, side):
    """Run one measurement in a process of its own; return what it measured, or its error."""
    command = [sys.executable, __file__, "--measure", system, side]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def table(system, rounds):
    """Return the lines of the table for one system."""
    lines = []
    medians = {}
    for side in SIDES:
        failed = [result["error"] for result in rounds[side] if "error" in result]
        if failed:
            lines.append(f"| {system} | {side} | failed: {failed[0]} | | | |")
            continue
        seconds = [result["seconds"] for result in rounds[side]]
        medians[side] = statistics.median(seconds)
        spread = f"{1e3 * min(seconds):.1f} to {1e3 * max(seconds):.1f}"
        first = statistics.median(result["first"] for result in rounds[side])
        lines.append(
            f"| {system} | {side} | {1e3 * medians[side]:.1f} {UNIT[system]} | {spread} "
            f"| {first:.2f} s | {rounds[side][-1]['loss']:.6f} |"
        )
    if len(medians) == len(SIDES):
        ratio = medians["Keras"] / medians["statewise"]
        lines.append(f"| {system} | **ratio** | **{ratio:.1f}** (to be {NEEDED[system]}) | | | |")
    return lines


def machine():
    """Return the machine, its threads and the versions, in a line."""
    try:
        with open("/proc/cpuinfo") as file:
            cpu = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor() or platform.machine()
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "keras", "numpy"))
    native = subprocess.run(
        [
            sys.executable,
            "-c",
            "from statewise.recurrence import native;"
            "print('yes' if native.available() else native.unavailable_reason())",
        ],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return (
        f"{cpu}, {threads} threads, Python {platform.python_version()}, {versions}, float32; "
        f"native kernels: {native or 'unknown'}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--system", action="append", choices=list(NEEDED))
    parser.add_argument("--measure", nargs=2, metavar=("SYSTEM", "SIDE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        system, side = arguments.measure
        print(json.dumps({"words": words, "airline": airline}[system](side)))
        return
    print(machine() + "\n", flush=True)
    print("| system | side | median | least to most | compilation | loss |")
    print("|---|---|---|---|---|---|", flush=True)
    for system in arguments.system or list(NEEDED):
        rounds = {side: [] for side in SIDES}
        for _ in range(arguments.rounds):
            for side in SIDES:
                rounds[side].append(measure(system, side))
        print("\n".join(table(system, rounds)), flush=True)


if __name__ == "__main__":
    main()
