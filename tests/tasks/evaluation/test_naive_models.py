"""Where validation finds nothing better than a naive forecast, that is said, and no victory."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from statewise.tasks import Forecaster, backtest, evaluate_closed_loop
from statewise.tasks.evaluation.verdict import below, is_it, same, some

WEEK = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0])


class Untrained(Forecaster):
    """A forecaster whose training was found to be in vain."""

    def fit(self, data, **options):
        super().fit(data, **options)
        for weights in self._engine.weights:
            for name in ("head", "bias", "shortcut"):
                weights[name] *= 0
        self.epochs_ = 0
        return self


@pytest.fixture(scope="module")
def long():
    """Return a daily series, long enough for a global model: a week on a walk."""
    walk = np.cumsum(np.random.default_rng(2).normal(size=1400))
    return pd.Series(50 + np.tile(WEEK, 200) + walk, pd.date_range("2020-01-06", periods=1400))


@pytest.fixture(scope="module")
def result(long):
    return evaluate_closed_loop(Untrained(horizon=7, season=7, units=2, epochs=1), long)


def test_one_series(result):
    seasonal = result.forecaster._engine.spec.start == "seasonal"
    name, other = ("seasonal naive", "naive")[:: 1 if seasonal else -1]
    errors = result.table["MAE"]
    assert result.verdict() == (
        f"The model is the {name} forecast: validation found nothing better. Its mean absolute "
        f"error is {errors['model']:.4g}, that of the {other} forecast {errors[other]:.4g}."
    )


def test_a_panel(long):
    frame = pd.DataFrame({"a": long[:200], "b": long[:200] + 7})
    said = backtest(Untrained(horizon=7, season=7, units=2, epochs=1), frame, windows=2).verdict()
    assert "naive forecast: validation found nothing better." in said
    assert "shifted" not in said
    assert "repeated" not in said


def test_equal_errors_beat_nothing(result):
    other = pd.DataFrame({"model": [1.0, 2], "naive": [2.0, 1], "seasonal naive": [0.0, 0]})
    table = result.table.assign(MAE=[5.0, 5.0 * (1 + 1e-9), 7.0])
    assert (
        replace(result, table=table, forecasts=other)
        .verdict()
        .startswith("The model beats the seasonal naive forecast, but not the naive forecast: ")
    )
    said = replace(result, table=result.table.assign(MAE=[4.99, 5.0, 7.0]), forecasts=other)
    assert said.verdict().endswith(", 0.2 % less than the better of them.")


def test_words():
    errors = pd.Series({"model": 0.0, "naive": 0.0})
    assert is_it("naive", object(), errors) == (
        "The model is the naive forecast. Its mean absolute error is 0."
    )
    assert below(1.0, pd.Series({"naive": 1.0, "other": 1.1})).tolist() == [False, True]
    assert (some(12.6), some(1), some(0.03)) == ("13 %", "1 %", "0.03 %")


def test_what_is_the_same():
    assert same(np.array([1.0, 2.0]), np.array([1.00001, 2.0]), 1.0)
    assert not same(np.array([1.0, 2.0]), np.array([1.1, 2.0]), 1.0)
    assert same(np.array([1.0, np.nan]), np.array([1.0, 2.0]), np.nan)  # what never moves
    assert not same(np.array([np.nan]), np.array([1.0]), 1.0)
