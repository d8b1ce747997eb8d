"""Forecasters exported: the program of docs/onnx.md says from the folder what `predict` says."""

import json

import numpy as np
import pandas as pd
import pytest

from drawn_forecasters import HORIZON, assert_same, drawn_series, of_one, of_panel
from page_blocks import block_with
from some_slow import some_slow
from statewise.tasks import Forecaster

pytest.importorskip("onnx", reason="needs onnx")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")

PROGRAM = block_with("onnx.md", "def closed_loop")


@pytest.fixture(scope="module")
def forecast():
    """The function that the page shows."""
    namespace = {}
    exec(compile(PROGRAM, "docs/onnx.md", "exec"), namespace)
    return namespace["forecast"]


ALONE = {
    "difference of a season": {"cell": "lstm", "log": True, "lags": (7, 1), "lookback": 30},
    "as it is": {"cell": "gru", "log": False, "lags": (), "lookback": 100},
    "difference": {"cell": "rnn", "log": False, "lags": (1,), "lookback": 9},
}


@pytest.mark.parametrize("name", some_slow(ALONE, 3))
def test_one_series_is_forecast_as_by_predict(name, forecast, rng, tmp_path):
    options = ALONE[name]
    values = drawn_series(rng, 60, lowest=2.0 if options["log"] else None)
    forecaster = of_one(values[:50], rng, **options)
    forecaster.export(tmp_path / "made")
    assert_same(forecast(tmp_path / "made", values[:50], 6), forecaster.predict(), values)
    more = forecaster.predict(15, new_data=values)
    assert_same(forecast(tmp_path / "made", values, 15), more, values)


PANELS = {
    "two layers": {"cell": "gru", "layers": 2, "season": 7, "log": True, "start": "seasonal"},
    "counts": {"season": 4, "likelihood": "negative-binomial"},
    "a long season is repeated": {"season": 11, "also": (7,), "start": "seasonal"},
    "a short season is repeated": {
        "season": 7,
        "also": (9, 30),
        "cell": "rnn",
        "start": "seasonal",
    },
    "blind": {"season": 7, "tentative": True, "start": "blind", "likelihood": "gaussian"},
    "no season": {"likelihood": "quantiles", "lookback": 80, "layers": 3},
    "a longer reach": {"season": 24, "likelihood": "student-t", "cell": "gru", "lookback": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PANELS)
def test_series_of_a_panel_are_forecast_as_by_predict(name, forecast, rng, tmp_path):
    options = PANELS[name]
    lowest = 1.5 if options.get("log") else None
    lengths = {"long": 70, "short": 10, "shortest": 2}
    series = {key: drawn_series(rng, steps, lowest=lowest) for key, steps in lengths.items()}
    if options.get("likelihood") == "negative-binomial":
        series = {key: np.abs(values).round() for key, values in series.items()}
    still = np.full(20, 3.0)
    forecaster = of_panel({**series, "still": still}, rng, **options)
    forecaster.export(tmp_path / "made")
    told = forecaster.predict()
    for key, values in series.items():
        assert_same(forecast(tmp_path / "made", values, HORIZON), told[key], values)
    kept = forecast(tmp_path / "made", still, HORIZON)
    np.testing.assert_allclose(kept, told["still"], rtol=1e-6)
    farthest = json.loads((tmp_path / "made" / "forecaster.json").read_text("utf-8"))["farthest"]
    with pytest.raises(ValueError, match="too few for that far"):
        forecast(tmp_path / "made", series["long"], farthest + 1)


def test_the_program_has_forty_lines():
    code = [line for line in PROGRAM.splitlines() if line.strip()]
    assert len([line for line in code if not line.strip().startswith('"""')]) <= 40


def test_the_program_refuses_what_it_cant_prepare(forecast, rng, tmp_path):
    values = drawn_series(rng, 40, lowest=1.0)
    made = of_one(values, rng, cell="gru", log=True, lags=(7,), lookback=20)
    made.export(tmp_path / "made")
    for wrong in (np.append(values, np.nan), values[:7], np.append(values, np.inf)):
        with pytest.raises(ValueError, match="a value is missing"):
            forecast(tmp_path / "made", wrong, 3)


def test_what_isnt_written_is_refused_in_words(rng, tmp_path):
    with pytest.raises(ValueError, match="not fitted yet"):
        Forecaster(horizon=3).export(tmp_path / "made")
    values = drawn_series(rng, 30)
    gaps = np.where(np.arange(30) == 11, np.nan, values)
    with pytest.raises(ValueError, match=r"exported: where it learned, values were missing.*keep"):
        of_panel({"a": values, "b": gaps}, rng, season=7).export(tmp_path / "made")
    days = pd.date_range("2024", periods=30, name="ds")
    frame = pd.DataFrame({"unique_id": "a", "ds": days, "y": values, "fed": days.date})
    columns = {"future": ["fed"], "categories": ["fed"]}
    with pytest.raises(ValueError, match=r"the categories of 'fed' are no text .* is a date\)"):
        of_panel(frame, rng, columns=columns).export(tmp_path / "made")
    with pytest.raises(ValueError, match="it is no fraction, write 80"):
        of_one(values, rng, cell="rnn", log=False, lags=(), lookback=9).export(
            tmp_path / "made", level=0.8
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lookback", [12, pytest.param(1, marks=pytest.mark.slow)])
def test_what_learned_from_gaps_forecasts_series_without(lookback, forecast, rng, tmp_path):
    complete, other = drawn_series(rng, 40), drawn_series(rng, 30)
    other[[3, 17]] = np.nan
    made = of_panel({"a": complete, "b": other}, rng, lookback=lookback)
    assert made._engine.architecture.gaps
    made.export(tmp_path / "made")
    assert_same(forecast(tmp_path / "made", complete, HORIZON), made.predict()["a"], complete)
    with pytest.raises(ValueError, match="a value is missing"):
        forecast(tmp_path / "made", other, HORIZON)


@pytest.mark.slow
def test_a_window_of_one_step_has_no_scale_of_its_own(forecast, rng, tmp_path):
    values = drawn_series(rng, 40)
    made = of_panel({"a": values, "b": values[:9]}, rng, lookback=1, season=4)
    made.export(tmp_path / "made")
    assert_same(forecast(tmp_path / "made", values, HORIZON), made.predict()["a"], values)


def test_a_folder_with_something_in_it_stays_as_it_is(rng, tmp_path):
    values = drawn_series(rng, 40)
    made = of_one(values, rng, cell="rnn", log=False, lags=(), lookback=20)
    made.export(tmp_path / "made")
    told = json.loads((tmp_path / "made" / "forecaster.json").read_text("utf-8"))
    assert (told["format"], told["horizon"], told["networks"]) == (1, HORIZON, ["network_0.onnx"])
    with pytest.raises(FileExistsError, match=r"new folder, or .* overwrite=True"):
        made.export(tmp_path / "made")
    with pytest.raises(TypeError, match="folder is a int; expected a path"):
        made.export(3)
    with pytest.raises(FileNotFoundError):
        made.export(tmp_path / "nowhere" / "made")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        made.export(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    made.export(tmp_path / "empty")
    assert len(list((tmp_path / "empty").iterdir())) == 2
