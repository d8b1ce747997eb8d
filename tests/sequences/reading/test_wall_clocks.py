"""Stamps of a clock on the wall, where an hour comes twice: they are put in a zone."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences.reading.time_columns import find_time
from statewise.sequences.reading.times import times_of
from statewise.sequences.reading.wall_clocks import find_zone

ZONES = ["CET", "America/New_York", "Europe/London", "EET", "Australia/Sydney", "Pacific/Auckland"]


def written(stamps):
    return pd.Series(stamps.strftime("%d.%m.%Y %H:%M"))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("freq", ["h", "30min", "15min"])
@pytest.mark.parametrize("order", ["forward", "newest first", "two series", "gaps"])
def test_the_zone_is_found(zone, freq, order):
    hours = pd.date_range("2022-01-01", "2023-01-01", freq=freq, tz=zone)
    if order == "newest first":
        hours = hours[::-1]
    elif order == "two series":
        hours = hours.append(hours)
    elif order == "gaps":
        hours = hours.delete(np.arange(100, len(hours), 997))
    times = times_of(written(hours))
    assert times.zone == zone
    assert times.stamps.equals(hours.as_unit("us"))
    assert "comes twice, as on clocks that are set back there" in times.notes[0]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("freq", ["h", "30min", "15min"])
@pytest.mark.parametrize("series", [2, 3])
@pytest.mark.parametrize("newest_first", [False, True])
def test_the_zone_of_series_side_by_side(zone, freq, series, newest_first):
    hours = pd.date_range("2022-01-01", "2023-01-01", freq=freq, tz=zone).repeat(series)
    hours = hours[::-1] if newest_first else hours
    times = times_of(written(hours))
    assert times.zone == zone
    assert times.stamps.equals(hours.as_unit("us"))


def test_series_side_by_side_of_which_one_begins_later():
    hours = pd.date_range("2025-10-20", "2025-11-01", freq="h", tz="CET")
    both = hours.append(hours[50:]).sort_values()
    times = times_of(written(both))
    assert times.stamps.equals(both.as_unit("us"))
    assert times.notes[0].startswith("2025-10-26 02:00 comes twice, as on clocks that are set back")


def test_one_change_is_enough():
    hours = pd.date_range("2025-10-20", "2025-11-01", freq="h", tz="Europe/Paris")
    assert find_zone(hours.tz_localize(None)) == "CET"


def test_no_zone_without_an_hour_that_comes_twice():
    hours = pd.date_range("2025-01-01", "2025-06-01", freq="h", tz="CET")
    times = times_of(written(hours))
    assert (times.zone, times.stamps.tz) == ("", None)


def test_a_row_that_stands_twice_is_no_change_of_the_clock():
    hours = pd.date_range("2025-01-01", "2025-12-01", freq="h")
    for place in (100, 5000, len(hours) - 1):
        twice = hours.insert(place, hours[place])
        times = times_of(written(twice))
        assert times.stamps.tz is None
        assert times.stamps.equals(twice.as_unit("us"))
    # The hour that is set back, but the one that is skipped in spring stands there.
    row = hours.get_loc(pd.Timestamp("2025-10-26 02:00"))
    assert times_of(written(hours.insert(row, hours[row]))).stamps.tz is None


def test_series_side_by_side_are_no_change_of_the_clock():
    days = pd.date_range("2025-10-20", periods=200, freq="h")
    assert times_of(written(days.repeat(2))).stamps.tz is None
    assert times_of(written(days.append(days))).stamps.tz is None
    row = days.get_loc(pd.Timestamp("2025-10-27 02:00"))  # a day too late
    assert times_of(written(days.insert(row, days[row]).repeat(2))).stamps.tz is None


def test_date_and_time_of_day_in_a_zone():
    hours = pd.date_range("2025-01-01", "2025-12-01", freq="h", tz="CET")
    frame = pd.DataFrame({"Datum": hours.strftime("%d.%m.%Y"), "von": hours.strftime("%H:%M")})
    found = find_time(frame)
    assert found.columns == ("Datum", "von")
    assert found.times.stamps.equals(hours.as_unit("us"))
    parts = pd.DataFrame(
        {"year": hours.year, "month": hours.month, "day": hours.day, "hour": hours.hour}
    )
    assert find_time(parts).times.stamps.equals(hours.as_unit("us"))


ZONED = [
    (["2024-03-30 00:00+01:00", "2024-03-31 00:00+01:00"], "UTC+01:00"),
    (["2024-03-30 00:00+00:00", "2024-03-31 00:00Z"], "UTC"),
    (["2024-03-30T00:00:00-03", "2024-03-31T00:00:00-03"], "UTC-03:00"),
    (["2024-03-31 00:00+01:00", "2024-04-01 00:00+02:00"], "UTC"),
    (["30.03.2024 00:00 Europe/Berlin", "31.03.2024 00:00 Europe/Berlin"], "Europe/Berlin"),
    (["2024-03-31T00:00:00+01:00[Europe/Paris]"], "Europe/Paris"),
    (["2024-03-31 00:00 CET", "2024-04-01 00:00 CEST"], "CET"),
    (["31.03.2024 00:00 MEZ", "01.04.2024 00:00 MESZ"], "CET"),
    (["3/9/2024 1:00 AM EST", "3/13/2024 1:00 AM EDT"], "America/New_York"),
]


@pytest.mark.parametrize(("texts", "zone"), ZONED, ids=[row[0][0] for row in ZONED])
def test_zones_that_are_written(texts, zone):
    times = times_of(pd.Series(texts))
    assert (times.zone, str(times.stamps.tz)) == (zone, zone)
    assert not times.stamps.isna().any()
    assert times.notes == []


def test_summer_time_that_is_written():
    times = times_of(pd.Series(["2024-10-27 02:30 CEST", "2024-10-27 02:30 CET"]))
    assert times.stamps.tz_convert("UTC").strftime("%H:%M").tolist() == ["00:30", "01:30"]


def test_a_stray_stamp_with_a_zone_cant_be_read():
    texts = pd.Series(["2024-03-31 01:00", "2024-03-31 02:00", "2024-03-31 03:00Z"])
    assert times_of(texts).stamps.isna().tolist() == [False, False, True]
    texts = pd.Series(["2024-03-31 01:00Z", "2024-03-31 02:00Z", "2024-03-31 03:00"])
    assert times_of(texts).stamps.isna().tolist() == [False, False, True]
