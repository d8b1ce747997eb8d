"""Tanks in aligned batches: steps 1 and 2, then steps 3 to 5, equal one pass over all five.

              batch 1              batch 2
    tank A    [1 2]  -- state A --> [3 4 5]
    tank B    [1 2]  -- state B --> [3 4 5]
    ...
    tank N    [1 2]  -- state N --> [3 4 5]
              (N, 2, 2)             (N, 3, 2)

A stateful layer goes on in the second batch where each row stopped in the first: row by row, so
the tanks must stand in the same order. Nothing says that the batches must have as many steps as
each other. What crosses between them is the state; gradients don't.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras


def main():
    keras.utils.set_random_seed(0)
    tanks = datasets.tanks(64, steps=6)
    tanks = sequences.StandardScaler().fit(tanks).transform(tanks)
    x, y = tanks[:, :-1], tanks[:, 1:]  # five hours, and each one's next
    parts = [slice(0, 2), slice(2, 5)]
    print("x", x.shape, "tanks, time steps, features; in parts of", [x[:, p].shape for p in parts])

    model = Sequential(
        [
            layers.Input((None, 2)),  # None: any number of time steps
            layers.LSTM(16, stateful=True, return_sequences=True),
            layers.Dense(2),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.02))

    def error():
        model.reset_states()
        return float(np.mean((model.predict(x, batch_size=64, verbose=0) - y) ** 2))

    before = error()
    for _ in range(200):
        model.reset_states()  # the tanks begin anew
        for part in parts:
            model.train_on_batch(x[:, part], y[:, part])
    after = error()
    print(f"error of the next hour (variances): before {before:.3f}, after {after:.3f}")

    model.reset_states()
    in_parts = [model.predict(x[:, part], batch_size=64, verbose=0) for part in parts]
    model.reset_states()
    whole = model.predict(x, batch_size=64, verbose=0)
    print("outputs", [part.shape for part in in_parts], "and", whole.shape)
    difference = float(np.abs(np.concatenate(in_parts, axis=1) - whole).max())
    model.reset_states()
    begun_anew = model.predict(x[:, parts[1]], batch_size=64, verbose=0)
    forgotten = float(np.abs(begun_anew - whole[:, parts[1]]).max())
    print(f"2 + 3 steps and 5 steps differ by {difference:.1e} at most")
    print(f"steps 3 to 5 alone, with the first two forgotten, by {forgotten:.2f}")
    return {"before": before, "after": after, "difference": difference, "forgotten": forgotten}


if __name__ == "__main__":
    main()
