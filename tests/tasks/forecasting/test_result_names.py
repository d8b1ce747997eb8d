"""A result's own columns and the user's never take each other's names."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.cli.written_names import as_written
from statewise.sequences import Columns, DataError, read_panel, read_wide
from statewise.tasks import Backtest, Forecaster, backtest
from statewise.tasks.evaluation.origins import rolling_origins
from statewise.tasks.forecasting.adapters import give_back, take_in
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.result_names import check_backtest, check_forecasts

OURS = ["model", "model-lo-80", "model-hi-95", "naive", "seasonal naive", "naive-lo-80", "window"]
OURS += ["step", "cutoff", "forecast", "truth", "MAE", "coverage-80", "unique_id", "ds", "y"]
NAMES = st.one_of(
    st.sampled_from(OURS),
    st.sampled_from(OURS).map("car_{}".format),
    st.sampled_from(OURS).map("{}_2".format),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8),
)
FORECAST = Forecast(np.zeros((2, 2)), {80.0: (-np.ones((2, 2)), np.ones((2, 2)))})


def told(function, *arguments):
    """Return what a refusal says; "" where there is none."""
    try:
        function(*arguments)
    except DataError as error:
        return str(error)
    return ""


def table(key, time, target, steps=6):
    frame = pd.DataFrame({"k": np.repeat(["a", "b"], steps), "t": [*range(steps)] * 2})
    return frame.assign(v=np.arange(2.0 * steps)).set_axis([key, time, target], axis=1)


@given(st.lists(NAMES, min_size=3, max_size=3, unique=True))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_long_table_keeps_its_columns_or_is_refused(names):
    columns = Columns(*names)
    refused = told(take_in, table(*names), columns)
    assert bool(refused) == bool({"model", "model-lo-80", "model-hi-95"} & {*names[:2]})
    if refused:
        assert "rename it" in refused
        return
    taken = take_in(table(*names), columns)
    result = give_back(taken.form, taken.panel, FORECAST)
    assert list(result.columns) == [*names[:2], "model", "model-lo-80", "model-hi-80"]
    assert result[names[0]].tolist() == ["a", "a", "b", "b"]
    assert result[names[1]].tolist() == [6, 7, 6, 7]
    assert result["model"].tolist() == [0] * 4
    written = [as_written(name) for name in result.columns[2:]]
    assert written == ["forecast", "forecast-lo-80", "forecast-hi-80"]


@given(st.lists(NAMES, min_size=3, max_size=3, unique=True))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_backtest_keeps_the_columns_or_is_refused(names):
    panel = read_panel(table(*names), Columns(*names))
    refused = told(check_backtest, panel.columns)
    if refused:
        assert "rename it" in refused
        assert {*OURS} & {*names}
        return
    origins, _ = rolling_origins(panel, windows=1, horizon=2)
    ways = {"model": 80.0, "naive": 80.0, "seasonal naive": 80.0}
    zeros = np.zeros((2, 1, 2))
    arrays = {
        name: Forecast(zeros, {level: (zeros - 1, zeros + 1)}) for name, level in ways.items()
    }
    result = Backtest(None, origins, arrays, np.ones(2), 1, False, [], [])
    found, errors = result.forecasts, result.errors
    assert found[names[0]].tolist() == ["a", "a", "b", "b"]
    assert found[names[1]].tolist() == [4, 5, 4, 5]
    assert found[names[2]].tolist() == [4, 5, 10, 11]
    assert found.shape[1] == 6 + 3 * 3
    assert found["window"].tolist() == [1] * 4
    assert errors[names[0]].tolist() == ["a", "a", "b", "b"] * 3
    assert errors.shape[1] == 3 + 6


# A table with a column unique_id, or with ds and y, is a long one.
WIDE = NAMES.filter(lambda name: name not in ("unique_id", "y"))


@given(st.lists(WIDE, min_size=3, max_size=3, unique=True))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_wide_table_keeps_its_series_or_is_refused(names):
    frame = pd.DataFrame(np.arange(18.0).reshape(6, 3), columns=names)
    frame[names[0]] = pd.date_range("2024-01-01", periods=6)
    for given_frame in (frame, pl.from_pandas(frame)):
        taken = take_in(given_frame)
        assert taken.panel.keys.tolist() == names[1:]
        refused = told(give_back, taken.form, taken.panel, FORECAST)
        if refused:
            assert "rename that series" in refused
            assert any(name.endswith("-80") for name in names)
            continue
        result = give_back(taken.form, taken.panel, FORECAST)
        assert len(set(result.columns)) == 7
        assert [stamp.day for stamp in result[names[0]]] == [7, 8]
        assert (result[names[1]] == 0).all()


@pytest.mark.parametrize("name", ["y", "unique_id", "ds"])
def test_the_time_of_a_wide_table_has_any_name(name):
    days = pd.date_range("2024-01-01", periods=4)
    panel = read_wide(pd.DataFrame({name: days, "a": [1.0, 2, 3, 4], "b": [5.0, 6, 7, 8]}))
    assert panel.keys.tolist() == ["a", "b"]
    assert panel.values[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert panel.time.name == name
    numbered = read_wide(pd.DataFrame({name: [1.0, 2, 3], "b": [5.0, 6, 7]}))
    assert numbered.keys.tolist() == [name, "b"]


def test_keys_in_the_index_are_keys():
    frame = table("unique_id", "ds", "y").set_index(["unique_id", "ds"])
    panel = take_in(frame).panel
    assert panel.keys.tolist() == ["a", "b"]
    assert panel.lengths.tolist() == [6, 6]
    with pytest.raises(DataError, match="without a name"):
        read_panel(frame.rename_axis([None, "ds"]))
    with pytest.raises(DataError, match="named 'y', as a column is"):
        read_panel(frame.rename_axis(["y", "ds"]))
    dated = pd.DataFrame({"ds": range(4), "y": 1.0}, pd.date_range("2024", periods=4, name="ds"))
    with pytest.raises(DataError, match="an index and a column named 'ds', and they differ"):
        read_panel(dated)
    assert len(read_panel(dated.assign(ds=dated.index))) == 1


def test_refused_before_anything_is_learned():
    forecaster = Forecaster(horizon=2)
    with pytest.raises(DataError, match=r"column of keys is named 'model'.*'model_'"):
        forecaster.fit(table("model", "ds", "y", 20), columns={"key": "model"})
    with pytest.raises(DataError, match="column of time is named 'window'"):
        backtest(
            forecaster, table("unique_id", "window", "y"), windows=1, columns={"time": "window"}
        )
    with pytest.raises(DataError, match="target is named 'naive'"):
        backtest(
            forecaster, table("k", "t", "naive"), windows=1, columns=Columns("k", "t", "naive")
        )
    check_forecasts(Columns(key="remodel", time="naive", target="model"))


def test_a_column_twice_is_refused(tmp_path):
    frame = pd.DataFrame([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]], columns=["y", "y"])
    with pytest.raises(DataError, match="several columns named 'y'"):
        Forecaster(horizon=1).fit(frame)
    arrow = pa.table([pa.array([1.0, 2.0]), pa.array([1.0, 2.0])], names=["y", "y"])
    with pytest.raises(DataError, match="several columns named 'y'"):
        Forecaster(horizon=1).fit(arrow)
    path = tmp_path / "twice.csv"
    path.write_text("ds,y,y\n1,2,3\n2,3,4\n3,4,5\n")
    with pytest.raises(DataError, match="several columns named 'y'"):
        read_panel(path)
