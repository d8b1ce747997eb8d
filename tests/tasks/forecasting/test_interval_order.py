"""A point lies in its own intervals, they lie within each other, and counts are counts."""

import numpy as np
import pandas as pd
import pytest

from statewise.tasks import Forecaster

QUICK = {"units": 4, "epochs": 1, "lookback": 10}
LEVELS = [1, 20, 50, 80, 95]
ENDS = [f"model-lo-{one}" for one in LEVELS[::-1]]
ENDS += ["model", *(f"model-hi-{one}" for one in LEVELS)]


def panel(values):
    days = pd.date_range("2024-01-01", periods=values.shape[1])
    return pd.concat(
        pd.DataFrame({"unique_id": f"s{i}", "ds": days, "y": y}) for i, y in enumerate(values)
    )


@pytest.fixture(scope="module")
def stocks():
    """Return stocks that all rise in the last fifth, so that validation errs to one side."""
    moves = np.random.default_rng(0).normal(0, 0.004, (12, 100))
    moves[:, 80:] += 0.01
    return panel(100 * np.exp(moves.cumsum(axis=1)))


@pytest.mark.slow
@pytest.mark.parametrize("likelihood", [None, pytest.param("gaussian", marks=pytest.mark.slow)])
def test_points_lie_in_their_intervals(likelihood, stocks):
    forecaster = Forecaster(horizon=5, season=1, likelihood=likelihood, **QUICK).fit(stocks)
    table = forecaster.predict(8, level=LEVELS)
    assert (np.diff(table[ENDS]) >= 0).all()
    assert (np.diff(table[["model-lo-80", "model", "model-hi-80"]]) > 0).all()


@pytest.mark.slow  # to compile
def test_counts(rng):
    """Counts have counts for ends, none below 0; one that never changed stays."""
    means = np.array([[0.2], [0.7], [3.0], [40.0]])
    counts = np.vstack([rng.poisson(np.tile(means, 60)), np.full((1, 60), 5), np.zeros((1, 60))])
    forecaster = Forecaster(horizon=4, season=1, likelihood="negative-binomial", **QUICK)
    table = forecaster.fit(panel(counts.astype(float))).predict(6, level=LEVELS)
    assert (np.diff(table[ENDS]) >= 0).all()
    assert (table[ENDS] >= 0).all(axis=None)
    numbers = table[ENDS].drop(columns="model").to_numpy()
    np.testing.assert_array_equal(numbers, np.round(numbers))
    assert not np.signbit(numbers).any()
    np.testing.assert_array_equal(numbers[24:30], 5)
    np.testing.assert_array_equal(numbers[30:], 0)
    assert (numbers[18:24, -1] > numbers[18:24, 0]).all()
    assert (np.abs(table["model"][18:24] - 40) < 10).all()
    np.testing.assert_array_equal(
        forecaster.predict()["model"], table.groupby("unique_id").head(4)["model"]
    )
