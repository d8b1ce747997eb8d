"""One to many, by repeating: three numbers in, a whole swing out.

    out     O    O    O            O         (samples, 30 time steps, 1)
            |    |    |            |
    state   o -> o -> o ->  ... -> o         LSTM(32, return_sequences=True): (samples, 30, 32)
            |    |    |            |
    in      x    x    x            x         RepeatVector(30): (samples, 30, 3)
            +----+----+-----...----+
                      x                      (samples, 3 features)

A recurrent layer wants an input at each step. It is given the same one every time: what changes
from step to step is its state alone. Here x is height, frequency and damping of a swing.
"""

import numpy as np

from statewise import Model, layers

# isort: split
import keras

STEPS = 30


def swings(number, rng):
    """Return (number, 3) descriptions and (number, 30, 1) swings."""
    x = rng.uniform([0.5, 0.2, 0.0], [1.0, 0.6, 0.1], size=(number, 3)).astype("float32")
    height, frequency, damping = x.T[:, :, None]
    time = np.arange(STEPS)
    return x, (height * np.exp(-damping * time) * np.cos(frequency * time))[:, :, None]


def main():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    (x, y), (test_x, test_y) = swings(1000, rng), swings(200, rng)
    print("x", x.shape, "samples, features; y", y.shape, "samples, time steps, features")

    inputs = layers.Input((3,))
    repeated = layers.RepeatVector(STEPS)(inputs)
    states = layers.LSTM(32, return_sequences=True)(repeated)
    outputs = layers.Dense(1)(states)
    model = Model(inputs, outputs)
    print("inputs", inputs.shape, "repeated", repeated.shape, "states", states.shape)
    print("outputs", outputs.shape)

    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    before = model.evaluate(test_x, test_y, batch_size=50, verbose=0)
    model.fit(x, y, batch_size=50, epochs=50, verbose=0)
    after = model.evaluate(test_x, test_y, batch_size=50, verbose=0)
    print(f"mean squared error: before {before:.4f}, after {after:.4f}")
    predicted = model.predict(test_x[:1], verbose=0)
    print("truth   ", *(f"{value:6.2f}" for value in test_y[0, ::5, 0]))
    print("forecast", *(f"{value:6.2f}" for value in predicted[0, ::5, 0]))
    return {"before": before, "after": after}


if __name__ == "__main__":
    main()
