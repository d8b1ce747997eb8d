"""The peers' side of the forecasting benchmarks. It runs in an environment that has them.

    python benchmarks/forecast_peers.py JOB FOLDER OPTIONS

reads ``given.npz`` in the folder, and writes ``found.npz`` and ``found.json``. The other benchmarks
start it; it needs neuralforecast, statsforecast and pandas, and nothing of statewise.
"""

import json
import logging
import os
import resource
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd


def autos(given, options):
    """Forecast one series by AutoARIMA and AutoETS: ``horizon`` steps, season ``season``."""
    from statsforecast import StatsForecast
    from statsforecast.models import AutoARIMA, AutoETS

    season = options["season"]
    models = [AutoARIMA(season_length=season), AutoETS(season_length=season)]
    y = given["series"]
    frame = pd.DataFrame({"unique_id": 0, "ds": np.arange(len(y)), "y": y})
    forecast = StatsForecast(models=models, freq=1).forecast(df=frame, h=options["horizon"])
    return {name: forecast[name].to_numpy() for name in ("AutoARIMA", "AutoETS")}, {}


def neural(given, options):
    """Fit NeuralForecast's LSTM or DeepAR on a panel (series, time), and forecast from its end.

    With ``test`` steps it forecasts from every origin in the last ``test`` of them instead; the
    ``validation`` steps before those decide when training stops early.
    """
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MAE, DistributionLoss
    from neuralforecast.models import LSTM, DeepAR

    y = given["panel"]  # (series, time, columns), the target first
    series, steps, columns = y.shape
    names = [f"x{i}" for i in range(1, columns)]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(series), steps),
            "ds": np.tile(np.arange(steps), series),
            "y": y[..., 0].ravel(),
        }
        | {name: y[..., i + 1].ravel() for i, name in enumerate(names)}
    )
    common = {
        "h": options["horizon"],
        "input_size": options["lookback"],
        "max_steps": options["steps"],
        "random_seed": options["seed"],
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "logger": False,
        "enable_checkpointing": False,
    }
    if options.get("validation"):
        common |= {"early_stop_patience_steps": 5, "val_check_steps": 50}
    if options["model"] == "LSTM":
        model = LSTM(loss=MAE(), hist_exog_list=names or None, **common)
    else:
        # Its windows of an update are as many as statewise's, and its paths as many as GluonTS's
        # DeepAR draws: with its own defaults (1024 windows) it trains for a quarter of an hour.
        loss = DistributionLoss("StudentT", level=[80, 95], num_samples=100)
        model = DeepAR(loss=loss, trajectory_samples=100, windows_batch_size=128, **common)
    name = options["model"]
    forecaster = NeuralForecast(models=[model], freq=1)
    begun = time.perf_counter()
    if options.get("test"):
        found = forecaster.cross_validation(
            frame,
            n_windows=None,
            val_size=options["validation"],
            test_size=options["test"],
            step_size=1,
        )
        found = found.sort_values(["cutoff", "ds"])
    else:
        forecaster.fit(frame, val_size=options.get("validation", 0))
        found = forecaster.predict().sort_values(["unique_id", "ds"])
    seconds = time.perf_counter() - begun
    column = f"{name}-median" if f"{name}-median" in found else name
    points = found[column].to_numpy().reshape(-1, options["horizon"])
    return {"points": points}, {"seconds": seconds}


def main():
    job, folder, options = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    os.environ.setdefault("NIXTLA_ID_AS_COL", "1")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with np.load(folder / "given.npz") as given:
        arrays, measured = {"autos": autos, "neural": neural}[job](given, options)
    measured["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # GiB
    packages = ("neuralforecast", "statsforecast", "torch")
    measured["versions"] = ", ".join(f"{name} {version(name)}" for name in packages)
    np.savez(folder / "found.npz", **arrays)
    (folder / "found.json").write_text(json.dumps(measured))


if __name__ == "__main__":
    main()
