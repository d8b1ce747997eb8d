"""Public panels with held-out tests (M1 and tourism, yearly to monthly), beside what is published.

    python benchmarks/forecast_panels.py [--seeds 1] [--data FOLDER] [--only NAME] [--given]

NAME-train.csv and NAME-test.csv hold a row for each series: id, v1, v2, ... The files have no time
stamps: yearly, quarterly and monthly ones stand in for them, so that the calendar offers seasons,
and all is the forecaster's own choice on the training part. With ``--given`` the season is given
instead. Series that are too short to learn from are forecast by the seasonal naive. MASE as in the
Chronos benchmark: absolute errors over the mean absolute difference over a season m of the whole
training part, averaged over all series and steps that have both; sMAPE averaged alike. Prints a
table in Markdown.
"""

import argparse
from functools import partial

import numpy as np
import pandas as pd

import statewise  # noqa: F401  (chooses Keras's engine)
from forecast_common import arguments, head, row, timed
from machine import machine
from statewise.tasks import Forecaster, seasonal_naive

FREQUENCIES = {"yearly": ("YS", 1), "quarterly": ("QS", 4), "monthly": ("MS", 12)}
PUBLISHED = {  # the least MASE, and by what
    "m1_yearly": (3.486, "AutoARIMA"),
    "m1_quarterly": (1.661, "AutoETS"),
    "m1_monthly": (1.052, "TimesFM 2.0"),
    "tourism_yearly": (2.879, "Moirai, large"),
    "tourism_quarterly": (1.475, "N-BEATS"),
    "tourism_monthly": (1.409, "DeepAR"),
}


def read(folder, name):
    """Return for each series its known values and the true ones that follow."""
    series = []
    for part in ("train", "test"):
        lines = (folder / f"{name}-{part}.csv").read_text().splitlines()
        cells = [line.split(",")[1:] for line in lines]
        series.append([np.array([float(cell) for cell in row if cell != ""]) for row in cells])
    return list(zip(*series, strict=True))


def frame_of(series, alias):
    """Return the known values as a long frame with stamps."""
    longest = max(len(known) for known, _ in series)
    stamps = pd.date_range("1900-01-01", periods=longest, freq=alias)
    return pd.concat(
        pd.DataFrame({"unique_id": f"{i:04}", "ds": stamps[: len(known)], "y": known})
        for i, (known, _) in enumerate(series)
    )


def forecast(forecaster, frame):
    return forecaster.fit(frame, short="drop").predict()


def measures(series, points, season):
    """Return MASE and sMAPE."""
    scaled, symmetric = [], []
    for (known, truth), point in zip(series, points, strict=True):
        scale = np.nanmean(np.abs(known[season:] - known[:-season])) if len(known) > season else 0
        errors = np.abs(truth - point)
        if scale > 0:
            scaled.append(errors / scale)
        symmetric.append(200 * errors / np.maximum(np.abs(truth) + np.abs(point), 1e-12))
    return tuple(float(np.nanmean(np.concatenate(one))) for one in (scaled, symmetric))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PUBLISHED, action="append")
    parser.add_argument("--given", action="store_true", help="give the season")
    given = arguments(parser, data="panels")
    print(machine())
    head("panel", "forecast", "seed", "MASE", "sMAPE", "seasons", "epochs", "seconds")
    for name in given.only or PUBLISHED:
        alias, season = FREQUENCIES[name.rpartition("_")[2]]
        series = read(given.data, name)
        horizon = len(series[0][1])
        frame = frame_of(series, alias)
        option = {"season": season} if given.given else {}
        naive = [seasonal_naive(known, horizon, season=season) for known, _ in series]
        for seed in range(given.seeds):
            forecaster = Forecaster(horizon=horizon, seed=seed, **option)
            table, seconds = timed(partial(forecast, forecaster, frame))
            points = list(naive)  # of series that are too short to learn from
            for key, one in table.groupby("unique_id"):
                points[int(key)] = one["model"].to_numpy()
            found = ", ".join(map(str, forecaster.seasons_))
            errors = measures(series, points, season)
            row(name, "statewise", seed, *errors, found, forecaster.epochs_, seconds)
        row(name, "seasonal naive", "", *measures(series, naive, season), "", "", "")
        row(name, f"{PUBLISHED[name][1]} (published)", "", PUBLISHED[name][0], "", "", "", "")


if __name__ == "__main__":
    main()
