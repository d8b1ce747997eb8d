"""M4 weekly: 359 series, 13 weeks ahead, and what each ingredient brought.

    python benchmarks/forecast_m4_weekly.py [--seeds 5] [--data FOLDER] [--no-ablation]

The data are the competition's weekly-train.csv and weekly-test.csv, which have no time stamps. So
they are forecast twice: with numbered steps, where the season of 52 weeks is given, and with weekly
stamps, where it isn't. All else is the forecaster's own choice on the training part. sMAPE and MASE
(season 1, as in the competition for weekly data) are averages over series. The ablation takes one
ingredient away at a time, seed 0. Prints tables in Markdown.
"""

import argparse
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import numpy as np
import pandas as pd

import statewise  # noqa: F401  (chooses Keras's engine)
from forecast_common import arguments, covered, head, row, smape, timed
from machine import machine
from statewise.sequences import read_panel
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.global_model import model

HORIZON, SEASON = 13, 52
PUBLISHED = {
    "Naive2 (published)": (9.161, 2.777),
    "winner of M4, Smyl's hybrid network (published)": (7.817, 2.356),
}


def read(folder):
    """Return the training panel as a long frame, and the truth (series, horizon)."""
    train = pd.read_csv(folder / "weekly-train.csv")
    values = train.iloc[:, 1:].to_numpy(float)
    known = ~np.isnan(values)
    lengths = known.sum(axis=1)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(train.iloc[:, 0].to_numpy(), lengths),
            "ds": np.concatenate([np.arange(length) for length in lengths]),
            "y": values[known],
        }
    )
    return frame, pd.read_csv(folder / "weekly-test.csv").iloc[:, 1:].to_numpy(float)


def measures(truth, points, scale):
    return smape(truth, points), float((np.abs(truth - points).mean(axis=1) / scale).mean())


def with_stamps(frame):
    """Return the frame with weekly stamps; from when on is not known."""
    sundays = pd.date_range("1950-01-01", periods=1 + frame["ds"].max(), freq="W-SUN")
    return frame.assign(ds=sundays[frame["ds"]])


def fit(frame, seed, changes=(), **options):
    """Fit, with the season given if not told otherwise.

    ``changes`` alter parts of the global model, for the ablation.
    """
    with ExitStack() as stack:
        for name, change in dict(changes).items():
            usual = getattr(model, name)
            stack.enter_context(patch.object(model, name, lambda *a, u=usual, c=change: c(u(*a))))
        made = Forecaster(horizon=HORIZON, season=SEASON, seed=seed)
        return made.set_params(**options).fit(frame)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-ablation", action="store_true")
    given = arguments(parser, data="m4")
    frame, truth = read(given.data)
    panel = read_panel(frame)
    moves = np.abs(np.diff(panel.values[:, 0], append=np.nan))
    moves[panel.offsets[1:] - 1] = 0
    scale = np.add.reduceat(moves, panel.offsets[:-1]) / (panel.lengths - 1)
    last = np.repeat(panel.values[panel.offsets[1:] - 1], HORIZON, axis=1)
    print(machine())
    head("forecast", "seed", "sMAPE", "MASE", "80 % cover", "95 % cover", "loss", "seconds")
    sides = {
        "statewise, season given": (frame, SEASON),
        "statewise, weekly stamps": (with_stamps(frame), "auto"),
    }
    for side, (table, season) in sides.items():
        found = []
        for seed in range(given.seeds):
            fitted, seconds = timed(partial(fit, table, seed, season=season))
            forecasts = fitted.predict(level=[80, 95])
            points = forecasts["model"].to_numpy().reshape(truth.shape)
            covers = [
                covered(
                    truth.ravel(), forecasts[f"model-lo-{level}"], forecasts[f"model-hi-{level}"]
                )
                for level in (80, 95)
            ]
            found.append((*measures(truth, points, scale), *covers))
            row(side, seed, *found[-1], fitted.losses_[-1], seconds)
        row(side, "mean", *map(float, np.mean(found, axis=0)), "", "")
    row("last value", "", *measures(truth, last, scale), "", "", "", "")
    for name, errors in PUBLISHED.items():
        row(name, "", *errors, "", "", "", "")
    if not given.no_ablation:
        ablation(frame, truth, scale)


def ablation(frame, truth, scale):
    one_member = {"request_of": lambda request: replace(request, members=1)}
    unseasonal = {"architecture_of": lambda made: replace(made, season_seen=False)}
    no_logarithm = {"specs_of": lambda specs: [one for one in specs if not one.log]}
    no_shortcut = {"architecture_of": lambda made: replace(made, shortcut=False)}
    cases = {
        "all of it": ({}, {}),
        "one network, not two": (one_member, {}),
        "without the season before as an input": (unseasonal, {}),
        "without the logarithm": (no_logarithm, {}),
        "without the short cut to the head": (no_shortcut, {}),
        "the short cut alone: one unit": ({}, {"units": 1}),
        "next-step training (quantiles), no closed loop": ({}, {"likelihood": "quantiles"}),
        "half the lookback": ({}, {"lookback": SEASON // 2}),
        "GRU": ({}, {"cell": "gru"}),
        "two layers": ({}, {"layers": 2}),
    }
    head("ingredients", "sMAPE", "MASE", "validation error", "seconds")
    for name, (changes, options) in cases.items():
        fitted, seconds = timed(lambda c=changes, o=options: fit(frame, 0, c, **o))
        points = fitted.predict()["model"].to_numpy().reshape(truth.shape)
        error = float(min(fitted.validation_errors_.values()))
        row(name, *measures(truth, points, scale), error, seconds)


if __name__ == "__main__":
    main()
