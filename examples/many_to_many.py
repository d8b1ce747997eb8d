"""Many to many: for every day's return of a stock, its volatility on that day.

    out     v    v    v            v         (samples, 120 time steps, 1)
            |    |    |            |
    state   o -> o -> o ->  ... -> o         LSTM(16, return_sequences=True): (samples, 120, 16)
            |    |    |            |
    in      r    r    r            r         (samples, 120 time steps, 1 feature)

Volatility is a memory of past returns, large ones above all, which fades by 6 % a day. The layer
isn't told so; with return_sequences=True it answers at each step from all steps up to it. A Dense
layer after it works on each step by itself, with the same weights.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras


def main():
    keras.utils.set_random_seed(0)
    stocks = datasets.stocks(60, steps=120)
    returns = datasets.STOCK_FEATURES.index("return")
    volatility = datasets.STOCK_FEATURES.index("volatility")
    scaler = sequences.StandardScaler().fit(stocks[:40])
    stocks = scaler.transform(stocks)
    x, y = stocks[:, :, [returns]], stocks[:, :, [volatility]]
    print("x", x.shape, "samples, time steps, features; y", y.shape)

    model = Sequential(
        [
            layers.Input((None, 1)),  # None: any number of time steps
            layers.LSTM(16, return_sequences=True),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    for layer in model.layers:
        print(f"{layer.name:8} {layer.output.shape}")

    before = model.evaluate(x[40:], y[40:], verbose=0)
    model.fit(x[:40], y[:40], batch_size=10, epochs=60, verbose=0)
    after = model.evaluate(x[40:], y[40:], verbose=0)
    constant = float(np.var(y[40:]))
    print(f"error on other stocks (variances): before {before:.3f}, after {after:.3f}")
    print(f"a constant, the mean, would have {constant:.3f}")
    predicted = model.predict(x[40:41], verbose=0)
    print("day     ", *(f"{day:6}" for day in range(19, 120, 20)))
    print("truth   ", *(f"{value:6.2f}" for value in y[40, 19::20, 0]))
    print("forecast", *(f"{value:6.2f}" for value in predicted[0, 19::20, 0]))
    return {"before": before, "after": after, "constant": constant}


if __name__ == "__main__":
    main()
