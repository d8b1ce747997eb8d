"""Many to one: twelve hours of a tank in, the temperature of the next hour out.

    out                             O        (samples, 1)
                                    |
    state   o -> o -> o ->  ...  -> o        LSTM(16): (samples, 16), the last step's alone
            |    |    |             |
    in      P,T  P,T  P,T   ...    P,T       (samples, 12 time steps, 2 features)

The layer makes all twelve steps whatever return_sequences says. False, the default, gives what it
has at the last one, and leaves out the eleven before.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

HOURS = 12


def main():
    keras.utils.set_random_seed(0)
    tanks = datasets.tanks(30, steps=120)  # (tanks, time steps, features)
    train, test = sequences.split(tanks, train_fraction=0.75)
    scaler = sequences.StandardScaler().fit(train)
    cut = {
        name: sequences.windows(scaler.transform(part), HOURS, targets=1)  # 1: the temperature
        for name, part in {"train": train, "test": test}.items()
    }
    x, y = cut["train"]
    test_x, test_y = cut["test"]
    y, test_y = y[:, 0], test_y[:, 0]  # one step out, so no axis for it
    print("tanks", tanks.shape, "-> x", x.shape, "samples, time steps, features; y", y.shape)

    model = Sequential([layers.Input((HOURS, 2)), layers.LSTM(16), layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    for layer in model.layers:
        print(f"{layer.name:8} {layer.output.shape}")

    before = model.evaluate(test_x, test_y, verbose=0)
    model.fit(x, y, batch_size=60, epochs=15, verbose=0)
    after = model.evaluate(test_x, test_y, verbose=0)
    naive = float(np.mean((test_x[:, -1, 1:] - test_y) ** 2))
    print(f"test error (variances): before {before:.3f}, after {after:.3f}, as now {naive:.3f}")
    predicted = model.predict(test_x[:24], verbose=0)
    print("truth   ", test_y[:24:4, 0].round(2))
    print("forecast", predicted[::4, 0].round(2))
    return {"before": before, "after": after, "naive": naive}


if __name__ == "__main__":
    main()
