"""Panels with their keys and times in a pandas index: read as panels, and given back like that."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.tasks import Forecaster, backtest
from statewise.tasks.forecasting.adapters import give_back, take_in
from statewise.tasks.forecasting.forecast import Forecast

QUICK = {"horizon": 3, "units": 3, "epochs": 1, "lookback": 8, "season": 1}
DAYS = pd.date_range("2024-01-01", periods=27)


def told(data, columns=None, bands=False):
    taken = take_in(data, columns)
    count = len(taken.panel)
    points = np.arange(3.0 * count).reshape(count, 3)
    forecast = Forecast(points, {80: (points, points)} if bands else {})
    return taken.panel, give_back(taken.form, taken.panel, forecast)


def panel(*levels, names, count=24):
    index = pd.MultiIndex.from_product([*levels], names=names)
    return pd.Series(np.arange(float(len(index))), index, name="sold")


@pytest.mark.parametrize("names", [["shop", "day"], [None, None], ["unique_id", "ds"], ["ds", 5]])
def test_a_series_by_key_and_time_is_a_panel(names):
    series = panel(["b", "a"], DAYS[:24], names=names)
    if names[0] == "ds":  # the named one is the time, although the other one is of stamps
        series = panel(range(24), ["b", "a"], names=names)
    read, result = told(series)
    assert read.keys.tolist() == ["b", "a"]
    assert read.lengths.tolist() == [24, 24]
    assert result.name == "sold"
    assert list(result.index.names) == names
    assert result.tolist() == [0, 1, 2, 3, 4, 5]
    time = names.index("ds") if "ds" in names else 1
    assert result.index.get_level_values(time)[0] == (24 if names[0] == "ds" else DAYS[24])
    assert result.index.levels[time].dtype == series.index.levels[time].dtype


def test_several_levels_of_keys_in_any_order():
    series = panel(DAYS[:24], ["n", "s"], [1, 2], names=["day", "state", "store"])
    series = series[series.index.get_level_values("store") != 2].sample(frac=1, random_state=0)
    series = pd.concat([series, panel(DAYS[:24], ["n"], [2], names=["day", "state", "store"])])
    read, result = told(series)
    assert sorted(read.keys.tolist()) == [("n", 1), ("n", 2), ("s", 1)]
    assert read.columns.key == "state, store"
    assert list(result.index.names) == ["day", "state", "store"]
    assert set(result.index.droplevel("day")) == {("n", 1), ("n", 2), ("s", 1)}
    assert (result.index.get_level_values("day") >= DAYS[24]).all()
    _, frame = told(series.to_frame(), bands=True)
    assert frame.columns.tolist() == ["model", "model-lo-80", "model-hi-80"]
    pd.testing.assert_index_equal(frame.index, result.index)


def test_levels_keep_their_types():
    months = pd.period_range("2024-01", periods=24, freq="M")
    shops = pd.CategoricalIndex(["b", "a"], categories=["a", "b", "c"], name="shop")
    _, result = told(panel(shops, months, names=["shop", "month"]))
    assert result.index.levels[1].dtype == months.dtype
    assert result.index.levels[0].dtype == shops.dtype
    assert result.loc["a"].index[0] == pd.Period("2026-01", "M")
    stamps = DAYS[:24].tz_localize("Europe/Berlin").as_unit("s")
    _, result = told(panel(["x"], stamps, names=["shop", "day"]))
    assert result.index.levels[1].dtype == stamps.dtype


def test_numbers_that_are_days_stay_numbers():
    numbers = [int(day) for day in DAYS.strftime("%Y%m%d")]
    series = panel(["b", "a"], numbers, names=["shop", "day"])
    _, result = told(series[series.index.get_level_values("day").isin(numbers[4:24])])
    assert result.index.get_level_values("day")[:3].tolist() == numbers[24:]


def test_text_of_dates_and_numbers_are_times():
    read, _ = told(panel(["b", "a"], DAYS[:24].strftime("%Y-%m-%d"), names=[None, None]))
    assert read.time[0] == DAYS[0]
    read, result = told(panel(["b", "a"], range(20, 44), names=[None, None]))
    assert result.index.get_level_values(1)[:3].tolist() == [44, 45, 46]
    assert len(read) == 2


@pytest.mark.parametrize(
    ("data", "columns", "words"),
    [
        (panel([1, 2], range(24), names=["shop", "week"]), None, "which level .* several of them"),
        (panel(["a"], ["n", "s"], names=["shop", "side"]), None, "which level .* none of them"),
        (panel(["a"], DAYS, names=["shop", "day"]), {"key": "store"}, "no level 'store'; its"),
        (
            panel(["a"], DAYS, names=["shop", "day"]).to_frame().assign(price=1.0),
            None,
            "has the columns sold, price beside its index: name the one to forecast",
        ),
        (
            panel(["a"], DAYS, names=["shop", "day"]).to_frame().assign(shop=1.0),
            {"target": "sold"},
            "a level and a column named 'shop'",
        ),
        (panel(["a", None], DAYS, names=["shop", "day"]), None, "'shop' .* missing key, .* row 27"),
        (panel(["a"], DAYS, names=["model", "day"]), None, "column of keys is named 'model'"),
    ],
)
def test_what_is_refused(data, columns, words):
    with pytest.raises(DataError, match=words):
        take_in(data, columns)


def test_the_time_is_named_where_it_could_be_several():
    series = panel([1, 2], range(24), names=["shop", "week"])
    read, _ = told(series, {"time": "week"})
    assert read.keys.tolist() == [1, 2]


def test_forecasters_take_them_whole():
    index = pd.MultiIndex.from_product([["n", "s"], [1, 2], DAYS], names=["state", "store", "day"])
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"sold": rng.normal(size=108), "price": rng.normal(size=108)}, index)
    at = index.get_level_values("day")
    known, ahead = frame[at < DAYS[24]], frame.loc[at >= DAYS[24], ["price"]]
    names = {"target": "sold", "future": ["price"]}
    forecaster = Forecaster(**QUICK).fit(known, columns=names)
    result = forecaster.predict(future=ahead)
    assert result.index.equals(ahead.index)
    flat = forecaster.predict(future=ahead.reset_index())
    pd.testing.assert_frame_equal(flat, result)
    other = known[known.index.get_level_values("state") == "s"]
    some = forecaster.predict(new_data=other, future=ahead)
    np.testing.assert_allclose(some["model"], result.loc["s"]["model"], rtol=1e-5)


def test_backtests_name_their_keys():
    read, _ = told(panel(["n", "s"], [1, 2], DAYS, names=["state", "store", "day"]))
    measured = backtest(Forecaster(**QUICK), read, windows=2)
    assert measured.forecasts["state, store"].nunique() == 4
