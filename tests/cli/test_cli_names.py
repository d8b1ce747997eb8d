"""Columns of the user's keep their names in the files that the command writes."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from statewise.cli import main

QUICK = ("--units", "4", "--epochs", "1", "--lookback", "8", "--horizon", "2")


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def cars(tmp_path, *, key="car_model", time="model_day", target="sold_model"):
    rng = np.random.default_rng(3)
    steps = 24
    frame = pd.DataFrame({"key": np.repeat(["fast", "slow"], steps)})
    frame["time"] = np.tile(pd.date_range("2024-01-01", periods=steps).astype(str), 2)
    frame["target"] = rng.normal(50, 3, 2 * steps).round(2)
    path = tmp_path / "cars.csv"
    frame.set_axis([key, time, target], axis=1).to_csv(path, index=False)
    return path, ("--key", key, "--time", time, "--target", target, "--output", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_a_name_with_model_in_it_stays(command, tmp_path):
    path, options = cars(tmp_path)
    windows = ("--windows", 2) if command == "backtest" else ("--no-holdout",)
    result = call(command, path, *options, *QUICK, *windows, "--level", "80")
    assert result.exit_code == 0, result.output
    columns = list(pd.read_csv(tmp_path / f"{command}.csv").columns)
    ours = ["forecast", "forecast-lo-80", "forecast-hi-80"]
    if command == "forecast":
        assert columns[:6] == ["car_model", "model_day", *ours, "naive"]
    else:
        assert columns[:2] == ["car_model", "model_day"]
        assert columns[5:9] == ["sold_model", *ours]


@pytest.mark.parametrize(
    ("command", "names", "words"),
    [
        ("forecast", {"key": "model"}, "the column of keys is named 'model'"),
        ("forecast", {"key": "forecast"}, "the column of keys is named 'forecast'"),
        ("forecast", {"time": "truth"}, "the column of time is named 'truth'"),
        ("backtest", {"key": "window"}, "the column of keys is named 'window'"),
        ("backtest", {"target": "seasonal_naive"}, "the target is named 'seasonal_naive'"),
        ("backtest", {"target": "cutoff"}, "the target is named 'cutoff'"),
    ],
)
def test_a_name_that_is_ours_is_refused(command, names, words, tmp_path):
    path, options = cars(tmp_path, **names)
    result = call(command, path, *options, *QUICK)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert "rename it" in result.stderr


def test_one_series_whose_time_has_a_name_of_ours(tmp_path):
    path = tmp_path / "one.csv"
    days = pd.date_range("2024-01-01", periods=30).astype(str)
    pd.DataFrame({"naive": days, "y": np.arange(30.0)}).to_csv(path, index=False)
    result = call("forecast", path, "--output", tmp_path, *QUICK[:2])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "the column of time is named 'naive'" in result.stderr


@pytest.mark.slow
def test_a_column_whose_name_contains_unique_id_is_no_key(tmp_path):
    path = tmp_path / "one.csv"
    days = pd.date_range("2024-01-01", periods=30).astype(str)
    frame = pd.DataFrame({"day": days, "sold": np.arange(30.0) % 7, "not_unique_id": "x"})
    frame.to_csv(path, index=False)
    result = call("forecast", path, "--output", tmp_path, "--horizon", 2, "--epochs", 1)
    assert result.exit_code == 0, result.output
    assert "30 daily steps of sold" in result.output


def test_control_characters_and_long_names_reach_no_terminal(tmp_path):
    path = tmp_path / "odd.csv"
    days = pd.date_range("2024-01-01", periods=30).astype(str)
    frame = pd.DataFrame({"day": days, "so\x1b[31mld": np.arange(30.0) % 7})
    frame.to_csv(path, index=False)
    result = call("forecast", path, "--output", tmp_path, "--horizon", 2, "--epochs", 1)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    frame.assign(long="x").rename(columns={"long": "l" * 20_000}).to_csv(path, index=False)
    result = call("forecast", path, "--target", "none", "--output", tmp_path)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "\x1b" not in result.stderr
    assert len(result.stderr) < 2100


def test_years_beyond_those_of_python(tmp_path):
    path = tmp_path / "far.csv"
    years = [f"{year}-01-01" for year in range(9966, 9996)]
    pd.DataFrame({"year": years, "y": np.arange(30.0) % 7}).to_csv(path, index=False)
    options = ("--output", tmp_path, "--horizon", 9, "--epochs", 1, "--no-holdout")
    result = call("forecast", path, *options, "--report", tmp_path / "r.html")
    assert result.exit_code == 0, result.output
    assert pd.read_csv(tmp_path / "forecast.csv", dtype=str)["year"].iloc[-1] == "10004-01-01"
