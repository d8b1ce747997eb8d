"""``statewise forecast`` for many series, and ``statewise backtest``."""

import re
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from statewise.cli import main
from statewise.tasks import Forecaster, backtest

QUICK = ("--units", "4", "--epochs", "2", "--lookback", "8")


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def frame(rng, series=4, steps=60):
    days = pd.date_range(end="2024-06-30", periods=steps)
    parts = [
        pd.DataFrame(
            {
                "shop": f"shop {i}",
                "day": days[i:],
                "sold": 50 * (i + 1)
                + 10 * np.sin(2 * np.pi * np.arange(i, steps) / 7)
                + rng.normal(size=steps - i),
                "price": 1.0 + (np.arange(i, steps) % 3),
            }
        )
        for i in range(series)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def shops(tmp_path, rng):
    path = tmp_path / "shops.parquet"
    frame(rng).to_parquet(path)
    return path


COLUMNS = ("--key", "shop", "--time", "day", "--target", "sold")


def test_a_panel_is_held_out_and_compared(shops, tmp_path):
    report = tmp_path / "pages" / "report.html"
    options = (*COLUMNS, "--horizon", 7, "--output", tmp_path, "--report", report)
    result = call("forecast", shops, *options, *QUICK)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    for words in (
        r"4 series of 57 to 60 daily steps \(2024-05-02 to 2024-06-30\): the last 7 of each held",
        r"\[samples, time steps, features\] = \[\d+, 8, \d+\]; level and season: ",
        r"horizon 7, season 7, lookback 8, cell lstm, units 4, layers 1, .* epochs 2, seed 0",
        r"28 held-out steps +MAE +RMSE +sMAPE % +MASE +WQL",
        r"seasonal naive +[\d.]+",
        r"Over 1 window of 7 steps and 4 series the model has a mean absolute scaled error",
        r"Of the true values the 80 % intervals hold",
        r"Written +.*forecast\.csv and .*forecast\.png",
        r"Report +.*report\.html",
    ):
        assert re.search(words, result.output), result.output
    written = pd.read_csv(tmp_path / "forecast.csv")
    assert list(written.columns[:9]) == [
        "shop",
        "day",
        "part",
        "truth",
        "forecast",
        "forecast-lo-80",
        "forecast-hi-80",
        "forecast-lo-95",
        "forecast-hi-95",
    ]
    assert {"naive", "seasonal_naive"} <= set(written.columns)
    # Each series by itself, what was held out of it before what lies beyond its end.
    assert written["part"].tolist() == (["held out"] * 7 + ["future"] * 7) * 4
    assert written["shop"].tolist() == [f"shop {i}" for i in range(4) for _ in range(14)]
    held, future = (written[written["part"] == part] for part in ("held out", "future"))
    assert held["day"].iloc[-1] == "2024-06-30"
    assert held["truth"].iloc[-1] == pd.read_parquet(shops)["sold"].iloc[-1]
    assert future["truth"].isna().all()
    assert future["day"].iloc[[0, -1]].tolist() == ["2024-07-01", "2024-07-07"]
    assert future["forecast"].between(future["forecast-lo-80"], future["forecast-hi-80"]).all()
    assert re.search(
        r"7 steps beyond the end of 4 series, with intervals of 80, 95 %", result.output
    )
    assert re.search(r"shop +last known +step 1 +step 7 +mean of steps", result.output)
    assert (tmp_path / "forecast.png").read_bytes()[:4] == b"\x89PNG"
    page = report.read_text("utf-8")
    assert "Forecasts of 4 series, tested" in page


@pytest.mark.slow
def test_the_command_forecasts_what_python_does(shops, tmp_path):
    call("forecast", shops, *COLUMNS, "--horizon", 5, "--output", tmp_path, *QUICK)
    forecaster = Forecaster(horizon=5, units=4, epochs=2, lookback=8)
    names = {"key": "shop", "time": "day", "target": "sold"}
    same = backtest(forecaster, pd.read_parquet(shops), windows=1, columns=names)
    written = pd.read_csv(tmp_path / "forecast.csv")
    held = written[written["part"] == "held out"]
    np.testing.assert_allclose(held["forecast"], same.forecasts["model"], rtol=1e-6)
    ahead = forecaster.fit(pd.read_parquet(shops), columns=names).predict(level=80)
    future = written[written["part"] == "future"]
    for name in ("model", "model-lo-80", "model-hi-80"):
        told = future[name.replace("model", "forecast")]
        np.testing.assert_allclose(told, ahead[name], rtol=1e-6)


@pytest.mark.slow
def test_usual_names_need_no_options(tmp_path, rng):
    path = tmp_path / "panel.csv"
    names = {"shop": "unique_id", "day": "ds", "sold": "y"}
    frame(rng).drop(columns="price").rename(columns=names).to_csv(path, index=False)
    options = ("--horizon", 3, "--no-holdout", "--output", tmp_path, "--level", "90")
    result = call("forecast", path, *options, *QUICK, "--report", tmp_path / "r.html")
    assert result.exit_code == 0, result.output
    assert "3 steps beyond the end of 4 series, with intervals of 90 %" in result.output
    written = pd.read_csv(tmp_path / "forecast.csv")
    assert list(written.columns[:6]) == [
        "unique_id",
        "ds",
        "forecast",
        "forecast-lo-90",
        "forecast-hi-90",
        "naive",
    ]
    assert (tmp_path / "forecast.png").read_bytes()[:4] == b"\x89PNG"
    assert written["ds"].iloc[-1] == "2024-07-03"
    assert "beyond the end" in (tmp_path / "r.html").read_text("utf-8")


@pytest.mark.slow
def test_inputs_known_for_the_future(shops, tmp_path):
    ahead = tmp_path / "ahead.csv"
    days = pd.date_range("2024-07-01", periods=3)
    parts = [pd.DataFrame({"shop": f"shop {i}", "day": days, "price": 1.0}) for i in range(4)]
    options = (*COLUMNS, "--future", "price", "--horizon", 3, "--no-holdout", "--output", tmp_path)
    pd.concat(parts[:3]).to_csv(ahead, index=False)
    result = call("forecast", shops, *options, "--future-file", ahead, *QUICK)
    assert result.exit_code == 2
    assert "future has no row for 2024-07-01 of series 'shop 3'" in result.stderr
    pd.concat(parts).to_csv(ahead, index=False)
    result = call("forecast", shops, *options, "--future-file", ahead, *QUICK)
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(tmp_path / "forecast.csv")) == 12


@pytest.mark.slow
def test_short_series_are_refused_or_left_out(tmp_path, rng):
    path = tmp_path / "shops.csv"
    table = frame(rng)
    table[(table["shop"] != "shop 2") | (table["day"] > "2024-06-20")].to_csv(path, index=False)
    options = (*COLUMNS, "--horizon", 4, "--output", tmp_path, *QUICK)
    result = call("forecast", path, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.search(
        r"1 of 4 series have too few time steps: 'shop 2'; .*--short drop", result.stderr
    )
    result = call("forecast", path, *options, "--short", "drop", "--force")
    assert result.exit_code == 0, result.output
    assert "1 of 4 series have too few time steps before the first window" in result.output
    assert set(pd.read_csv(tmp_path / "forecast.csv")["shop"]) == {"shop 0", "shop 1", "shop 3"}


@pytest.mark.slow
def test_a_backtest_of_a_panel(shops, tmp_path):
    options = (*COLUMNS, "--horizon", 5, "--windows", 8, "--season", 7, "--output", tmp_path)
    result = call("backtest", shops, *options, *QUICK, "--report", tmp_path / "r.html")
    assert result.exit_code == 0, result.output
    assert "8 windows of 5, learned once, before the first" in result.output
    assert "Diebold-Mariano test over 8 windows" in result.output
    told = pd.read_csv(tmp_path / "backtest.csv")
    assert {"shop", "day", "window", "step", "cutoff", "sold", "forecast"} <= set(told.columns)
    assert len(told) == 4 * 8 * 5
    errors = pd.read_csv(tmp_path / "errors.csv")
    assert len(errors) == 4 * 5 * 3
    assert {"MAE", "RMSE", "sMAPE", "MASE", "WQL", "coverage-80"} <= set(errors.columns)
    assert (tmp_path / "backtest.png").exists()


@pytest.mark.slow
def test_a_backtest_of_one_series(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call("backtest", "--horizon", 6, "--windows", 2, "--refit", *QUICK)
    assert result.exit_code == 0, result.output
    assert "1 series (passengers) of 144 monthly steps" in result.output
    assert "2 windows of 6, learned anew before each" in result.output
    assert "the model has a mean absolute error of" in result.output
    assert "Written   backtest.csv, errors.csv and backtest.png" in result.output


@pytest.mark.slow
def test_one_series_with_intervals_and_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ("--units", 2, "--epochs", 2, "--horizon", 6, "--force")
    plain = call("forecast", *options, "--level", "50,90")
    with_report = call("forecast", *options, "--level", "50,90", "--report", "r.html")
    assert with_report.exit_code == 0, with_report.output
    assert with_report.output == plain.output + "Report    r.html\n"
    written = pd.read_csv("forecast.csv")
    assert list(written.columns[4:8]) == [
        "forecast-lo-50",
        "forecast-hi-50",
        "forecast-lo-90",
        "forecast-hi-90",
    ]
    assert (written["forecast-lo-90"] <= written["forecast-lo-50"]).all()
    assert "Forecasts of passengers, tested" in (tmp_path / "r.html").read_text("utf-8")
    beyond = call("forecast", *options, "--no-holdout", "--report", "r.html")
    assert beyond.exit_code == 0, beyond.output
    assert "Forecasts of passengers, beyond the end" in (tmp_path / "r.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("forecast", ["--key", "store"], "no column 'store'; its columns are: shop"),
        ("forecast", [*COLUMNS, "--target", "profit"], "no column 'profit'; its columns are: shop"),
        ("forecast", ["--key", "shop", "--time", "day"], r"2 columns of numbers \(sold, price\)"),
        ("forecast", [*COLUMNS, "--static", "sold"], "'sold' is named twice"),
        ("forecast", [*COLUMNS, "--missing", "fill"], r"--missing fill\) is for one series"),
        ("backtest", [*COLUMNS, "--missing", "drop"], r"--missing drop\) is for one series"),
        ("forecast", [*COLUMNS, "--one-step"], "--one-step is for one series"),
        ("forecast", ["--one-step", "--level", "80"], "are for a closed loop, not for --one-step"),
        ("forecast", [*COLUMNS, "--level", "80,120"], "120 is not between 0 and 100"),
        ("forecast", [*COLUMNS, "--level", "many"], "'many' is no list of numbers such as 80,95"),
        (
            "forecast",
            [*COLUMNS, "--future", "price", "--no-holdout"],
            "to forecast: --future-file",
        ),
        ("forecast", [*COLUMNS, "--future-file", "x.csv"], "--future-file goes with --future only"),
        ("forecast", [*COLUMNS, "--calendar", "moon"], "'moon' is not one of 'minute'"),
        ("forecast", [*COLUMNS, "--horizon", "90"], "4 of 4 series have too few time steps"),
        ("backtest", [*COLUMNS, "--horizon", "20"], r"longest series has 60 .* 5 windows of 20"),
        ("backtest", [*COLUMNS, "--windows", "0"], "'--windows': 0 is not in the range x>=1"),
        ("backtest", [*COLUMNS, "--peer", "Prophet"], "'Prophet' is not one of 'AutoETS'"),
        ("backtest", [*COLUMNS, "--static", "price"], "static column 'price' changes within"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(shops, command, options, words):
    result = call(command, shops, *options)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("statewise: ")
    assert result.stderr.count("\n") == 1
    assert re.search(words, result.stderr), result.stderr


def test_duplicate_stamps_name_their_series(tmp_path, rng):
    path = tmp_path / "twice.csv"
    table = frame(rng)
    pd.concat([table, table.iloc[[5]]]).to_csv(path, index=False)
    result = call("backtest", path, *COLUMNS)
    assert result.exit_code == 2
    assert "1 duplicate time stamp, the first 2024-05-07 of series 'shop 0'" in result.stderr


@pytest.mark.slow
def test_missing_values_of_a_panel_are_masked_or_refused(tmp_path, rng):
    path = tmp_path / "holes.csv"
    table = frame(rng)
    table.loc[[5, 9], "sold"] = np.nan
    table.to_csv(path, index=False)
    result = call("forecast", path, *COLUMNS, "--missing", "raise", "--output", tmp_path)
    assert result.exit_code == 2
    assert "2 of 234 steps have missing values, the first at 2024-05-07" in result.stderr
    assert "by --missing mask" in result.stderr
    options = ["--horizon", 4, "--units", 2, "--epochs", 1, "--output", tmp_path]
    result = call("forecast", path, *COLUMNS, "--missing", "mask", *options)
    assert result.exit_code == 0, result.output
    assert "2 of 218 steps have missing values: they don't count in the loss" in result.output


def test_peers_that_are_not_installed_are_told_before_training(shops, monkeypatch):
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    result = call("backtest", shops, *COLUMNS, "--peer", "AutoETS")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "pip install statsforecast" in result.stderr


def test_a_report_that_cannot_be_written(shops):
    result = call("backtest", shops, *COLUMNS, "--report", shops / "r.html")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--report" in result.stderr
    assert result.stderr.count("\n") == 1
