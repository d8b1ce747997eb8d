"""Train the small LSTM whose numbers the learner's page shows, and write them beside the page.

    python3 scripts/make_tank_lstm.py

An LSTM(4) and a Dense(2) learn, hour by hour, what pressure and temperature of a tank will be in
the next hour. The page shows it three tanks of another seed, which it has not seen. It takes some
seconds; another processor rounds another way, and its weights end a little elsewhere.
"""

import json
from pathlib import Path

import numpy as np

from statewise import Sequential, datasets, layers, sequences

# isort: split
import keras

OUTPUT = Path(__file__).parents[1] / "src/statewise/pictures/learn/assets/tank_lstm.json"
UNITS, EPOCHS, BATCH, TANKS = 4, 1000, 8, 32
KNOWN, AHEAD, SHOWN = 72, 24, 3


def train(scaled: np.ndarray) -> Sequential:
    """Return a network trained on the next step of scaled tanks, (tanks, hours, 2)."""
    keras.utils.set_random_seed(0)
    model = Sequential(
        [layers.Input((None, 2)), layers.LSTM(UNITS, return_sequences=True), layers.Dense(2)]
    )
    steps = EPOCHS * len(scaled) // BATCH
    rate = keras.optimizers.schedules.CosineDecay(0.02, steps)
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(rate))
    model.fit(scaled[:, :-1], scaled[:, 1:], epochs=EPOCHS, batch_size=BATCH, verbose=0)
    return model


def measure(model: Sequential, scaler, tanks: np.ndarray) -> dict:
    """Return the mean absolute errors of a day's forecast and of "it stays as it is"."""
    known, future = tanks[:, :KNOWN], tanks[:, KNOWN:]
    forecast = scaler.inverse_transform(model.forecast(scaler.transform(known), AHEAD))
    errors = {"forecast": forecast - future, "naive": known[:, -1:] - future}
    return {name: _plain(np.abs(e).mean(axis=(0, 1)).round(2)) for name, e in errors.items()}


def main():
    """Train, measure on tanks that were not learned from, write."""
    tanks = datasets.tanks(TANKS, steps=168)
    scaler = sequences.StandardScaler().fit(tanks)
    model = train(scaler.transform(tanks))
    names = ["kernel", "recurrent_kernel", "bias", "dense_kernel", "dense_bias"]
    others = datasets.tanks(40, steps=KNOWN + AHEAD, seed=1)
    numbers = {
        "features": datasets.TANK_FEATURES,
        "units": UNITS,
        "shift": _plain(scaler.shift),
        "scale": _plain(scaler.scale),
        "weights": dict(zip(names, map(_plain, model.get_weights()), strict=True)),
        "tanks": _plain(others[:SHOWN].round(1)),
        "known": KNOWN,
        "ahead": AHEAD,
        "error": measure(model, scaler, others),
        "trained_on": {"tanks": TANKS, "hours": tanks.shape[1]},
    }
    OUTPUT.write_text(json.dumps(numbers, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{OUTPUT.name}: {OUTPUT.stat().st_size} bytes, mean absolute errors {numbers['error']}")


def _plain(array: np.ndarray) -> list:
    """Return nested lists in which each number has just the digits that tell it from others."""
    if array.ndim:
        return [_plain(part) for part in array]
    return float(str(array))


if __name__ == "__main__":
    main()
