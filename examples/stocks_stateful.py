"""400 stocks that share one stateful network: each day comes alone, and nothing is run again.

                 monday          tuesday
    stock 1      in -> [state 1] -> in -> [state 1] -> ...
    stock 2      in -> [state 2] -> in -> [state 2] -> ...      batch_size = 400: one row, one stock
    ...                                                          weights: the same for all
    stock 400    in -> [state 400] -> in -> [state 400] -> ...

The batch size of a stateful network has nothing to do with 1: it is how many series run beside each
other. What matters is that row 7 of each batch is the same stock, and goes on where it stopped.

Learning runs over chunks of 20 days, 400 rows each, one after the other, through compiled epochs;
then the days of the test arrive one by one: (400, 1, 8) in, (400, 1, 1) out.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

STOCKS, CHUNK = 400, 20
TRAIN, TEST = 200, 60


def in_chunks(panel):
    """Turn (stocks, days, features) into batches of 400 rows: (chunks * stocks, 20, features)."""
    chunks = np.split(panel, panel.shape[1] // CHUNK, axis=1)
    return np.concatenate(chunks)


def main():
    keras.utils.set_random_seed(0)
    stocks = datasets.stocks(STOCKS, steps=TRAIN + TEST + 1)
    scaled = sequences.StandardScaler().fit(stocks[:, :TRAIN]).transform(stocks)
    today, tomorrow = scaled[:, :-1], scaled[:, 1:, :1]  # feature 0 is the return
    x, y = in_chunks(today[:, :TRAIN]), in_chunks(tomorrow[:, :TRAIN])
    print("x", x.shape, "samples, time steps, features; y", y.shape)
    print(f"{len(x) // STOCKS} batches of {STOCKS} stocks, each {CHUNK} days long")

    model = Sequential(
        [
            layers.Input((None, 8)),
            layers.LSTM(16, stateful=True, return_sequences=True),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.003))

    def live():
        """Return how the forecasts of the test days, made one by one, go with what came."""
        model.reset_states()
        model.predict(today[:, :TRAIN], batch_size=STOCKS, verbose=0)  # up to the last known day
        days = range(TRAIN, TRAIN + TEST)
        forecasts = [model.predict_on_batch(today[:, [day]]) for day in days]
        forecasts = np.concatenate(forecasts, axis=1)  # (400, 60, 1)
        return np.corrcoef(forecasts.ravel(), tomorrow[:, TRAIN:].ravel())[0, 1]

    before = live()
    for _ in range(12):
        model.reset_states()  # a new epoch begins at the first day again
        model.fit(x, y, batch_size=STOCKS, shuffle=False, verbose=0)
    after = live()
    today_again = np.corrcoef(today[:, TRAIN:, 0].ravel(), tomorrow[:, TRAIN:, 0].ravel())[0, 1]
    print(f"correlation of forecast and return over {TEST} live days of {STOCKS} stocks:")
    print(f"before {before:.3f}, after {after:.3f}")
    print(f"of today's return and tomorrow's: {today_again:.3f}")
    return {"before": before, "after": after}


if __name__ == "__main__":
    main()
