"""Tanks that were measured for different times, in lanes: no windows, no padding, no lost state.

    tank A  a1 a2 a3 a4 a5 a6 a7 a8 a9      lane 1  | a1 a2 a3 a4 | a5 a6 a7 a8 | a9 c1 c2 c3 |
    tank B  b1 b2 b3 b4 b5 b6           ->  lane 2  | b1 b2 b3 b4 | b5 b6 d1 d2 | d3 d4 d5 d6 |
    tank C  c1 c2 c3                                   chunk 1       chunk 2       chunk 3
    tank D  d1 d2 d3 d4 d5 d6                (2 lanes, 4 steps, 2 features) each

The tanks are laid end to end into the rows of a batch, the lanes, and cut into chunks. The state is
carried from chunk to chunk; where a new tank begins, even in the middle of a chunk, the lane starts
from the initial state. So tank C never hears of tank A, and each hour is computed once.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

TANKS, LANES, STEPS = 96, 8, 24


def measured(seed):
    """Return tanks by name, measured for 40 to 400 hours, (time steps, 2) each."""
    hours = np.random.default_rng(seed).integers(40, 400, size=TANKS, endpoint=True)
    tanks = datasets.tanks(TANKS, steps=400, seed=seed)
    return {f"tank {i}": tanks[i, :length] for i, length in enumerate(hours)}


def main():
    keras.utils.set_random_seed(0)
    tanks, others = measured(seed=0), measured(seed=1)
    scaler = sequences.StandardScaler().fit(np.concatenate(list(tanks.values())))
    tanks, others = (
        {name: scaler.transform(tank) for name, tank in each.items()} for each in (tanks, others)
    )
    lanes = sequences.lanes(tanks, lanes=LANES, steps=STEPS, seed=0)  # targets: the next hour
    print(lanes)
    padded = TANKS * max(map(len, tanks.values()))
    print(f"padded to the longest, {np.sum(lanes.lengths) / padded:.1%} would be of use")
    chunk = next(lanes.epoch())
    print("a chunk: x", chunk.x.shape, "y", chunk.y.shape, "resets", chunk.resets.shape)

    model = Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(24, return_sequences=True),
            layers.Dense(2),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    unseen = sequences.lanes(others, lanes=LANES, steps=STEPS)
    before = model.evaluate(unseen, verbose=0)
    model.fit(lanes, epochs=15, verbose=0)
    after = model.evaluate(unseen, verbose=0)
    naive = np.concatenate([np.diff(tank, axis=0) for tank in others.values()])
    naive = float(np.mean(naive**2))
    print(f"next hour's error on other tanks (variances): before {before:.3f}, after {after:.3f}")
    print(f"as in this hour: {naive:.3f}")

    results = model.predict(unseen, verbose=0)  # one for each tank, as long as the tank
    name, tank = next(iter(others.items()))
    alone = model.predict(tank[None], verbose=0)[0]
    difference = float(np.abs(results[name] - alone).max())
    print(f"{name}: {results[name].shape} through lanes and {alone.shape} alone differ by", end=" ")
    print(f"{difference:.1e} at most")
    return {
        "before": before,
        "after": after,
        "naive": naive,
        "useful": lanes.useful,
        "difference": difference,
    }


if __name__ == "__main__":
    main()
