"""ETTh1: oil temperature 24 and 96 hours ahead, from itself and from all seven columns.

    python benchmarks/forecast_etth1.py [--seeds 5] [--peer-python PYTHON] [--horizon 24]

The customary split: 12 months to learn from, 4 to validate on, 4 to test on, of which every hour
is an origin. Both sides may use the 16 months before the test part as they like; statewise is
fitted once, and then given the hours before each origin as new data. NeuralForecast's models have
their defaults (1000 steps at most, stopped early on the 4 months of validation; DeepAR with
statewise's 128 windows an update, as its own 1024 would take eight times as long), the same
lookback, and the loss they are usually given. Errors are in deviations of the 12 months, as
customary.
Prints a table in Markdown.
"""

import argparse

import numpy as np
import pandas as pd

import statewise  # noqa: F401  (chooses Keras's engine)
from forecast_common import arguments, covered, head, peer, row, timed
from machine import machine
from statewise.sequences import Columns
from statewise.tasks import Forecaster

TRAIN, FIT, END = 8640, 11520, 14400
TAIL = 720  # hours before each origin that are given as known


def ours(frame, horizon, seed, past):
    """Return points, ends of the 80 % interval, the fitted forecaster, and the seconds."""
    names = Columns(time="date", target="OT", past=past)
    used = frame[["date", "OT", *past]]

    def run():
        fitted = Forecaster(horizon=horizon, seed=seed).fit(used[:FIT], columns=names)
        origins = np.arange(FIT, END - horizon + 1)
        rows = origins[:, None] + np.arange(-TAIL, 0)
        known = used.iloc[rows.ravel()].assign(unique_id=np.repeat(origins, TAIL))
        return fitted, fitted.predict(new_data=known, level=[80])

    (fitted, table), seconds = timed(run)
    parts = [table[c].to_numpy().reshape(-1, horizon) for c in ("model", "model-lo-80")]
    return *parts, table["model-hi-80"].to_numpy().reshape(-1, horizon), fitted, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--horizon", type=int, action="append")
    parser.add_argument("--peer-seeds", type=int, default=None, help="seeds of the peers")
    given = arguments(parser, data="etth1")
    frame = pd.read_csv(given.data / "ETTh1.csv", parse_dates=["date"])
    values = frame["OT"].to_numpy()
    unit = values[:TRAIN].std()
    others = [name for name in frame.columns if name not in ("date", "OT")]
    print(machine())
    head("horizon", "inputs", "forecast", "seed", "MSE", "MAE", "80 % cover", "seconds")
    for horizon in given.horizon or (24, 96):
        origins = np.arange(FIT, END - horizon + 1)
        truth = values[origins[:, None] + np.arange(horizon)]

        def errors(points, truth=truth):
            off = (points - truth) / unit
            return float(np.square(off).mean()), float(np.abs(off).mean())

        last = np.repeat(values[origins - 1][:, None], horizon, axis=1)
        day = values[origins[:, None] - 24 + np.arange(horizon) % 24]
        row(horizon, "OT", "last value", "", *errors(last), "", "")
        row(horizon, "OT", "same hour of the last day", "", *errors(day), "", "")
        for inputs, past in (("OT", []), ("all seven", others)):
            for seed in range(given.seeds):
                points, low, high, fitted, seconds = ours(frame, horizon, seed, past)
                cover = covered(truth, low, high)
                row(horizon, inputs, "statewise", seed, *errors(points), cover, seconds)
            if not given.peer_python:
                continue
            panel = frame[["OT", *past]].to_numpy(float)[None, :END]
            for model in ("LSTM", "DeepAR") if not past else ("LSTM",):
                for seed in range(given.seeds if given.peer_seeds is None else given.peer_seeds):
                    result = peer(
                        given.peer_python,
                        "neural",
                        {"panel": panel},
                        model=model,
                        horizon=horizon,
                        lookback=fitted.lookback_,
                        steps=1000,
                        seed=seed,
                        validation=FIT - TRAIN,
                        test=END - FIT,
                    )
                    name = f"NeuralForecast {model}"
                    if "error" in result:
                        row(horizon, inputs, name, seed, f"failed: {result['error']}", "", "", "")
                        continue
                    found = errors(result["points"])
                    row(horizon, inputs, name, seed, *found, "", result["seconds"])


if __name__ == "__main__":
    main()
