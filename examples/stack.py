"""A stack: three recurrent layers on top of each other, on the airline passengers.

    out                             O        (samples, 1)
                                    |
    LSTM(4)     o -> o ->  ...  ->  o        (samples, 4): the last step's alone
                |    |              |
    LSTM(8)     o -> o ->  ...  ->  o        (samples, 25 time steps, 8)
                |    |              |
    LSTM(16)    o -> o ->  ...  ->  o        (samples, 25 time steps, 16)
                |    |              |
    in          x    x     ...      x        (samples, 25 time steps, 1 feature)

Each layer but the last hands on all its steps: return_sequences=True. What goes in are the last 25
monthly changes of the logarithm, which don't grow as the series does; what comes out is the next.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

CHANGES = 25


def main():
    keras.utils.set_random_seed(0)
    passengers = datasets.airline()["passengers"].to_numpy(dtype="float32")
    months = int(len(passengers) * 0.67)  # to train on
    changes = np.diff(np.log(passengers))  # change i leads to month i + 1
    scaler = sequences.StandardScaler().fit(changes[: months - 1])
    x, y = sequences.create_dataset(scaler.transform(changes), CHANGES)
    x = x[:, :, None]
    cut = months - 1 - CHANGES
    print("x", x.shape, "samples, time steps, features; y", y.shape, f"; {cut} to train on")

    model = Sequential(
        [
            layers.Input((CHANGES, 1)),
            layers.LSTM(16, return_sequences=True),
            layers.LSTM(8, return_sequences=True),
            layers.LSTM(4),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    for layer in model.layers:
        print(f"{layer.name:8} {layer.output.shape}")

    last, truth = passengers[months - 1 : -1], passengers[months:]

    def rmse():
        change = scaler.inverse_transform(model.predict(x[cut:], verbose=0)[:, 0])
        return float(np.sqrt(np.mean((last * np.exp(change) - truth) ** 2)))

    before = rmse()
    model.fit(x[:cut], y[:cut], batch_size=10, epochs=60, verbose=0)
    after = rmse()
    naive = float(np.sqrt(np.mean((last - truth) ** 2)))
    print(f"RMSE, thousand passengers, a month ahead: before {before:.1f}, after {after:.1f}")
    print(f"as last month, always: {naive:.1f}")
    return {"before": before, "after": after, "naive": naive}


if __name__ == "__main__":
    main()
