"""Reports of made-up backtests, as values and in a headless Chromium."""

import numpy as np
import pandas as pd
import pytest

from browser import chromium, watched  # noqa: F401
from statewise.pictures.report import report_of_backtest, write_report
from statewise.sequences import read_panel
from statewise.tasks import Backtest, Forecaster
from statewise.tasks.evaluation.baselines import repeated, steps_within
from statewise.tasks.evaluation.origins import rolling_origins
from statewise.tasks.forecasting.forecast import Forecast


def made_up(series=40, steps=120, windows=3, horizon=7, seed=0):
    """A backtest whose forecasts are the truth and some noise: nothing is trained."""
    rng = np.random.default_rng(seed)
    parts = []
    for i in range(series):
        n = steps + i % 5
        y = 20 * (i + 1) + 5 * np.sin(2 * np.pi * np.arange(n) / 7) + rng.normal(size=n).cumsum()
        stamps = pd.date_range(end="2024-06-30", periods=n)
        parts.append(pd.DataFrame({"unique_id": f"shop {i + 1}", "ds": stamps, "y": y}))
    panel = read_panel(pd.concat(parts, ignore_index=True))
    origins, _ = rolling_origins(panel, windows=windows, horizon=horizon)
    truth = origins.truth()
    points = truth + rng.normal(size=truth.shape)
    bands = {level: (points - z, points + z) for level, z in ((80.0, 1.3), (95.0, 2.0))}
    forecaster = Forecaster(horizon=horizon, season=7)
    made = {
        "seasons_": (7,),
        "lookback_": 28,
        "units_": 32,
        "epochs_": 20,
        "notes_": [],
        "left_out_": [],
        "transform_": "level of the window",
        "training_shape_": (64, 28, 2),
        "keys_": panel.keys,
        "losses_": np.geomspace(1, 0.2, 20).tolist(),
        "validation_curves_": {
            "level of the window": list(enumerate(np.geomspace(2, 0.8, 20))),
            "logarithm, level of the window": list(enumerate(np.geomspace(2.2, 0.9, 20))),
        },
        "cut_": {"series": series, "steps": len(panel.values), "held": 14, "windows": 8 * series},
    }
    for name, value in made.items():
        setattr(forecaster, name, value)
    return Backtest(
        forecaster=forecaster,
        origins=origins,
        arrays={
            "model": Forecast(points, bands),
            "naive": repeated(origins, season=1, levels=(80.0, 95.0)),
            "seasonal naive": repeated(origins, season=7, levels=(80.0, 95.0)),
        },
        scale=steps_within(origins, season=7)[0],
        season=7,
        refit=False,
        left_out=[],
        notes=["2 of 42 series have too few time steps"],
    )


@pytest.fixture(scope="session")
def make():
    return made_up


@pytest.fixture(scope="session")
def result():
    return made_up()


@pytest.fixture(scope="session")
def page_file(result, tmp_path_factory):
    report = report_of_backtest(result, command="statewise backtest shops.csv")
    return write_report(report, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture
def page(chromium, page_file):  # noqa: F811
    """The page, just opened; at the end of every test: no error, and nothing else was loaded."""
    yield from watched(chromium, page_file)


@pytest.fixture
def opened(chromium, tmp_path):  # noqa: F811
    """Open the page of another report."""
    pages = []

    def open_(report):
        pages.append(watched(chromium, write_report(report, tmp_path / "other.html")))
        return next(pages[-1])

    yield open_
    for one in pages:
        next(one, None)
