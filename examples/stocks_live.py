"""400 stocks as they stream: each evening a forecast, and one step of learning from the last one.

    evening     comes in               forecast       learned
    monday      x[mon] (400, 8)   ->   peek: tue
    tuesday     x[tue] (400, 8)   ->   peek: wed      learn: x[mon] -> return of tuesday
    wednesday   x[wed] (400, 8)   ->   peek: thu      learn: x[tue] -> return of wednesday
    ...

Nothing is collected first, and nothing is run again: each stock has its own state under its own
key, and all share one network. What a day should have told is known a day later; then `learn` takes
a gradient step on it, which reaches back over the last days (``history``), and moves the states on.

One key for each stock, in any order: a stock that isn't traded today is left out, and a new one
joins when it's first named. Here, stock 7 is suspended for a week, and stock 400 comes late.
"""

import numpy as np

from statewise import Sequential, datasets, layers, sequences
from statewise.streams import Streams

# isort: split
import keras

STOCKS, KNOWN, DAYS = 401, 60, 300
SUSPENDED, LATE = range(100, 105), 150


def traded(day):
    """Return the numbers of the stocks that have something new on this day."""
    missing = {7} if day in SUSPENDED else set()
    missing |= {400} if day < LATE else set()
    return [stock for stock in range(STOCKS) if stock not in missing]


def main():
    keras.utils.set_random_seed(0)
    stocks = datasets.stocks(STOCKS, steps=KNOWN + DAYS + 1)
    # The first days tell the scale; what comes after them streams.
    scaled = sequences.StandardScaler().fit(stocks[:, :KNOWN]).transform(stocks)[:, KNOWN:]
    model = Sequential(
        [
            layers.Input((None, 8)),
            layers.LSTM(16, return_sequences=True),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.003))

    streams = Streams(model, history=10)
    print(f"a day: {STOCKS} stocks, x (8,) each; forecast and target (1,) each")
    forecasts = np.full((DAYS, STOCKS), np.nan)
    for day in range(DAYS):
        today = {f"stock {stock}": scaled[stock, day] for stock in traded(day)}
        for key, forecast in streams.peek(today).items():  # in the evening, of tomorrow
            forecasts[day, int(key.split()[1])] = forecast[0]
        # A day later the return is known: feature 0.
        returns = {key: scaled[int(key.split()[1]), day + 1, :1] for key in today}
        streams.learn({key: (today[key], returns[key]) for key in today})

    came = scaled[:, 1 : DAYS + 1, 0].T  # (days, stocks)

    def correlation(days):
        known = np.isfinite(forecasts[days])
        return float(np.corrcoef(forecasts[days][known], came[days][known])[0, 1])

    before, after = correlation(slice(0, 30)), correlation(slice(-100, None))
    print("correlation of the forecasts with what came:")
    print(f"first 30 days {before:.3f}, last 100 days {after:.3f}")
    steps = {key: streams.steps(key) for key in ("stock 0", "stock 7", "stock 400")}
    print("days in each state:", steps)
    ahead = streams.forecast("stock 0", 1)["stock 0"]
    print("the next day of stock 0:", ahead.shape)
    return {"before": before, "after": after, "steps": list(steps.values())}


if __name__ == "__main__":
    main()
