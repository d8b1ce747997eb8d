"""Eight features: how wide the red box is. Eight numbers of a stock a day, for twenty days.

    out                             O        (samples, 8)
                                    |
    state   o -> o -> o ->  ...  -> o        LSTM(16): (samples, 32)
            |    |    |             |
    in      8    8    8             8        (samples, 20 time steps, 8 features)

A feature is one of the numbers that are known at each step: return, volume, volatility, ... The
number of features says nothing about the number of steps, and the units of the layer have nothing
to do with either. One stock is one series: two stocks aren't two features, unless what one does is
to be foreseen from the other.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

DAYS = 20


def main():
    keras.utils.set_random_seed(0)
    stocks = datasets.stocks(60, steps=250)
    train, test = sequences.split(stocks, train_fraction=0.8)
    scaler = sequences.StandardScaler().fit(train)
    x, y = sequences.windows(scaler.transform(train), DAYS)
    test_x, test_y = sequences.windows(scaler.transform(test), DAYS)
    y, test_y = y[:, 0], test_y[:, 0]  # one step out, so no axis for it
    print("stocks", stocks.shape, "-> x", x.shape, "samples, time steps, features; y", y.shape)

    model = Sequential([layers.Input((DAYS, 8)), layers.LSTM(16), layers.Dense(8)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.003))
    for layer in model.layers:
        print(f"{layer.name:8} {layer.output.shape}")

    def errors(predicted):
        return np.mean((predicted - test_y) ** 2, axis=0)

    before = errors(model.predict(test_x, verbose=0))
    model.fit(x, y, batch_size=60, epochs=5, verbose=0)
    after = errors(model.predict(test_x, verbose=0))
    naive = errors(test_x[:, -1])
    print("error of tomorrow's value (variances)")
    print(f"{'':10} {'before':>7} {'after':>7} {'as today':>8}")
    for name, *row in zip(datasets.STOCK_FEATURES, before, after, naive, strict=True):
        print(f"{name:10} {row[0]:7.3f} {row[1]:7.3f} {row[2]:8.3f}")
    return {"before": before.mean(), "after": after.mean(), "naive": naive.mean()}


if __name__ == "__main__":
    main()
