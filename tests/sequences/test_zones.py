"""Stamps in a zone: even by its clock or as instants, and given back in the zone they came in."""

import zoneinfo
from datetime import timedelta, timezone

import dateutil.tz
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import Columns, DataError, read_panel, read_series, read_wide
from statewise.sequences.calendar_search import find_calendar
from statewise.tasks.forecasting.adapters import give_back, take_in
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.future_inputs import in_zone_of_fit, read_ahead
from statewise.tasks.forecasting.global_model.features import Encoder

# Clocks changed by an hour, by half of one, at midnight, in the south, and never.
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut"]
ZONES += ["America/Havana", "Pacific/Auckland", "Asia/Kolkata", "UTC"]
ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
OFFSET = timezone(timedelta(hours=-3))
OF_DAYS = ["D", "2D", "7D", "B", "MS", "ME", "QS", "YS"]
OF_HOURS = ["h", "2h", "3h", "30min", "15min"]


def by_the_clock(first, freq, count, zone):
    """Return stamps of a clock on the wall, as a person in the zone writes them down."""
    wall = pd.date_range(first, periods=count, freq=freq)
    return wall.tz_localize(zone, ambiguous=np.ones(count, bool), nonexistent="shift_forward")


@given(
    zone=st.sampled_from(ZONES),
    freq=st.sampled_from(OF_DAYS),
    first=st.datetimes(pd.Timestamp("2018"), pd.Timestamp("2022")),
    minute=st.sampled_from([0, 30, 60, 90, 120, 150, 180, 720]),
    cut=st.integers(12, 399),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_days_weeks_and_months_are_even_by_the_clock(zone, freq, first, minute, cut):
    start = pd.Timestamp(first).normalize() + pd.Timedelta(minutes=minute)
    stamps = by_the_clock(start, freq, 400 if freq in OF_DAYS[:4] else 40, zone)
    known = min(cut, len(stamps) - 5)
    calendar, grid = find_calendar(stamps[:known])
    assert grid.equals(stamps[:known])
    assert str(grid.tz) == zone
    assert calendar.after(stamps[known - 1], 5).equals(stamps[known : known + 5])


@given(
    zone=st.sampled_from(ZONES),
    freq=st.sampled_from(OF_HOURS),
    first=st.datetimes(pd.Timestamp("2019-01-01"), pd.Timestamp("2020-01-01")),
    cut=st.integers(3, 5000),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_hours_are_even_as_instants(zone, freq, first, cut):
    start = pd.Timestamp(first).floor("h").tz_localize("UTC")
    stamps = pd.date_range(start, periods=5010, freq=freq).tz_convert(zone)
    calendar, grid = find_calendar(stamps[:cut])
    assert grid.equals(stamps[:cut])
    assert calendar.after(stamps[cut - 1], 10).equals(stamps[cut : cut + 10])


def test_twice_a_day_by_the_clock():
    stamps = by_the_clock("2024-03-01 06:00", "12h", 100, "Europe/Berlin")
    calendar, grid = find_calendar(stamps[:90])
    assert (calendar.frequency, len(grid)) == ("12h", 90)
    assert calendar.after(stamps[89], 10).equals(stamps[90:])


def test_an_absent_day_is_found_beside_one_that_the_clock_moved():
    stamps = by_the_clock("2024-03-20 02:30", "D", 30, "Europe/Berlin")
    _, grid = find_calendar(stamps.delete([4, 20]))
    assert grid.equals(stamps)
    assert find_calendar(stamps[:12])[0].after(stamps[11], 3).hour.tolist() == [2, 2, 2]


def test_days_that_are_even_elsewhere():
    stamps = pd.date_range("2024-01-01", periods=200, tz="UTC").tz_convert("Europe/Berlin")
    calendar, grid = find_calendar(stamps[:150])
    assert grid.equals(stamps[:150])
    assert calendar.after(stamps[149], 50).equals(stamps[150:])


@pytest.mark.parametrize(
    "zone",
    [ZONE, "pytz", dateutil.tz.gettz("Europe/Berlin"), OFFSET, "UTC"],
    ids=["zoneinfo", "pytz", "dateutil", "offset", "utc"],
)
@pytest.mark.parametrize("freq", ["D", "h", "B", "W-SUN", "MS"])
def test_forecasts_have_the_zone_of_the_series(zone, freq):
    if zone == "pytz":
        zone = pytest.importorskip("pytz").timezone("Europe/Berlin")
    stamps = pd.date_range("2024-03-01", periods=60, freq=freq, tz=zone)
    series = pd.Series(np.arange(55.0), stamps[:55])
    taken = take_in(series)
    told = give_back(taken.form, taken.panel, Forecast(np.zeros((1, 5)), {}))
    assert told.index.equals(stamps[55:])
    assert str(told.index.tz) == str(stamps.tz)
    assert take_in(series.rename_axis("ds").rename("y").reset_index()).panel.time.tz == stamps.tz


@pytest.mark.parametrize("freq", ["D", "h", "B"])
@pytest.mark.parametrize("wide", [False, True])
def test_frames_of_other_libraries(freq, wide):
    stamps = pd.date_range("2024-03-28", periods=30, freq=freq, tz=ZONE)
    frame = pd.DataFrame({"ds": stamps[:25], "y": np.arange(25.0)})
    other = {"x": 1.0} if wide else {"unique_id": "a"}
    frame = frame.rename(columns={"y": "w"}).assign(**other) if wide else frame.assign(**other)
    points = np.zeros((2 if wide else 1, 5))
    polars, arrow = pl.from_pandas(frame), pa.Table.from_pandas(frame, preserve_index=False)
    taken = take_in(polars)
    told = give_back(taken.form, taken.panel, Forecast(points, {}))
    assert told.schema["ds"].time_zone == "Europe/Berlin"
    assert told["ds"].to_list() == stamps[25:].to_pydatetime().tolist()
    taken = take_in(arrow)
    told = give_back(taken.form, taken.panel, Forecast(points, {}))
    assert told.schema.field("ds").type.tz == "Europe/Berlin"
    assert told["ds"].to_pandas().tolist() == stamps[25:].tolist()
    arrow_backed = frame.astype({"ds": pd.ArrowDtype(pa.timestamp("us", "Europe/Berlin"))})
    assert take_in(arrow_backed).panel.future_stamps(5)[:5].equals(stamps[25:].rename("ds"))
    objects = frame.assign(ds=pd.Series(list(stamps[:25]), dtype=object))
    assert take_in(objects).panel.future_stamps(5)[:5].equals(stamps[25:].rename("ds"))


def test_text_keeps_its_one_offset_and_several_are_in_utc():
    text = [f"2024-03-{day:02} 00:00+01:00" for day in range(1, 9)]
    series = read_series(pd.DataFrame({"t": text, "y": np.arange(8.0)}))
    assert series.time[0].utcoffset() == timedelta(hours=1)
    assert series.future_stamps(1)[0].isoformat() == "2024-03-09T00:00:00+01:00"
    hours = pd.date_range("2024-03-31", periods=8, freq="h", tz=ZONE)
    series = read_series(pd.DataFrame({"t": hours.map(str), "y": np.arange(8.0)}))
    assert (series.phrase, str(series.time.tz)) == ("hourly", "UTC")
    days = pd.date_range("2024-03-28", periods=8, tz=ZONE)
    with pytest.raises(DataError, match=r"summer time.*tz_convert"):
        read_series(pd.DataFrame({"t": days.map(str), "y": np.arange(8.0)}))
    with pytest.raises(DataError, match=r"summer time.*tz_convert"):
        read_wide(pd.DataFrame({"t": days.map(str), "y": np.arange(8.0)}))


def test_an_hour_that_comes_twice():
    hours = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz=ZONE)
    assert hours.hour.tolist() == [20, 21, 22, 23, 0, 1, 2, 2, 3, 4, 5, 6]
    frame = pd.DataFrame({"unique_id": "a", "ds": hours, "y": np.arange(12.0)})
    panel = read_panel(frame.drop(index=7))  # the second of the two
    assert panel.time.equals(hours.rename("ds"))
    assert np.flatnonzero(np.isnan(panel.values[:, 0])).tolist() == [7]
    ahead = read_panel(frame[:6]).future_stamps(4)
    assert ahead.hour.tolist() == [2, 2, 3, 4]


def test_several_series_in_a_zone():
    days = pd.date_range("2024-03-20", periods=30, tz=ZONE)
    frame = pd.DataFrame({"unique_id": "a", "ds": days[:20], "y": 1.0})
    frame = pd.concat([frame, pd.DataFrame({"unique_id": "b", "ds": days[3:25], "y": 2.0})])
    panel = read_panel(frame.sample(frac=1, random_state=0))
    assert sorted(panel.lengths) == [20, 22]
    ends = dict(
        zip(
            panel.keys,
            panel.future_stamps(5).tz_convert(None).to_numpy().reshape(2, 5),
            strict=True,
        )
    )
    assert (ends["a"] == days[20:25].tz_convert(None)).all()
    assert (ends["b"] == days[25:].tz_convert(None)).all()


def test_inputs_ahead_in_another_zone():
    days = pd.date_range("2024-03-20", periods=24, tz=ZONE)
    frame = pd.DataFrame({"unique_id": "a", "ds": days, "y": 1.0, "price": np.arange(24.0)})
    panel = read_panel(frame[:20], Columns(future=["price"]))
    encoder = Encoder.fit(panel)
    ahead = frame[20:].assign(ds=days[20:].tz_convert("America/New_York"))
    same = read_ahead(frame[20:], panel, encoder, 4, days)
    np.testing.assert_array_equal(read_ahead(ahead, panel, encoder, 4, days), same)
    with pytest.raises(DataError, match="those of future have no zone"):
        read_ahead(ahead.assign(ds=days[20:].tz_localize(None)), panel, encoder, 4, days)


def test_features_of_stamps_are_those_of_the_zone_of_fit():
    hours = pd.date_range("2024-03-30", periods=60, freq="h", tz=ZONE)
    columns = Columns(calendar=["hour", "weekday"])
    frame = pd.DataFrame({"unique_id": "a", "ds": hours, "y": 1.0})
    elsewhere = frame.assign(ds=hours.tz_convert("Asia/Tokyo"))
    panel, other = read_panel(frame, columns), read_panel(elsewhere, columns)
    encoder = Encoder.fit(panel)
    same = read_ahead(None, panel, encoder, 6, hours)
    np.testing.assert_array_equal(read_ahead(None, other, encoder, 6, hours), same)
    assert in_zone_of_fit(other, hours).time.equals(hours.rename("ds"))
    assert read_panel(elsewhere).time.tz == elsewhere["ds"].dt.tz
