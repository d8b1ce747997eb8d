"""10,000 series of 200 steps: the time and the memory of fit and forecast, and the error.

    python benchmarks/forecast_ten_thousand.py [--seeds 5] [--peer-python PYTHON] [--series 10000]

Daily series with a week of their own strength and phase, a drift, a random walk and noise; 14 days
are forecast. Each measurement is a process of its own, whose compilation counts. statewise runs as
it is by default, and with ``epochs=4``, as one would who has no time to lose. NeuralForecast's LSTM
has its defaults (1000 steps), the same lookback, and all threads. Prints a table in Markdown.
"""

import argparse
import json
import resource

import numpy as np

from forecast_common import arguments, head, in_process, peer, row, timed
from machine import machine

KNOWN, HORIZON, LOOKBACK = 200, 14, 28
OURS = {"statewise": "auto", "statewise, epochs=4": 4}


def panel(count, seed):
    """Return (series, days)."""
    rng = np.random.default_rng(seed)
    days = np.arange(KNOWN + HORIZON)
    strength, phase = rng.uniform(0, 15, (count, 1)), rng.uniform(0, 7, (count, 1))
    week = strength * np.sin(2 * np.pi * (days + phase) / 7)
    drift = 0.1 * rng.normal(size=(count, 1)) * days
    walk = 0.5 * rng.normal(size=(count, len(days))).cumsum(axis=1)
    return 50 + week + drift + walk + 2 * rng.normal(size=(count, len(days)))


def measure(count, seed, epochs):
    """Fit and forecast; print what it took as JSON."""
    import pandas as pd

    from statewise.tasks import Forecaster

    values = panel(count, seed)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(count), KNOWN),
            "ds": np.tile(pd.date_range("2024-01-01", periods=KNOWN), count),
            "y": values[:, :KNOWN].ravel(),
        }
    )
    forecaster = Forecaster(horizon=HORIZON, lookback=LOOKBACK, epochs=epochs, seed=seed)
    table, seconds = timed(lambda: forecaster.fit(frame).predict())
    _, again = timed(lambda: forecaster.predict(level=[80, 95]))
    points = table["model"].to_numpy().reshape(count, HORIZON)
    found = {
        "seconds": seconds,
        "again": again,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "error": float(np.abs(points - values[:, KNOWN:]).mean()),
        "loss": (forecaster.losses_ or [float("nan")])[-1],
    }
    print(json.dumps({"found": found}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--peer-seeds", type=int, default=None, help="seeds of the peer")
    parser.add_argument("--epochs", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=int, default=None, help=argparse.SUPPRESS)
    given = arguments(parser)
    if given.measure is not None:
        measure(given.series, given.measure, given.epochs or "auto")
        return
    print(machine())
    head("forecast", "seed", "fit and forecast, s", "forecast again, s", "memory, GiB", "MAE")
    times = {name: [] for name in OURS}
    theirs = []
    for seed in range(given.seeds):
        for name, epochs in OURS.items():
            options = [] if epochs == "auto" else ["--epochs", epochs]
            result = in_process(__file__, seed, "--series", given.series, *options)
            if "error" in result:
                row(name, seed, f"failed: {result['error']}", "", "", "")
                continue
            found = result["found"]
            times[name].append(found["seconds"])
            row(name, seed, *(found[each] for each in ("seconds", "again", "memory", "error")))
    for seed in range(given.seeds if given.peer_seeds is None else given.peer_seeds):
        values = panel(given.series, seed)
        if seed == 0:
            week = values[:, KNOWN - 7 : KNOWN][:, np.arange(HORIZON) % 7]
            error = float(np.abs(week - values[:, KNOWN:]).mean())
            row("same day of the last week", seed, "", "", "", error)
        if not given.peer_python:
            break
        result = peer(
            given.peer_python,
            "neural",
            {"panel": values[:, :KNOWN, None]},
            model="LSTM",
            horizon=HORIZON,
            lookback=LOOKBACK,
            steps=1000,
            seed=seed,
        )
        if "error" in result:
            row("NeuralForecast LSTM", seed, f"failed: {result['error']}", "", "", "")
            continue
        theirs.append(result["seconds"])
        error = float(np.abs(result["points"] - values[:, KNOWN:]).mean())
        row("NeuralForecast LSTM", seed, result["seconds"], "", result["memory"], error)
    for name, ours in times.items():
        if ours and theirs:
            ratio = np.median(theirs) / np.median(ours)
            row(f"**{name}: times faster**", "", f"**{ratio:.1f}** (to be 5)", "", "", "")


if __name__ == "__main__":
    main()
