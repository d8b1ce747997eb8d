"""What ``statewise forecast`` writes, prints and refuses, by its options."""

import json
import os
import re
import subprocess
import sys
import types

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from statewise.cli import main
from statewise.tasks import Forecaster

QUICK = ("--units", "2", "--epochs", "1", "--lookback", "8", "--horizon", "4")


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def sales(tmp_path):
    """Write sales of 40 days and return the path of the file."""
    days = pd.date_range("2024-01-01", periods=40, name="day")
    sold = pd.Series(np.arange(40.0) % 7 + 1, days, name="sold")
    sold.to_csv(tmp_path / "sales.csv")
    return tmp_path / "sales.csv"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "made" / "here"


@pytest.fixture
def untrained(monkeypatch):
    """Let no training begin."""

    def fit(*_, **__):
        raise AssertionError("it trains")

    monkeypatch.setattr("statewise.tasks.Forecaster.fit", fit)


def written(folder):
    return pd.read_csv(folder / "forecast.csv")


@pytest.mark.slow
def test_the_future_is_that_of_no_holdout(sales, folder):
    both = call("forecast", sales, *QUICK, "--output", folder)
    assert both.exit_code == 0, both.output
    future = written(folder).query("part == 'future'").drop(columns=["part", "truth"])
    alone = call("forecast", sales, *QUICK, "--output", folder, "--no-holdout", "--force")
    assert alone.exit_code == 0, alone.output
    pd.testing.assert_frame_equal(future.reset_index(drop=True), written(folder))
    assert future["day"].tolist() == ["2024-02-10", "2024-02-11", "2024-02-12", "2024-02-13"]


@pytest.mark.slow
def test_too_few_steps_to_hold_some_out_are_enough_without(tmp_path, folder):
    days = pd.date_range("2024-01-01", periods=12, name="day")
    sold = pd.Series(np.arange(12.0) % 3, days, name="sold")
    sold.to_csv(tmp_path / "few.csv")
    options = ("--units", 2, "--epochs", 1, "--horizon", 3, "--output", folder)
    result = call("forecast", tmp_path / "few.csv", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("; or leave the comparison out by --no-holdout\n")
    result = call("forecast", tmp_path / "few.csv", *options, "--no-holdout")
    assert result.exit_code == 0, result.output
    long = pd.concat([sold.reset_index().assign(unique_id=key) for key in "ab"])
    long.rename(columns={"day": "ds", "sold": "y"}).to_csv(tmp_path / "two.csv", index=False)
    result = call("forecast", tmp_path / "two.csv", *options, "--force")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(", or leave the comparison out by --no-holdout\n")
    result = call("forecast", tmp_path / "few.csv", *options, "--horizon", 6)
    assert "--no-holdout" not in result.stderr


@pytest.mark.slow
def test_several_levels(sales, folder):
    result = call("forecast", sales, *QUICK, "--output", folder, "--level", "50,95")
    assert result.exit_code == 0, result.output
    assert "the 50 % intervals hold" in result.output
    table = written(folder)
    ends = ["lo-95", "lo-50", "hi-50", "hi-95"]
    assert (np.diff(table[[f"forecast-{end}" for end in ends]]) >= 0).all()
    assert (table["forecast-lo-95"] >= 0).all()


@pytest.mark.slow
def test_quiet(sales, folder):
    result = call("forecast", sales, *QUICK, "--output", folder, "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert sorted(path.name for path in folder.iterdir()) == ["forecast.csv", "forecast.png"]
    again = call("forecast", sales, *QUICK, "--output", folder, "--quiet")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "are there already" in again.stderr


def test_json(sales, folder):
    options = (*QUICK, "--output", folder, "--json", "--report", folder / "r.html")
    result = call("forecast", sales, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["data"] == {
        "series": 1,
        "steps": {"least": 40, "most": 40},
        "frequency": "D",
        "first": "2024-01-01",
        "last": "2024-02-09",
        "time": "day",
        "target": "sold",
        "key": None,
    }
    assert found["settings"]["horizon"] == 4
    assert found["settings"]["epochs"] == 1
    held = found["held_out"]
    assert held["steps"] == 4
    assert set(held["errors"]["model"]) == {"MAE", "RMSE", "MAPE", "MASE"}
    assert list(held["coverage"]) == ["80", "95"]
    assert held["verdict"][0].startswith("The model")
    assert found["future"]["steps"] == 4
    assert list(found["files"].values()) == [
        str(folder / name) for name in ("forecast.csv", "forecast.png", "r.html")
    ]
    table = written(folder)
    assert [list(row) for row in found["forecasts"]] == [list(table.columns)] * 8
    assert [row["part"] for row in found["forecasts"]] == ["held out"] * 4 + ["future"] * 4
    assert found["forecasts"][4]["truth"] is None
    for row, (_, there) in zip(found["forecasts"], table.iterrows(), strict=True):
        assert row["forecast"] == pytest.approx(there["forecast"])
        assert row["day"] == there["day"]


@pytest.mark.slow
def test_json_without_held_out_steps(sales, folder):
    result = call("forecast", sales, *QUICK, "--output", folder, "--json", "--no-holdout")
    found = json.loads(result.stdout)
    assert found["held_out"] is None
    assert len(found["forecasts"]) == 4


@pytest.mark.slow
def test_json_tells_notes_beside(tmp_path, folder):
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    parts = [
        pd.DataFrame({"unique_id": key, "ds": days, "y": np.arange(40.0) ** 2 % 11}) for key in "ab"
    ]
    table = pd.concat(parts).reset_index(drop=True)
    table.loc[3, "y"] = np.nan
    table.to_csv(tmp_path / "two.csv", index=False)
    result = call("forecast", tmp_path / "two.csv", *QUICK, "--output", folder, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert any("missing values" in note for note in found["notes"])
    assert "missing values" in result.stderr
    assert found["data"]["key"] == "unique_id"
    assert found["held_out"]["errors"]["model"]["MASE"] > 0
    assert len(found["forecasts"]) == 16


@pytest.mark.slow
def test_json_of_one_step_and_of_a_backtest(sales, folder):
    options = ("--units", 2, "--epochs", 1, "--lookback", 8, "--output", folder, "--json")
    found = json.loads(call("forecast", sales, *options, "--one-step").stdout)
    assert found["future"] is None
    assert found["held_out"]["steps"] == len(found["forecasts"]) == 14
    result = call("backtest", sales, *options, "--horizon", 3, "--windows", 2)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["windows"], found["horizon"]) == (2, 3)
    assert set(found["files"]) == {"table", "errors", "picture"}
    assert found["verdict"]


@pytest.mark.parametrize("name", ["forecast.csv", "forecast.png", "r.html", "sold.forecaster"])
def test_what_is_there_is_not_written_over(sales, folder, name, untrained):
    folder.mkdir(parents=True)
    (folder / name).write_text("mine")
    options = ("--output", folder, "--report", folder / "r.html")
    options += ("--save", folder / "sold.forecaster")
    result = call("forecast", sales, *QUICK, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    place = {"r.html": "--report", "sold.forecaster": "--save"}.get(name, "--output")
    assert f"{name} is there already: --force writes over it, {place} names" in result.stderr
    assert (folder / name).read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("many", [False, True])
def test_what_learned_from_everything_is_saved(sales, folder, many):
    """Of a panel it learns from everything although nothing is forecast beyond the end."""
    options = ["--output", folder, "--save", folder / "sold.forecaster"]
    table = pd.read_csv(sales)
    if many:
        table = pd.concat([table.assign(shop=shop, price=table["sold"] % 3) for shop in "ab"])
        table.to_csv(sales, index=False)
        options += ["--key", "shop", "--time", "day", "--target", "sold", "--future", "price"]
    result = call("forecast", sales, *QUICK, *options, *[] if many else ["--no-holdout"])
    assert result.exit_code == 0, result.output
    assert f"Saved     {folder / 'sold.forecaster'}\n" in result.output
    saved = Forecaster.load(folder / "sold.forecaster")
    if not many:
        told = saved.predict().to_numpy()
        np.testing.assert_allclose(written(folder)["forecast"], told, rtol=1e-6)
        return
    future = table.assign(day=pd.to_datetime(table["day"]) + pd.Timedelta(days=40))
    days = saved.predict(future=future.drop(columns="sold"))["day"]
    assert str(days.min())[:10] == "2024-02-10"


def test_one_step_saves_nothing(sales, folder, untrained):
    result = call("forecast", sales, *QUICK[:-2], "--one-step", "--save", folder / "a")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--save is for what learned from everything" in result.stderr


@pytest.mark.slow
def test_force_writes_over_what_is_there(sales, folder):
    folder.mkdir(parents=True)
    (folder / "forecast.csv").write_text("mine")
    result = call("forecast", sales, *QUICK, "--output", folder, "--force")
    assert result.exit_code == 0, result.output
    assert len(written(folder)) == 8


@pytest.mark.parametrize("name", ["backtest.csv", "errors.csv", "backtest.png"])
def test_a_backtest_writes_over_nothing_either(sales, tmp_path, name, untrained):
    (tmp_path / name).write_text("mine")
    result = call("backtest", sales, *QUICK, "--output", tmp_path)
    assert result.exit_code == 2
    assert f"{name} is there already" in result.stderr


def test_a_folder_in_the_place_of_a_file(sales, tmp_path, untrained):
    (tmp_path / "forecast.csv").mkdir()
    result = call("forecast", sales, *QUICK, "--output", tmp_path, "--force")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "forecast.csv is a folder" in result.stderr


@pytest.mark.parametrize("option", ["--output", "--report", "--save"])
def test_a_folder_that_cannot_be_written_to(sales, tmp_path, option, untrained, monkeypatch):
    """It's told before the training (tests may run as a user whom no rights stop)."""
    closed = tmp_path / "closed"

    def touch(path, *_, **__):
        if path.parent == closed:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.touch", touch)
    monkeypatch.setattr("pathlib.Path.unlink", lambda *_, **__: None)
    place = closed if option == "--output" else closed / "r.html"
    result = call("forecast", sales, *QUICK, "--output", tmp_path, option, place)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "closed can't be written to: Permission denied" in result.stderr


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="needs a plain user")
def test_a_folder_without_the_right_to_write(sales, folder, untrained):
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    result = call("forecast", sales, *QUICK, "--output", folder)
    assert result.exit_code == 2
    assert "can't be written to" in result.stderr


@pytest.mark.parametrize(
    "encoding",
    [pytest.param(one, marks=pytest.mark.slow) for one in ("cp1252", "ascii", "utf-8")],
)
def test_any_console_shows_any_name(tmp_path, encoding):
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    frame = pd.DataFrame({"день": days, "продажи": np.arange(40.0) % 7})
    frame.to_csv(tmp_path / "таблица.csv", index=False)
    command = [sys.executable, "-m", "statewise", "forecast", str(tmp_path / "таблица.csv")]
    done = subprocess.run(
        [*command, *QUICK, "--output", str(tmp_path)],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode(encoding)
    assert ("продажи" if encoding == "utf-8" else "???????") in said
    table = pd.read_csv(tmp_path / "forecast.csv", encoding="utf-8")
    assert table.columns[0] == "день"


@pytest.mark.slow
def test_json_in_the_letters_of_the_console(tmp_path):
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    frame = pd.DataFrame({"день": days, "продажи": np.arange(40.0) % 7})
    frame.to_csv(tmp_path / "a.csv", index=False)
    command = [sys.executable, "-m", "statewise", "forecast", str(tmp_path / "a.csv"), "--json"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*command, *QUICK, "--output", str(tmp_path)],
        capture_output=True,
        env=environment,
        check=True,
    )
    assert json.loads(done.stdout.decode("ascii"))["data"]["target"] == "продажи"


def fake_peers(errors):
    """Return statsforecast with models that are off by so much."""

    class StatsForecast:
        def __init__(self, models, freq, n_jobs):
            self.model = models[0]

        def forecast(self, df, h, level):
            last = df.groupby("unique_id")["y"].last()
            ahead = pd.DataFrame({"unique_id": np.repeat(last.index, h)})
            ahead["ds"] = np.tile(np.arange(h), len(last))
            name = type(self.model).__name__
            ahead[name] = np.repeat(last.to_numpy(), h) + errors[name]
            for one in level or []:
                ahead[f"{name}-lo-{one}"] = ahead[name] - 1
                ahead[f"{name}-hi-{one}"] = ahead[name] + 1
            return ahead

    module, models = types.ModuleType("statsforecast"), types.ModuleType("statsforecast.models")
    for name in errors:
        kind = type(name, (), {"__init__": lambda self, season_length: None})
        setattr(models, name, kind)
    module.StatsForecast, module.models = StatsForecast, models
    return {"statsforecast": module, "statsforecast.models": models}


@pytest.fixture
def constant(tmp_path):
    """A series that ends flat, so that the last value is the best forecast."""
    days = pd.date_range("2024-01-01", periods=60, name="day")
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(50, 9, 50), np.full(10, 40.0)])
    pd.Series(values, days, name="sold").to_csv(tmp_path / "flat.csv")
    return tmp_path / "flat.csv"


@pytest.mark.slow
def test_peers_stand_beside(constant, folder, monkeypatch):
    found = fake_peers({"AutoETS": 0.25, "AutoARIMA": 5000, "AutoTheta": 5000})
    for name, module in found.items():
        monkeypatch.setitem(sys.modules, name, module)
    result = call("forecast", constant, *QUICK, "--output", folder, "--peers")
    assert result.exit_code == 0, result.output
    assert re.search(r"AutoETS +0\.2500 ", result.output)
    assert re.search(r"AutoTheta +5,000 ", result.output)
    assert "The best of these is the naive forecast: MAE 0 against" in result.output
    table = written(folder)
    assert list(table.columns[-3:]) == ["AutoETS", "AutoARIMA", "AutoTheta"]
    assert (table["AutoETS"] == 40.25).all()  # those beyond the end too


@pytest.mark.slow
def test_the_best_may_be_a_peer(sales, folder, monkeypatch):
    for name, module in fake_peers({"AutoETS": -3.0}).items():
        monkeypatch.setitem(sys.modules, name, module)
    options = (*QUICK, "--output", folder, "--peer", "AutoETS", "--season", 1, "--json")
    result = call("forecast", sales, *options)
    assert result.exit_code == 0, result.output
    held = json.loads(result.stdout)["held_out"]
    best = min(held["errors"], key=lambda name: held["errors"][name]["MAE"])
    said = {"model": "the model", "naive": "the naive forecast"}.get(best, best)
    assert any(one.startswith(f"The best of these is {said}: MAE") for one in held["verdict"])


def test_peers_that_are_not_installed_are_told_before_training(
    sales, folder, untrained, monkeypatch
):
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    result = call("forecast", sales, "--output", folder, "--peers")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "pip install 'statewise[reference]'" in result.stderr


@pytest.mark.slow
def test_inputs_that_are_not_known_beyond_the_end(tmp_path, folder):
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    frame = pd.DataFrame(
        {"ds": days, "y": np.arange(40.0) % 7, "price": np.arange(40) % 3, "unique_id": "a"}
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    options = (*QUICK, "--future", "price", "--output", folder)
    result = call("forecast", tmp_path / "a.csv", *options)
    assert result.exit_code == 0, result.output
    assert "nothing is forecast beyond the end, for the inputs of those steps (price)" in " ".join(
        result.output.split()
    )
    assert set(written(folder)["part"]) == {"held out"}
    ahead = tmp_path / "ahead.csv"
    later = pd.date_range("2024-02-10", periods=4).astype(str)
    pd.DataFrame({"unique_id": "a", "ds": later, "price": 1}).to_csv(ahead, index=False)
    result = call("forecast", tmp_path / "a.csv", *options, "--future-file", ahead, "--force")
    assert result.exit_code == 0, result.output
    assert written(folder)["part"].tolist() == ["held out"] * 4 + ["future"] * 4


def test_inputs_that_lack_a_step_are_told_before_the_training(tmp_path, folder, untrained):
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    frame = pd.DataFrame(
        {"ds": days, "y": np.arange(40.0) % 7, "price": np.arange(40) % 3, "unique_id": "a"}
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    ahead = tmp_path / "ahead.csv"
    later = pd.date_range("2024-02-10", periods=3).astype(str)
    pd.DataFrame({"unique_id": "a", "ds": later, "price": 1}).to_csv(ahead, index=False)
    options = (*QUICK, "--future", "price", "--future-file", ahead, "--output", folder)
    result = call("forecast", tmp_path / "a.csv", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "future has no row for 2024-02-13 of series 'a'" in result.stderr


@pytest.mark.slow
def test_a_column_of_the_user_is_named_part(tmp_path, folder):
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    parts = [pd.DataFrame({"part": key, "ds": days, "y": np.arange(40.0) % 7}) for key in "ab"]
    pd.concat(parts).to_csv(tmp_path / "parts.csv", index=False)
    result = call("forecast", tmp_path / "parts.csv", "--key", "part", *QUICK, "--output", folder)
    assert result.exit_code == 0, result.output
    table = written(folder)
    assert list(table.columns[:4]) == ["part", "ds", "part_", "truth"]
    assert set(table["part"]) == {"a", "b"}


def test_no_holdout_of_a_panel_has_a_table_and_a_picture(tmp_path, folder):
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    parts = [
        pd.DataFrame({"shop": i, "day": days, "sold": np.arange(40.0) % 7 + i}) for i in range(14)
    ]
    pd.concat(parts).to_csv(tmp_path / "shops.csv", index=False)
    options = ("--key", "shop", "--time", "day", "--target", "sold", "--no-holdout")
    result = call("forecast", tmp_path / "shops.csv", *options, *QUICK, "--output", folder)
    assert result.exit_code == 0, result.output
    assert "2 more series are in the file" in result.output
    assert (folder / "forecast.png").read_bytes()[:4] == b"\x89PNG"
    assert len(written(folder)) == 14 * 4
