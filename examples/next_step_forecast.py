"""Train on the next step, forecast beyond the known ones: eight tanks, their next 24 hours.

    train     in   1  2  3 ... 239          out  2  3  4 ... 240       the same, one step ahead
    warm-up   in   1  2  3 ... 240          out  . . . . . . .  241    the last is the first new one
    loop      in   241 -> 242 -> ...        each output is the next input, 24 times

The warm-up runs over steps that are known, for the state's sake: after it the network knows at
which time of day each tank's heater comes on. In the loop it lives on what it says itself.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

KNOWN, AHEAD = 240, 24


def main():
    keras.utils.set_random_seed(0)
    tanks = datasets.tanks(8, steps=KNOWN + AHEAD)
    known, future = sequences.split(tanks, test_steps=AHEAD)
    scaler = sequences.StandardScaler().fit(known)
    known, future = scaler.transform(known), scaler.transform(future)
    x, y = known[:, :-1], known[:, 1:]
    print("x", x.shape, "samples, time steps, features; y, a step ahead,", y.shape)

    model = Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(32, stateful=True, return_sequences=True),
            layers.Dense(2),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))

    def error():
        return float(np.mean((model.forecast(known, AHEAD) - future) ** 2))

    before = error()
    for _ in range(250):
        model.reset_states()  # the sequences begin anew
        model.train_on_batch(x, y)
    model.reset_states()
    forecast = model.forecast(known, AHEAD)
    print("known", known.shape, "forecast", forecast.shape)
    after = error()
    naive = float(np.mean((known[:, -1:] - future) ** 2))
    print(f"error of {AHEAD} hours (variances): before {before:.3f}, after {after:.3f}")
    print(f"as in the last known hour, always: {naive:.3f}")
    print("temperature of the first tank, degrees Celsius")
    truth, said = scaler.inverse_transform(future), scaler.inverse_transform(forecast)
    print("hour    ", *(f"{hour:5}" for hour in range(1, AHEAD + 1, 3)))
    print("truth   ", *(f"{value:5.1f}" for value in truth[0, ::3, 1]))
    print("forecast", *(f"{value:5.1f}" for value in said[0, ::3, 1]))
    return {"before": before, "after": after, "naive": naive}


if __name__ == "__main__":
    main()
