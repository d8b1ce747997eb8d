"""Airline passengers: the last 24 months in closed loop, and the last third one step ahead.

    python benchmarks/forecast_airline.py [--seeds 5] [--peer-python PYTHON]

Seeds 0 to 4. The forecaster learns from the months before, and so do AutoARIMA and AutoETS; the
held-out months decide nothing. Prints a table in Markdown.
"""

import argparse

import numpy as np

import statewise  # noqa: F401  (chooses Keras's engine)
from forecast_common import arguments, head, peer, row, timed
from machine import machine
from statewise.datasets import airline_path
from statewise.sequences import read_series
from statewise.tasks import Forecaster, evaluate_closed_loop, evaluate_one_step, mae, rmse

HELD_OUT = 24


def main():
    given = arguments(argparse.ArgumentParser(description=__doc__.splitlines()[0]))
    series = read_series(airline_path())
    values = series.values[:, 0]
    print(machine())
    head("forecast", "seed", "closed loop MAE", "RMSE", "one step RMSE", "loss", "seconds")
    found = []
    for seed in range(given.seeds):
        closed, seconds = timed(
            lambda seed=seed: evaluate_closed_loop(Forecaster(horizon=HELD_OUT, seed=seed), series)
        )
        one = evaluate_one_step(Forecaster(horizon=1, seed=seed), series)
        errors = closed.table.loc["model", "MAE"], closed.table.loc["model", "RMSE"]
        found.append((*errors, one.table.loc["model", "RMSE"]))
        row("statewise", seed, *map(float, found[-1]), closed.forecaster.losses_[-1], seconds)
    row("statewise", "mean", *map(float, np.mean(found, axis=0)), "", "")
    row("statewise", "worst", *map(float, np.max(found, axis=0)), "", "")
    for name in ("seasonal naive", "naive"):
        row(
            name,
            "",
            float(closed.table.loc[name, "MAE"]),
            float(closed.table.loc[name, "RMSE"]),
            float(one.table.loc[name, "RMSE"]),
            "",
            "",
        )
    if given.peer_python:
        truth = values[-HELD_OUT:]
        arrays = {"series": values[:-HELD_OUT]}
        result = peer(given.peer_python, "autos", arrays, horizon=HELD_OUT, season=12)
        if "error" in result:
            row("statsforecast", "", f"failed: {result['error']}", "", "", "", "")
            return
        for name in ("AutoARIMA", "AutoETS"):
            row(name, "", mae(truth, result[name]), rmse(truth, result[name]), "", "", "")
        print(f"\n{result['versions']}")


if __name__ == "__main__":
    main()
