r"""One to many, by feeding back: one step in, and from then on the network's own outputs.

    out     O    O    O            O         (batch, 40 time steps, 2)
            |\   |\   |\           |
    state   o \> o \> o \>  ... \> o         a state that is carried from step to step
            |  \ |  \ |  \       \ |
    in      x    O    O            O         (batch, 1 time step, 2 features), then its own outputs

The features must be the same in and out: here place and speed of a pendulum. The loop can be
written by hand, with a stateful layer and one step a call; or `forecast` runs it as one compiled
program. Both are done here, and give the same.
"""

import numpy as np

from statewise import Sequential, layers

# isort: split
import keras

STEPS = 40


def pendulums(number, rng):
    """Return (number, STEPS + 1, 2): place and speed, from a random start."""
    at, speed = rng.uniform(-1, 1, size=(2, number))
    steps = []
    for _ in range(STEPS + 1):
        steps.append(np.stack([at, speed], axis=-1))
        for _ in range(10):
            speed = speed - 0.03 * (np.sin(2 * at) + 0.1 * speed)
            at = at + 0.03 * speed
    return np.stack(steps, axis=1).astype("float32")


def by_hand(model, first):
    model.reset_states()  # new sequences begin
    outputs, last = [], first
    for _ in range(STEPS):
        last = model.predict_on_batch(last)  # (batch, 1, 2)
        outputs.append(last)
    model.reset_states()
    return np.concatenate(outputs, axis=1)


def main():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    train, test = pendulums(400, rng), pendulums(100, rng)
    x, y = train[:, :-1], train[:, 1:]
    print("x", x.shape, "samples, time steps, features; y, a step ahead,", y.shape)

    model = Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(32, stateful=True, return_sequences=True),
            layers.Dense(2),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    first, truth = test[:, :1], test[:, 1:]  # all it is given, and what it is to say

    def error():
        return float(np.mean((model.forecast(first, STEPS) - truth) ** 2))

    before = error()
    for _ in range(120):
        for rows in np.split(rng.permutation(len(x)), 8):
            model.reset_states()  # other pendulums: each begins at its own first step
            model.train_on_batch(x[rows], y[rows])
    model.reset_states()
    after = error()
    forecast = model.forecast(first, STEPS)
    print("given", first.shape, "forecast", forecast.shape)
    difference = float(np.abs(by_hand(model, first) - forecast).max())
    print(f"by hand and by forecast() differ by {difference:.1e} at most")
    print(f"mean squared error over {STEPS} steps: before {before:.4f}, after {after:.4f}")
    print("truth   ", *(f"{value:6.2f}" for value in truth[0, ::5, 0]))
    print("forecast", *(f"{value:6.2f}" for value in forecast[0, ::5, 0]))
    return {"before": before, "after": after, "difference": difference}


if __name__ == "__main__":
    main()
