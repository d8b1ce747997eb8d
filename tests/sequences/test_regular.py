import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewise.sequences import DataError, read_panel, read_series
from statewise.sequences.panel import Columns
from statewise.sequences.regular import Every
from statewise.sequences.tables import load_table


def series(stamps, values, **options):
    return read_series(pd.DataFrame({"t": pd.to_datetime(stamps), "v": values}), **options)


def test_repeated_stamps_are_refused_with_the_way_out():
    days = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"]
    with pytest.raises(DataError, match=r"row 2 has the same as row 1 \(2024-01-02\).*--aggregate"):
        series(days, [1.0, 2.0, 4.0, 5.0])
    for how, value in {"sum": 6, "mean": 3, "first": 2, "last": 4, "min": 2, "max": 4}.items():
        assert series(days, [1.0, 2.0, 4.0, 5.0], aggregate=how).values[1, 0] == value


@pytest.mark.parametrize("every", [None, "1D"])
@pytest.mark.parametrize("part", ["future", "past"])
def test_inputs_are_not_added_up(every, part):
    """What is sold twice is sold, the price of it is no higher for that."""
    days = pd.date_range("2024-01-01", periods=20).repeat(2)
    frame = pd.DataFrame({"ds": days, "y": 1.0 + np.arange(40), "price": np.tile([2.0, 4.0], 20)})
    columns = Columns(**{part: ["price"]})
    table = load_table(frame)
    panel = read_panel(table, columns, every=every, aggregate="sum")
    assert "of the inputs (price) their mean" in " ".join(table.understood.notes)
    price = panel.future["price"] if part == "future" else panel.values[:, 1]
    np.testing.assert_array_equal(panel.values[:, 0], 3 + 4 * np.arange(20.0))
    np.testing.assert_array_equal(price, 3.0)


@pytest.mark.parametrize(("how", "price"), [("sum", 3), ("max", 4), ("last", 4), ("median", 3)])
def test_features_are_aggregated_as_the_target_is_but_not_added_up(how, price):
    days = pd.date_range("2024-01-01", periods=20).repeat(2)
    frame = pd.DataFrame({"ds": days, "y": np.ones(40), "price": np.tile([2.0, 4.0], 20)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_series(frame, target="y", features=["price"], aggregate=how)
    np.testing.assert_array_equal(found.values[:, 1], price)
    assert found.values[0, 0] == (2 if how == "sum" else 1)


def test_uneven_stamps_are_refused_with_the_way_out():
    rng = np.random.default_rng(0)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.cumsum(rng.integers(40, 80, 200)), "min"
    )
    with pytest.raises(DataError, match=r"uneven: .*every=\"\w+\" \(--every \w+\)"):
        series(stamps, np.arange(200.0))


@pytest.mark.filterwarnings("ignore:the rows are brought to steps")
def test_every_hour_is_the_mean_of_its_values():
    stamps = pd.date_range("2024-01-01", periods=24, freq="20min")
    found = series(stamps, np.arange(24.0), every="1h")
    assert found.phrase == "hourly"
    np.testing.assert_array_equal(found.values[:, 0], [1, 4, 7, 10, 13, 16, 19, 22])


def test_how_is_said():
    stamps = pd.date_range("2024-01-01", periods=24, freq="20min")
    with pytest.warns(
        UserWarning, match=r"steps of 1 hour: .* their mean counts \(--aggregate sum"
    ):
        series(stamps, np.arange(24.0), every="1h")


@pytest.mark.filterwarnings("ignore:the rows are brought to steps")
def test_sums_of_half_a_month_are_left_out():
    days = pd.date_range("2024-01-10", "2024-05-20", freq="D")
    found = series(days, np.ones(len(days)), every="1M", aggregate="sum")
    np.testing.assert_array_equal(found.values[:, 0], [29, 31, 30])
    assert [stamp.month for stamp in found.time] == [2, 3, 4]
    whole = pd.date_range("2024-02-01", "2024-04-30", freq="D")
    found = series(whole, np.ones(len(whole)), every="month", aggregate="sum")
    np.testing.assert_array_equal(found.values[:, 0], [29, 31, 30])


@pytest.mark.filterwarnings("ignore:the rows are brought to steps")
def test_days_are_those_of_the_zone():
    hours = pd.date_range("2024-03-29", periods=24 * 5 - 1, freq="h", tz="Europe/Berlin")
    found = series(hours, np.ones(len(hours)), every="1D", aggregate="sum")
    np.testing.assert_array_equal(found.values[:, 0], [24, 24, 23, 24, 24])
    assert str(found.time.tz) == "Europe/Berlin"


def test_keys_by_themselves():
    frame = pd.DataFrame(
        {
            "k": ["a"] * 6 + ["b"] * 6,
            "ds": pd.DatetimeIndex([*pd.date_range("2024-01-01", periods=3, freq="D")] * 4),
            "y": np.arange(12.0),
            "price": 2.0,
        }
    )
    columns = Columns(key="k", future=["price"])
    with pytest.raises(DataError, match="--aggregate"):
        read_panel(frame, columns)
    panel = read_panel(frame, columns, aggregate="sum")
    np.testing.assert_array_equal(panel.values[:, 0], [3, 5, 7, 15, 17, 19])
    assert panel.keys.tolist() == ["a", "b"]


@pytest.mark.parametrize("text", ["", "1x", "0h", "h1", "-1h", "1.5h", "fortnight"])
def test_no_step(text):
    with pytest.raises(DataError, match="is no step of time: write a number and s, min, h"):
        Every.of(text)


def test_minutes_or_months():
    with pytest.raises(DataError, match="every='5m': write min for minutes, or M for months"):
        Every.of("5m")


def test_other_words():
    stamps = pd.date_range("2024-01-01", periods=4, freq="D")
    with pytest.raises(DataError, match="aggregate='most': it must be one of mean, sum"):
        series(stamps, np.ones(4), aggregate="most")
    numbered = pd.DataFrame({"t": [1, 2, 3], "v": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match="needs time stamps, but the time of the table is numbers"):
        read_series(numbered, time="t", target="v", every="1h")


@given(
    st.sampled_from(["s", "min", "h", "D", "W", "M", "Q", "Y"]),
    st.integers(1, 12),
    st.lists(st.integers(-(10**10), 10**10), min_size=1, max_size=20),
    st.sampled_from([None, "Europe/Berlin", "America/New_York"]),
)
def test_a_stamp_lies_in_its_step(unit, count, seconds, zone):
    every = Every(count, unit)
    stamps = pd.DatetimeIndex(np.array(seconds, "datetime64[s]").astype("datetime64[us]"))
    if zone is not None:
        stamps = stamps.tz_localize("UTC").tz_convert(zone)
    begin = every.floor(stamps)
    assert (begin <= stamps).all()
    assert (stamps < every.after(begin) + pd.Timedelta(hours=2 if zone else 0)).all()
    if zone is None:
        pd.testing.assert_index_equal(every.floor(begin), begin)


@pytest.mark.filterwarnings("ignore:the rows are brought to steps")
def test_the_last_of_a_step_is_its_latest_whichever_way_the_rows_came():
    stamps = pd.date_range("2024-01-01", periods=96, freq="h")
    values = np.arange(96.0)
    for backwards in (1, -1):
        last = series(stamps[::backwards], values[::backwards], every="1D", aggregate="last")
        np.testing.assert_array_equal(last.values[:, 0], [23, 47, 71, 95])
        first = series(stamps[::backwards], values[::backwards], every="1D", aggregate="first")
        np.testing.assert_array_equal(first.values[:, 0], [0, 24, 48, 72])


@pytest.mark.filterwarnings("ignore:the rows are brought to steps")
def test_half_a_month_of_any_series_is_left_out_of_sums():
    one = pd.date_range("2024-01-01", "2024-06-30")
    other = pd.date_range("2024-01-10", "2024-05-15")
    frame = pd.DataFrame({"unique_id": ["b"] * len(one) + ["a"] * len(other),
                          "ds": [*one, *other], "y": 1.0})  # fmt: skip
    panel = read_panel(frame.sample(frac=1, random_state=0), every="1M", aggregate="sum")
    sums = {k: panel.values[a:b, 0].tolist() for k, a, b in zip(
        panel.keys, panel.offsets[:-1], panel.offsets[1:], strict=True)}  # fmt: skip
    assert sums == {"b": [31, 29, 31, 30, 31, 30], "a": [29, 31, 30]}
