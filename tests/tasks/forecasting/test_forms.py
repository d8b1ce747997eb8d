"""Forecasts come back in the form of the data, index and types, so that both can be joined."""

import datetime
import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import DataError
from statewise.tasks import Forecaster, backtest
from statewise.tasks.forecasting.adapters import form_of, give_back, take_in
from statewise.tasks.forecasting.forecast import Forecast

QUICK = {"horizon": 3, "units": 3, "epochs": 1, "lookback": 8, "season": 1}
STEPS = 24


def told(data, columns=None, bands=False, horizon=3):
    """Return forecasts 0, 1, 2... of data in their form."""
    taken = take_in(data, columns)
    count = len(taken.panel)
    points = np.arange(float(count * horizon)).reshape(count, horizon)
    return give_back(
        taken.form, taken.panel, Forecast(points, {80: (points - 1, points + 1)} if bands else {})
    )


INDEXES = {
    "a range": pd.RangeIndex(20, 80),
    "a range by twos": pd.RangeIndex(20, 80, 2),
    "small integers": pd.Index(range(3, 43), dtype="int16"),
    "years": pd.Index(range(1960, 2020), name="year"),
    "spans": pd.timedelta_range("1h", periods=40, freq="15min", unit="ns"),
    "months": pd.period_range("2001-03", periods=40, freq="M"),
    "quarters": pd.period_range("2001Q1", periods=40, freq="Q-NOV"),
    "weeks": pd.period_range("2024-01-03", periods=40, freq="W-TUE"),
    "two months": pd.period_range("2024-01", periods=40, freq="2M"),
    "hours": pd.period_range("2024-01-03 07:00", periods=40, freq="h"),
    "seconds": pd.date_range("2024-01-01", periods=40, freq="10s", unit="s"),
    "nanoseconds": pd.date_range("2024-01-01", periods=40, freq="ME", unit="ns"),
    "in a zone": pd.date_range("2024-03-01", periods=40, tz="Europe/Berlin", unit="ms"),
    "business days": pd.bdate_range("2024-03-01", periods=40),
    "without a frequency": pd.DatetimeIndex(pd.date_range("2024", periods=40).to_numpy()),
}


@pytest.mark.parametrize("bands", [False, True])
@pytest.mark.parametrize("kind", INDEXES)
def test_the_index_goes_on_by_its_own_type(kind, bands):
    whole = INDEXES[kind]
    index, ahead = whole[:-3], whole[-3:]
    values = np.arange(float(len(index)))
    result = told(pd.Series(values, index, name="y"), bands=bands).index
    assert result.equals(ahead)
    assert result.dtype == ahead.dtype
    assert getattr(result, "freq", None) == getattr(whole, "freq", None)
    wide = pd.DataFrame({"a": values, "b": values}, index)
    result = told(wide, bands=bands).index
    assert result.equals(ahead)
    assert result.dtype == ahead.dtype
    assert result.name == index.name
    assert getattr(result, "freq", None) == getattr(whole, "freq", None)


def test_columns_of_pandas_keep_their_types():
    days = pd.date_range("2024-01-01", periods=STEPS)
    for time in (days.as_unit("s"), days.as_unit("ns"), days.tz_localize("Asia/Tokyo"), RANGE):
        for keys in (
            pd.Categorical(["b", "a"], categories=["a", "b", "c"], ordered=True),
            pd.array([1, 2], dtype="Int32"),
            np.array([7, 9], np.int8),
            pd.array(["x", "y"], dtype="string"),
            np.array(["x", "y"], object),
        ):
            frame = pd.DataFrame(
                {"unique_id": pd.Series(keys).repeat(STEPS).array, "ds": [*time] * 2, "y": 1.0}
            ).astype({"ds": time.dtype})
            result = told(frame)
            assert result.dtypes[["unique_id", "ds"]].equals(frame.dtypes[["unique_id", "ds"]])
            assert len(frame.merge(result, on=["unique_id", "ds"], how="outer")) == 2 * STEPS + 6
    wide = pd.DataFrame(
        {"month": pd.period_range("2024-01", periods=9, freq="M"), "a": 1.0, "b": 2.0}
    )
    assert told(wide)["month"].tolist() == [*pd.period_range("2024-10", periods=3, freq="M")]


RANGE = pd.Index(np.arange(STEPS), dtype="int32")
POLARS_TIMES = [pl.Date, pl.Datetime("ms"), pl.Datetime("us"), pl.Datetime("ns")]
POLARS_TIMES += [pl.Datetime("ms", "Europe/Berlin"), pl.Int64, pl.Int32, pl.UInt16]
POLARS_KEYS = [pl.String, pl.Categorical, pl.Enum(["c", "b", "a"]), pl.Int64, pl.UInt8]


def polars_frame(time, key):
    """Return two series as polars has them, the steps to forecast included."""
    days = [datetime.datetime(2024, 3, 20) + datetime.timedelta(day) for day in range(STEPS + 3)]
    stamps = pl.Series(range(STEPS + 3)) if time.is_integer() else pl.Series(days)
    if getattr(time, "time_zone", None):
        stamps = stamps.dt.replace_time_zone(time.time_zone)
    keys = ["b", "a"] if not key.is_integer() else [4, 2]
    return pl.DataFrame(
        {
            "unique_id": pl.Series([k for k in keys for _ in range(STEPS + 3)]).cast(key),
            "ds": stamps.cast(time).append(stamps.cast(time)),
            "y": np.arange(2.0 * (STEPS + 3)),
        }
    )


@pytest.mark.parametrize("key", POLARS_KEYS, ids=str)
@pytest.mark.parametrize("time", POLARS_TIMES, ids=str)
def test_polars_joins_a_forecast_without_a_cast(time, key):
    frame = polars_frame(time, key)
    known = frame.filter(pl.int_range(pl.len()).over("unique_id") < STEPS)
    for given_frame in (known, known.lazy()):
        result = told(given_frame)
        assert isinstance(result, pl.DataFrame)
        joined = frame.join(result, on=["unique_id", "ds"], how="inner")
        assert joined["model"].to_list() == [0, 1, 2, 3, 4, 5]
    wide = pl.DataFrame({"ds": known["ds"][:STEPS], "a": 1.0, "b": 2.0})
    if not time.is_integer():  # which would be a series as others
        assert told(wide, bands=True).schema["ds"] == time


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.int32()], ids=str)
@pytest.mark.parametrize(
    "time",
    [pa.date32(), pa.timestamp("ms"), pa.timestamp("us", "Asia/Tokyo"), pa.int64(), pa.int16()],
    ids=str,
)
def test_arrow_joins_a_forecast_without_a_cast(time, text):
    days = pd.date_range("2024-03-20", periods=STEPS + 3).tolist()
    days = list(range(STEPS + 3)) if pa.types.is_integer(time) else days
    keys = ["a", "b"] if not pa.types.is_integer(text) else [1, 2]
    table = pa.table(
        {
            "unique_id": pa.array(np.repeat(keys, STEPS + 3), text),
            "ds": pa.array(days * 2).cast(time),
            "y": np.arange(2.0 * (STEPS + 3)),
        }
    )
    known = table.take([i for i in range(2 * (STEPS + 3)) if i % (STEPS + 3) < STEPS])
    joined = table.join(told(known), ["unique_id", "ds"], join_type="inner")
    assert sorted(joined["model"].to_pylist()) == [0, 1, 2, 3, 4, 5]


def test_stamps_written_as_numbers_stay_numbers():
    days = pd.date_range("2024-03-20", periods=STEPS + 3)
    numbers = [int(day.strftime("%Y%m%d")) for day in days]
    whole = pl.DataFrame({"unique_id": "a", "ds": numbers, "y": np.arange(float(len(days)))})
    joined = whole.join(told(whole[:STEPS]), on=["unique_id", "ds"])
    assert joined["model"].to_list() == [0, 1, 2]
    index = pd.Index(numbers, dtype="int32")
    assert told(pd.Series(1.0, index[:STEPS])).index.equals(index[STEPS:])
    frame = pd.DataFrame({"ds": numbers, "y": 1.0})
    assert told(frame[:STEPS])["ds"].tolist() == numbers[STEPS:]


@pytest.mark.parametrize("way", ["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S"])
def test_stamps_written_as_text_stay_text_in_polars_and_arrow(way):
    texts = pd.date_range("2024-03-20", periods=STEPS + 3).strftime(way).to_list()
    whole = pl.DataFrame({"unique_id": "a", "ds": texts, "y": np.arange(float(len(texts)))})
    joined = whole.join(told(whole[:STEPS]), on=["unique_id", "ds"])
    assert joined["model"].to_list() == [0, 1, 2]
    table = whole.to_arrow()
    joined = table.join(told(table[:STEPS]), ["unique_id", "ds"], join_type="inner")
    assert sorted(joined["model"].to_pylist()) == [0, 1, 2]
    wide = pl.DataFrame({"ds": texts[:STEPS], "a": 1.0, "b": 2.0})
    assert told(wide)["ds"].to_list() == texts[STEPS:]


def test_series_of_polars():
    result = told(pl.Series("sold", [1.0, 2, 3, 4]))
    assert result.equals(pl.Series("sold", [0.0, 1, 2]))
    assert told(pl.Series([1, 2, 3, 4]), bands=True).columns == [
        "model",
        "model-lo-80",
        "model-hi-80",
    ]


def test_a_mapping_is_a_panel():
    days = pd.date_range("2024-01-01", periods=9)
    result = told({"a": pd.Series(np.arange(9.0), days), 3: pd.Series(np.arange(5.0), days[2:7])})
    assert list(result) == ["a", 3]
    assert result["a"].index.equals(pd.date_range("2024-01-10", periods=3))
    assert result[3].index.equals(pd.date_range("2024-01-08", periods=3))
    assert result[3].tolist() == [3, 4, 5]
    result = told({"a": [1.0, 2, 3], ("b", 1): np.arange(5)}, bands=True)
    assert result["b", 1].index.tolist() == [5, 6, 7]
    assert told({"a": [1.0, 2, 3], "b": np.arange(5)})["b"].tolist() == [3, 4, 5]
    frame = told({"ds": days, "y": np.arange(9.0)})  # a frame by its columns
    assert frame.columns.tolist() == ["ds", "model"]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        ({}, DataError, "the mapping is empty"),
        ({"a": pd.Series([1.0, 2, 3]), "b": [1, 2, 3]}, DataError, "the one of 'b' is list"),
        ({"a": np.ones((3, 2))}, DataError, r"the one of 'a' is of the shape \(3, 2\)"),
        (pd.DataFrame({"k": [1], "y": 1.0}).groupby("k"), TypeError, "data came in groups"),
        (pl.DataFrame({"k": [1], "y": 1.0}).group_by("k"), TypeError, r"columns=\{'key'"),
    ],
    ids=["empty", "mixed", "two axes", "groups", "groups of polars"],
)
def test_what_is_refused(data, error, words):
    with pytest.raises(error, match=words):
        take_in(data)


@given(
    words=st.text(max_size=20) | st.sampled_from(["category [1", "Enum x", "Datetime q", "int8"]),
    backend=st.sampled_from(["pandas", "polars", "pyarrow"]),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_words_that_fit_nothing_change_nothing(words, backend):
    frame = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024", periods=9), "y": 1.0})
    taken = take_in(frame)
    form = form_of({"layout": "long", "backend": backend, "types": [words, words]})
    result = give_back(form, taken.panel, Forecast(np.zeros((1, 400)), {}))
    assert len(result) == 400


def fitted(data, **more):
    return Forecaster(**QUICK).fit(data, **more)


def test_a_form_in_a_file_is_the_same():
    index = pd.MultiIndex.from_product(
        [["n", "s"], [1, 2], INDEXES["months"]], names=["a", 1, None]
    )
    for data in (
        polars_frame(pl.Date, pl.Enum(["c", "b", "a"])),
        polars_frame(pl.Datetime("ms"), pl.Int64).to_arrow(),
        pd.Series(np.arange(160.0), index, name="sold"),
        pd.DataFrame({"a": 1.0, "b": range(40)}, INDEXES["in a zone"]),
        {"a": pd.Series(np.arange(40.0), INDEXES["weeks"])},
        pd.Series(np.arange(160.0), index.set_names([("a", 1), "b", "c"]), name=("sold", "north")),
    ):
        form = take_in(data).form
        assert form_of(json.loads(json.dumps(asdict(form)))) == form
    assert form_of({"layout": "long", "backend": "polars", "time": 3}).types == ()  # of 0.2
    for wrong in ({"levels": [{}]}, {"levels": ["a"], "time_at": 1}, {"types": [1]}, {"name": {}}):
        with pytest.raises((ValueError, TypeError)):
            form_of({"layout": "long"} | wrong)


def test_a_loaded_forecaster_forecasts_in_the_same_form(tmp_path):
    forecaster = fitted(polars_frame(pl.Date, pl.Enum(["c", "b", "a"])))
    forecaster.save(tmp_path / "a.zip")
    one, other = forecaster.predict(), Forecaster.load(tmp_path / "a.zip").predict()
    assert one.equals(other)
    assert one.schema == other.schema


@pytest.mark.slow
def test_inputs_ahead_and_new_data_of_these_types():
    frame = polars_frame(pl.Date, pl.Enum(["c", "b", "a"])).with_columns(price=pl.col("y") % 7)
    known = frame.filter(pl.int_range(pl.len()).over("unique_id") < STEPS)
    ahead = frame.filter(pl.int_range(pl.len()).over("unique_id") >= STEPS).drop("y")
    forecaster = fitted(known, columns={"future": ["price"]})
    result = forecaster.predict(future=ahead)
    assert result.select("unique_id", "ds").equals(ahead.select("unique_id", "ds"))
    assert forecaster.predict(new_data=known.lazy(), future=ahead.lazy()).equals(result)
    later = forecaster.predict(new_data=known.to_pandas(), future=ahead.to_pandas())
    np.testing.assert_array_equal(later["model"], result["model"])
    measured = backtest(Forecaster(**QUICK), known, windows=2, columns={"future": ["price"]})
    assert measured.forecasts["ds"].nunique() == 6
