"""N tanks, measured hourly: cut into windows, or run over as whole sequences.

    whole sequences               windows of 5
    tank A: 1 2 3 4 5 6 7 ...     A: 1 2 3 4 5
    tank B: 1 2 3 4 5 6 7 ...     A:   2 3 4 5 6
    ...                           A:     3 4 5 6 7
    (40 tanks, 199 steps, 2)      (7800 samples, 5 steps, 2)

A window is a sequence by itself to the network: whatever happened before its first step is lost.
Each tank's heater comes on at its own time of day, for 8 hours; 5 hours can't tell when that will
be, a sequence of days can. The layer is the same, and so are the hours to learn from.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

WINDOW = 5


def build():
    model = Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(24, return_sequences=True),
            layers.Dense(2),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    return model


def main():
    keras.utils.set_random_seed(0)
    tanks, others = datasets.tanks(40, steps=200), datasets.tanks(40, steps=200, seed=1)
    scaler = sequences.StandardScaler().fit(tanks)
    tanks, others = scaler.transform(tanks), scaler.transform(others)  # (tanks, steps, features)

    results = {}
    for name in ("windows", "sequences"):
        if name == "windows":
            x = sequences.windows(tanks[:, :-1], WINDOW, horizon=0).x
            y = sequences.windows(tanks[:, 1:], WINDOW, horizon=0).x
            seen = sequences.windows(others[:, :-1], WINDOW, horizon=0).x
            truth = sequences.windows(others[:, 1:], WINDOW, horizon=0).x
            options = {"batch_size": 260, "epochs": 10}
        else:
            x, y = tanks[:, :-1], tanks[:, 1:]
            seen, truth = others[:, :-1], others[:, 1:]
            options = {"batch_size": 8, "epochs": 60}
        model = build()

        def error(model=model, seen=seen, truth=truth):
            last = -1 if len(truth) > len(others) else slice(100, None)  # where it has seen enough
            predicted = model.predict(seen, batch_size=260, verbose=0)
            return float(np.mean((predicted - truth)[:, last] ** 2))

        before = error()
        model.fit(x, y, verbose=0, **options)
        results[name] = {"before": before, "after": error()}
        print(f"{name:9} x {x.shape} y {y.shape}: next hour's error on other tanks (variances):")
        print(f"{'':9} before {before:.3f}, after {results[name]['after']:.4f}")
    naive = float(np.mean(np.diff(others[:, 100:], axis=1) ** 2))
    print(f"as in this hour: {naive:.4f}")
    return results | {"naive": naive}


if __name__ == "__main__":
    main()
