"""Verdicts in the units of the table."""

import numpy as np
import pandas as pd
import pytest

from statewise.tasks import Forecaster, backtest, evaluate_closed_loop

QUICK = {"horizon": 4, "season": 4, "epochs": 1, "units": 2, "lookback": 8}


def sales(rng, scale=1.0, steps=48):
    values = scale * (100 + np.tile([0.0, 10.0, 5.0, -15.0], steps // 4) + rng.normal(size=steps))
    return pd.Series(values, pd.date_range("2020-03-31", periods=steps, freq="QE"))


def test_the_target_names_the_unit(rng):
    verdict = evaluate_closed_loop(Forecaster(**QUICK), sales(rng).rename("tons")).verdict()
    assert " tons against " in verdict or " tons, that of " in verdict


@pytest.mark.parametrize("name", [None, 0, "7", "x" * 21])
def test_what_has_no_name_has_no_unit(rng, name):
    verdict = evaluate_closed_loop(Forecaster(**QUICK), sales(rng).rename(name)).verdict()
    assert f"{name} against" not in verdict


def test_large_errors_have_no_exponent(rng):
    series = sales(rng, 1e6).rename("euros")
    verdict = evaluate_closed_loop(Forecaster(**QUICK), series).verdict()
    assert "e+" not in verdict
    assert "," in verdict.split(" against ")[0].split("error ")[-1]


def test_a_panel_is_measured_in_its_units_too(rng):
    parts = {f"shop {i}": sales(rng, 10.0**i) for i in range(3)}
    long = pd.concat(parts, names=["shop", "day"]).rename("sold").reset_index()
    names = {"key": "shop", "time": "day", "target": "sold"}
    result = backtest(Forecaster(**QUICK), long, windows=1, columns=names)
    error = result.table.loc["model", "MAE"]
    assert (
        f"In the table's units that is a mean absolute error of {error:.4g} sold, the naive"
        in result.verdict()
    )
