"""Live tanks and a process that is killed in the middle: the next one goes on where it stopped.

    process 1    hour 1 -> hour 2 -> ... -> hour 31 -> hou  kill -9
                    |         |                |
                 [ store on disk: for each tank its state, its last output, its hours (steps) ]
                                               |
    process 2                                hour 31 -> hour 32 -> ... -> hour 80

Every push is on the disk before it returns. When the process dies, at whatever moment, each tank's
state is that before or that after a push; `steps` says how many hours are in it, which tells what
to push next. The weights are a file of their own: the model, saved as ever.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from statewise import Sequential, datasets, layers, load_model, sequences
from statewise.streams import Streams

# isort: split
import keras

TANKS, HOURS, KILLED_AT = 20, 80, 30


def arriving():
    """Return what the tanks will measure, (tanks, time steps, features), scaled."""
    known = datasets.tanks(40, steps=100)
    return sequences.StandardScaler().fit(known).transform(datasets.tanks(TANKS, HOURS, seed=1))


def push(streams, tanks):
    """Push hour after hour what isn't in the states yet; say each hour when it's in."""
    first = streams.steps("tank 0") if "tank 0" in streams else 0
    outputs = {}
    for hour in range(first, HOURS):
        new = {f"tank {i}": tank[hour] for i, tank in enumerate(tanks)}
        outputs = streams.push(new)  # (2,) for each tank: its next hour
        print("hour", hour + 1, flush=True)
    return first, outputs


def learned():
    keras.utils.set_random_seed(0)
    known = datasets.tanks(40, steps=100)
    lanes = sequences.lanes(
        sequences.StandardScaler().fit(known).transform(known), lanes=8, steps=25
    )
    model = Sequential(
        [layers.Input((None, 2)), layers.LSTM(16, return_sequences=True), layers.Dense(2)]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    before = model.evaluate(lanes, verbose=0)
    model.fit(lanes, epochs=30, verbose=0)
    return model, before, model.evaluate(lanes, verbose=0)


def main():
    model, before, after = learned()
    print(f"next hour's error (variances): before {before:.3f}, after {after:.3f}")
    with tempfile.TemporaryDirectory() as folder:
        weights, store = Path(folder, "tanks.keras"), Path(folder, "tanks.store")
        model.save(weights)
        # Process 1, until it's killed.
        command = [sys.executable, __file__, str(weights), str(store)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if line == f"hour {KILLED_AT}\n":
                    process.kill()  # no goodbye: SIGKILL
                    break
        # Process 2: this one.
        with Streams(load_model(weights), store=store) as streams:
            print(streams, "after the kill; hours:", streams.steps("tank 0"))
            first, outputs = push(streams, arriving())
            ahead = streams.forecast("tank 0", horizon=24)["tank 0"]
    print("went on with hour", first + 1, "- outputs", outputs["tank 0"].shape, "for each tank,")
    print("forecast of tank 0", ahead.shape)

    whole = Streams(model).push({f"tank {i}": tank for i, tank in enumerate(arriving())})
    difference = max(float(np.abs(whole[key][-1] - outputs[key]).max()) for key in whole)
    print(f"never killed, and killed in the middle: {difference:.1e} apart at most")
    return {"before": before, "after": after, "first": first, "difference": difference}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        with Streams(load_model(sys.argv[1]), store=sys.argv[2]) as live:
            push(live, arriving())
    else:
        main()
