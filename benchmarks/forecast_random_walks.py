"""400 stocks-like random walks: nothing can be foreseen but how far they may go.

    python benchmarks/forecast_random_walks.py [--seeds 5] [--peer-python PYTHON]

Prices whose logarithms take independent steps, Student's t with 5 degrees of freedom, each stock
with a volatility of its own. 250 days are known, 20 are forecast. The naive forecast can't be
beaten; a forecaster is to know that, at the first step above all, and to say how far prices may go.
Each seed draws other walks. Prints tables in Markdown.
"""

import argparse

import numpy as np
import pandas as pd

import statewise  # noqa: F401  (chooses Keras's engine)
from forecast_common import arguments, covered, head, peer, row, timed
from machine import machine
from statewise.tasks import Forecaster

STOCKS, KNOWN, HORIZON = 400, 250, 20
LIKELIHOODS = (None, "gaussian", "student-t", "quantiles")


def prices(seed):
    """Return (stocks, days)."""
    rng = np.random.default_rng(seed)
    volatility = 0.01 * np.exp(0.5 * rng.normal(size=(STOCKS, 1)))
    steps = volatility * rng.standard_t(5, size=(STOCKS, KNOWN + HORIZON))
    return 50 * np.exp(0.5 * rng.normal(size=(STOCKS, 1)) + steps.cumsum(axis=1))


def main():
    given = arguments(argparse.ArgumentParser(description=__doc__.splitlines()[0]))
    print(machine())
    head(
        "forecast",
        "seed",
        "first step, error over naive",
        "all steps, error over naive",
        "80 % cover",
        "95 % cover",
        "seconds",
    )
    days = pd.bdate_range("2020-01-01", periods=KNOWN)
    for likelihood in LIKELIHOODS:
        found = []
        name = f"statewise, {likelihood or 'residuals'}"
        for seed in range(given.seeds):
            walks = prices(seed)
            frame = pd.DataFrame(
                {
                    "unique_id": np.repeat(np.arange(STOCKS), KNOWN),
                    "ds": np.tile(days, STOCKS),
                    "y": walks[:, :KNOWN].ravel(),
                }
            )

            def run(frame=frame, likelihood=likelihood, seed=seed):
                made = Forecaster(horizon=HORIZON, likelihood=likelihood, seed=seed)
                return made.fit(frame).predict(level=[80, 95])

            table, seconds = timed(run)
            truth = walks[:, KNOWN:]
            points = table["model"].to_numpy().reshape(truth.shape)
            covers = [
                covered(truth.ravel(), table[f"model-lo-{level}"], table[f"model-hi-{level}"])
                for level in (80, 95)
            ]
            found.append((*ratios(walks, points), *covers))
            row(name, seed, *found[-1], seconds)
        row(name, "all", *map(float, np.mean(found, axis=0)), "")
    if given.peer_python:
        for seed in range(given.seeds):
            walks = prices(seed)
            result = peer(
                given.peer_python,
                "neural",
                {"panel": walks[:, :KNOWN, None]},
                model="LSTM",
                horizon=HORIZON,
                lookback=2 * HORIZON,
                steps=1000,
                seed=seed,
                validation=HORIZON,
            )
            if "error" in result:
                row("NeuralForecast LSTM", seed, f"failed: {result['error']}", "", "", "", "")
                continue
            found = ratios(walks, result["points"])
            row("NeuralForecast LSTM", seed, *found, "", "", result["seconds"])


def ratios(walks, points):
    """Return the mean absolute error over that of the last value: first step, all steps."""
    truth = walks[:, KNOWN:]
    ours, naive = np.abs(points - truth), np.abs(walks[:, KNOWN - 1 : KNOWN] - truth)
    return float(ours[:, 0].mean() / naive[:, 0].mean()), float(ours.mean() / naive.mean())


if __name__ == "__main__":
    main()
