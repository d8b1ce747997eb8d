"""Forecasts of series that never were below 0 aren't either; each interval holds its point."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import Columns, read_wide
from statewise.tasks import Forecaster, backtest, evaluate_closed_loop
from statewise.tasks.forecasting.never_negative import never_negative

LEVELS = (5, 50, 80, 99)
QUICK = {"units": 2, "epochs": 1, "horizon": 6, "lookback": 8}


def sparse(rng, steps=60, shift=0.0):
    """Sales that are often 0, and now and then large: any band around them reaches below 0."""
    sold = np.where(rng.random(steps) < 0.5, 0, rng.exponential(20, steps)).round()
    return sold + shift


def days(steps=60):
    return pd.date_range("2024-01-01", periods=steps)


def panel(rng, count=100, shift=0.0):
    table = {f"shop {i}": sparse(rng, shift=shift) for i in range(count)}
    return pd.DataFrame(table, index=days())


def ends_of(frame):
    """Return points, lower and upper ends by level, of a series' frame or a panel's."""
    wide = frame if "model" in frame else None
    keys = [""] if wide is not None else [k for k in frame if "-lo-" not in k and "-hi-" not in k]
    name = "model" if wide is not None else None
    points = np.stack([frame[name or key] for key in keys])
    return points, {
        level: [
            np.stack([frame[f"{name or key}-{end}-{level}"] for key in keys])
            for end in ("lo", "hi")
        ]
        for level in LEVELS
    }


def check(frame, least):
    points, bands = ends_of(frame)
    for low, high in bands.values():
        assert (low <= points).all()
        assert (points <= high).all()
        assert least is None or (low >= least).all()
    assert least is None or (points >= least).all()


def test_one_series(rng):
    series = pd.Series(sparse(rng), days())
    fitted = Forecaster(**QUICK).fit(series)
    check(fitted.predict(level=LEVELS), 0)
    assert (fitted.predict(level=99)["model-lo-99"] == 0).any()
    check(fitted.predict(new_data=pd.Series(sparse(rng), days()), level=LEVELS), 0)


def test_one_series_that_was_below_0(rng):
    series = pd.Series(sparse(rng, shift=-1.0), days())
    fitted = Forecaster(**QUICK).fit(series)
    frame = fitted.predict(level=LEVELS)
    check(frame, None)
    assert (frame["model-lo-99"] < 0).any()
    # What was below 0 when it was learned from may be so again.
    later = fitted.predict(new_data=series.abs(), level=99)
    assert (later["model-lo-99"] < 0).any()


LIKELIHOODS = ("gaussian", "student-t", "negative-binomial", "quantiles")


@pytest.mark.parametrize(
    "likelihood", [None, *(pytest.param(one, marks=pytest.mark.slow) for one in LIKELIHOODS)]
)
def test_a_panel(rng, likelihood):
    """Of one panel, 45 of 100 points once lay outside of their own interval."""
    fitted = Forecaster(**QUICK, likelihood=likelihood).fit(panel(rng))
    check(fitted.predict(level=LEVELS), 0)


@pytest.mark.slow
def test_a_panel_of_which_some_were_below_0(rng):
    table = panel(rng, 8)
    table["moves"] = rng.normal(size=60)
    frame = Forecaster(**QUICK).fit(table).predict(level=LEVELS)
    check(frame, None)
    assert (frame[[f"shop {i}-lo-99" for i in range(8)]] >= 0).all(axis=None)
    assert (frame["moves-lo-99"] < 0).any()


def test_days_without_a_row(rng):
    """Holidays count as steps of the week, and widen intervals."""
    weekdays = pd.bdate_range("2024-01-01", periods=90)
    closed = rng.choice(90, 6, replace=False)
    series = pd.Series(sparse(rng, 90), weekdays).drop(weekdays[closed])
    fitted = Forecaster(**QUICK, season=5).fit(series)
    check(fitted.predict(level=LEVELS), 0)


@pytest.mark.slow
def test_new_data_of_a_panel_that_was_below_0(rng):
    long = panel(rng, 3, shift=-1.0).rename_axis("ds").reset_index()
    long = long.melt("ds", var_name="unique_id", value_name="y")
    fitted = Forecaster(**QUICK).fit(long)
    after = fitted.predict(new_data=long.assign(y=long["y"].abs()), level=99)
    assert (after["model-lo-99"] < 0).any()
    other = long.assign(y=long["y"].abs(), unique_id="new " + long["unique_id"])
    assert (fitted.predict(new_data=other, level=99)["model-lo-99"] >= 0).all()


def test_a_point_below_0_is_raised(rng):
    falling = pd.Series(np.linspace(60, 1, 60), days())
    fitted = Forecaster(horizon=12, units=4, season=1, epochs=20, seed=1).fit(falling)
    assert (fitted.predict(48) >= 0).all()
    ever = fitted.predict_one_step(falling, first=40)
    assert (ever >= 0).all()
    shifted = Forecaster(horizon=12, units=4, season=1, epochs=20, seed=1).fit(falling - 30)
    assert (shifted.predict(48) < -30).any()  # so there was something to raise


@pytest.mark.slow
def test_the_naive_forecasts_beside_it_keep_the_same_rule(rng):
    result = backtest(Forecaster(**QUICK), panel(rng, 4), windows=2)
    for forecast in result.arrays.values():
        for low, high in forecast.bands.values():
            assert (low >= 0).all()
            assert (low <= forecast.points).all()
            assert (forecast.points <= high).all()


def test_the_held_out_forecast_is_that_of_the_interval(rng):
    series = pd.Series(sparse(rng), days())
    result = evaluate_closed_loop(Forecaster(**QUICK), series)
    assert (result.forecasts["model"] >= 0).all()


def test_a_series_without_values_was_never_anything():
    table = pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, np.nan, 3], "c": [-1.0, np.nan, 3]})
    wide = read_wide(table)
    wide.values[wide.offsets[1] : wide.offsets[2]] = np.nan
    assert never_negative(wide).tolist() == [True, False, False]
    assert wide.columns == Columns()
