"""What the commands say of how they read a table, and the options that say otherwise."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from statewise.cli import main

QUICK = ("--units", "2", "--epochs", "1", "--horizon", "3")
DAYS = pd.date_range("2024-01-01", periods=40)


def forecast(path, *options, **kwargs):
    folder = path.parent if hasattr(path, "parent") else path[0].parent
    paths = [path] if hasattr(path, "parent") else path
    arguments = [*paths, *options, *QUICK, "--force", "--output", folder / "out"]
    return CliRunner().invoke(main, ["forecast", *map(str, arguments)], **kwargs)


def write(folder, rows, header="Tag;Umsatz", name="t.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def series(rows=40):
    return [f"{day:%d.%m.%Y};{1000 + i % 7},5" for i, day in enumerate(DAYS[:rows])]


def test_what_was_understood_is_one_line(tmp_path):
    rows = series()
    del rows[5]
    result = forecast(write(tmp_path, rows[::-1]))
    assert result.exit_code == 0, result.output
    assert (
        "Read as   semicolons, decimal comma, dates day.month.year, newest first, sorted, daily, "
        "1 gap filled"
    ) in result.output
    written = pd.read_csv(tmp_path / "out" / "forecast.csv", index_col=0)
    assert written.index[-1] == "2024-02-12"


@pytest.mark.slow
def test_json_has_it_too(tmp_path):
    result = forecast(write(tmp_path, series()), "--json")
    told = json.loads(result.stdout)["read_as"]
    assert told["facts"]["decimal"] == "decimal comma"


@pytest.mark.slow
def test_a_few_gaps_are_filled_and_many_masked(tmp_path):
    many = [row if i % 3 != 1 else row.split(";")[0] + ";" for i, row in enumerate(series())]
    result = forecast(write(tmp_path, many), "--lookback", "8")
    assert result.exit_code == 0, result.output
    assert "13 steps of 40 without a value" in result.output
    refused = forecast(write(tmp_path, many), "--missing", "raise")
    assert refused.exit_code == 2
    assert "13 missing values" in refused.stderr


@pytest.mark.slow
def test_a_wide_table_says_how_to_name_one(tmp_path):
    rows = [f"{row};{i % 5}" for i, row in enumerate(series())]
    result = forecast(write(tmp_path, rows, "Tag;Nord;Süd"), "--lookback", "8")
    assert result.exit_code == 0, result.output
    assert "wide, 2 series" in result.output
    assert "--target Nord" in result.output
    assert set(pd.read_csv(tmp_path / "out" / "forecast.csv").iloc[:, 0]) == {"Nord", "Süd"}
    one = forecast(write(tmp_path, rows, "Tag;Nord;Süd"), "--target", "Süd")
    assert "40 daily steps of Süd" in one.output


@pytest.mark.slow
def test_several_columns_of_keys_are_written_as_they_came(tmp_path):
    rows = [f"{a};{b};{row}" for a in ("001", "1") for b in "xy" for row in series()]
    path = write(tmp_path, rows, "Land;Art;Tag;Umsatz")
    for options in ([], ["--id", "Land,Art"], ["--key", "Land", "--key", "Art"]):
        result = forecast(path, "--lookback", "8", *options)
        assert result.exit_code == 0, result.output
        written = pd.read_csv(tmp_path / "out" / "forecast.csv", dtype=str)
        assert list(written.columns[:3]) == ["Land", "Art", "Tag"]
        assert set(written["Land"]) == {"001", "1"}
    result = forecast(path, "--id", "Land,Art", "--number-keys", "--lookback", "8")
    assert result.exit_code == 2
    assert "'Art' holds text" in result.stderr


@pytest.mark.slow
def test_several_files_are_several_series(tmp_path):
    paths = [write(tmp_path, series(), name=name) for name in ("nord.csv", "sued.csv")]
    result = forecast(paths, "--lookback", "8")
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(tmp_path / "out" / "forecast.csv")["file"]) == {"nord", "sued"}


@pytest.mark.slow
def test_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "\n".join(["Tag;Umsatz", *series()])
    arguments = ["forecast", "-", *QUICK, "--force"]
    result = CliRunner().invoke(main, arguments, input=text.encode())
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "far from all other values stand -200 .*--missing-value -200"),
        (["--missing-value", "-200"], None),
        pytest.param(["--missing-value", "none"], None, marks=pytest.mark.slow),
        pytest.param(["--missing-value", "-200,n"], None, marks=pytest.mark.slow),
    ],
)
def test_impossible_numbers_are_asked_about(options, words, tmp_path):
    rows = series()
    for i in (7, 19, 33):
        rows[i] = rows[i].split(";")[0] + ";-200"
    result = forecast(write(tmp_path, rows), *options)
    assert result.exit_code == (2 if words else 0), result.output
    if words:
        assert "--missing-value -200" in result.stderr
    elif "none" not in options:
        assert "-200 as missing" in result.output


@pytest.mark.slow
def test_uneven_stamps_and_repeated_ones(tmp_path):
    rng = np.random.default_rng(0)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.cumsum(rng.integers(20, 41, 400)), "min"
    )
    rows = [f"{stamp:%Y-%m-%d %H:%M};{i % 9}" for i, stamp in enumerate(stamps)]
    path = write(tmp_path, rows)
    refused = forecast(path)
    assert refused.exit_code == 2
    assert "--every" in refused.stderr
    result = forecast(path, "--every", "2h", "--aggregate", "sum")
    assert result.exit_code == 0, result.output
    assert "steps of 2 hours, their sum" in result.output
    twice = write(tmp_path, [*series(), series()[3]])
    assert "--aggregate mean" in forecast(twice).stderr
    assert forecast(twice, "--aggregate", "last").exit_code == 0


@pytest.mark.slow
def test_backtest_reads_alike(tmp_path):
    path = write(tmp_path, series())
    options = [*QUICK, "--windows", "2", "--force", "--output", tmp_path / "out"]
    result = CliRunner().invoke(main, ["backtest", str(path), *map(str, options)])
    assert result.exit_code == 0, result.output
    assert "decimal comma" in result.output
