"""Calendars of opening hours and of days of the month, found from the stamps alone."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import Columns, read_panel, read_series
from statewise.sequences.calendar_search import find_calendar, usual_step
from statewise.sequences.calendars import Calendar
from statewise.sequences.data_reading import read_data
from statewise.sequences.holidays import fits_week, with_absent
from statewise.sequences.season import season_lengths

WEEKDAYS, ALL = range(5), range(7)


def weeks(hours, count, freq, first="2023-01-02", zone=None):
    """Return the stamps of weeks: ``hours`` has (opens, closes) for each weekday, or several."""
    days = pd.date_range(first, periods=7 * count)
    parts = [
        pd.date_range(day + pd.Timedelta(opens), day + pd.Timedelta(closes), freq=freq)
        for day in days
        for opens, closes in hours.get(day.day_of_week, [])
    ]
    return parts[0].append(parts[1:]).tz_localize(zone)


EXCHANGE = {day: [("9.5h", "16h")] for day in WEEKDAYS}
SHOP = {day: [("8h", "20h")] for day in WEEKDAYS} | {5: [("9h", "14h")]}
KINDS = {  # hours, steps, in words, frequency, seasons
    "an exchange": (
        EXCHANGE,
        "30min",
        "every 30 minutes in opening hours (70 slots a week)",
        [14, 70],
    ),
    "minutes, with lunch": (
        {day: [("570min", "690min"), ("780min", "900min")] for day in WEEKDAYS},
        "min",
        "every minute in opening hours (1210 slots a week)",
        [242, 1210],
    ),
    "from Sunday": (
        {day: [("10h", "15h")] for day in (6, 0, 1, 2, 3)},
        "15min",
        "every 15 minutes in opening hours (105 slots a week)",
        [21, 105],
    ),
    "a short Saturday": (SHOP, "h", "hourly in opening hours (71 slots a week)", [71]),
    "off at night": (
        {day: [("5h", "23h")] for day in ALL},
        "h",
        "hourly in opening hours (133 slots a week)",
        [19, 133],
    ),
    "thrice a day": (
        {day: [("7h", "21h")] for day in ALL},
        "7h",
        "every 7 hours in opening hours (21 slots a week)",
        [3, 21],
    ),
    "mornings and afternoons": (
        {0: [("8h", "12h")], 1: [("13h", "17h")], 2: [("8h", "12h")], 3: [("13h", "17h")]},
        "h",
        "hourly in opening hours (20 slots a week)",
        [20],
    ),
    "one day": ({5: [("8h", "20h")]}, "h", "hourly in opening hours (13 slots a week)", [13]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_hours_are_found_and_go_on(kind):
    hours, freq, phrase, seasons = KINDS[kind]
    stamps = weeks(hours, 24, freq)
    known = len(stamps) - 2 * len(stamps) // 24
    calendar, grid = find_calendar(stamps[:known])
    assert calendar.phrase == phrase
    assert season_lengths(calendar.frequency) == seasons
    assert grid.equals(stamps[:known])
    assert calendar.after(stamps[known - 1], len(stamps) - known).equals(stamps[known:])
    assert calendar.positions(stamps).tolist() == [*range(len(stamps))]
    assert calendar.positions(stamps + pd.Timedelta("1min30s")) is None


@st.composite
def opening_hours(draw):
    """Draw hours of a week (the same on some days), steps, and so many weeks."""
    minutes = draw(st.sampled_from([15, 30, 60, 120]))
    day = 24 * 60 // minutes
    patterns = []
    for _ in range(draw(st.integers(1, 2))):
        first = draw(st.integers(0, day - 4))
        pattern = [*range(first, draw(st.integers(first + 2, day - 2)))]
        if len(pattern) > 4 and draw(st.booleans()):  # lunch
            pattern.pop(len(pattern) // 2)
        patterns.append(pattern)
    weekdays = draw(st.sets(st.sampled_from([*ALL]), min_size=2))
    chosen = {weekday: patterns[draw(st.integers(0, len(patterns) - 1))] for weekday in weekdays}
    return minutes, chosen, draw(st.integers(9, 16))


@given(opening_hours(), st.integers(0, 2**32 - 1), st.sampled_from([None, "America/New_York"]))
@settings(max_examples=120, deadline=None, derandomize=True)
def test_any_hours_are_found_with_holidays(drawn, seed, zone):
    minutes, chosen, count = drawn
    rng = np.random.default_rng(seed)
    days = pd.date_range("2023-05-01", periods=7 * (count + 2))
    whole = pd.DatetimeIndex(
        [
            day + pd.Timedelta(minutes=minutes * slot)
            for day in days
            for slot in chosen.get(day.day_of_week, [])
        ]
    ).tz_localize(zone)
    cut = int(np.searchsorted(whole.tz_localize(None), days[7 * count]))
    known, ahead = whole[:cut], whole[cut:]
    dates = known.normalize().unique()
    first_and_last = dates[[0, -1]]
    gone = rng.choice(dates, int(0.08 * len(dates)), replace=False)
    there = known[~known.normalize().isin(gone) | known.normalize().isin(first_and_last)]
    calendar, grid = find_calendar(there)
    assert calendar.unit == "opening hours"
    assert len(calendar.slots) == sum(map(len, chosen.values()))
    assert grid.equals(there)
    assert calendar.after(known[-1], len(ahead)).equals(ahead)
    np.testing.assert_array_equal(calendar.positions(there), known.get_indexer(there))
    assert calendar.stamps(known[0], len(known)).equals(known)
    # A few stamps absent within days change nothing, and are put in.
    inner = np.flatnonzero(there[:-2].normalize() == there[2:].normalize()) + 1
    absent = rng.choice(inner, min(len(inner), len(there) // 50), replace=False)
    found, grid = find_calendar(there.delete(absent))
    assert found == calendar
    assert grid.equals(there)


def test_few_days_show_hours_and_the_weekend():
    stamps = weeks(EXCHANGE, 2, "30min")
    calendar, _ = find_calendar(stamps[: 14 * 3])  # Monday to Wednesday
    assert calendar.steps_in_week == 98  # nothing is known of the other days
    calendar, _ = find_calendar(stamps[: 14 * 6])
    assert calendar.steps_in_week == 70
    shop = weeks(SHOP, 2, "h")
    calendar, grid = find_calendar(shop)  # two short Saturdays show no hours of their own
    assert calendar.steps_in_day == 13
    assert calendar.steps_in_week == 6 * 13
    assert grid.equals(shop)


def test_what_is_no_opening_hours():
    hours = pd.date_range("2024-01-01", periods=24 * 40, freq="h")
    rng = np.random.default_rng(0)
    for share in (0.02, 0.2, 0.3):  # absent by chance: hours of the whole day
        there = np.sort(rng.choice(len(hours), int((1 - share) * len(hours)), replace=False))
        calendar, grid = find_calendar(hours[there])
        assert calendar.phrase == "hourly"
        assert len(grid) == there[-1] - there[0] + 1
    assert find_calendar(hours[np.sort(rng.choice(len(hours), 200, replace=False))]) is None
    outage = hours.delete(range(100, 160))
    assert find_calendar(outage)[0].phrase == "hourly"
    seconds = pd.DatetimeIndex(np.sort(rng.integers(0, 10**7, 5000)).astype("datetime64[s]"))
    assert find_calendar(seconds.unique()) is None


def test_a_zone_has_its_own_hours():
    stamps = weeks(EXCHANGE, 30, "30min", zone="America/New_York")  # across a clock change
    calendar, grid = find_calendar(stamps[:1500])
    assert calendar.frequency == "C-14-70"
    assert grid.equals(stamps[:1500])
    assert calendar.after(stamps[1499], 600).equals(stamps[1500:])
    assert calendar.positions(stamps).tolist() == [*range(len(stamps))]
    # In UTC the hours move in spring: a slot at either end is closed for half of the year.
    calendar, grid = find_calendar(stamps.tz_convert("UTC"))
    assert calendar.unit == "opening hours"
    assert len(grid) == len(stamps)


def test_an_hour_that_never_comes_is_no_step():
    hours = pd.date_range("2024-03-20", "2024-04-10", freq="h", tz="Europe/Berlin")
    stamps = hours[(hours.hour >= 1) & (hours.hour <= 20)]
    known = stamps[stamps < "2024-04-03"]
    calendar, grid = find_calendar(known)
    assert calendar.frequency == "C-20-140"
    assert grid.equals(known)
    assert calendar.positions(stamps).tolist() == [*range(len(stamps))]
    before = stamps[stamps < "2024-03-30"]
    assert find_calendar(before)[0] == calendar
    assert calendar.after(before[-1], 200).equals(stamps[len(before) :][:200])
    panel = read_panel(pd.DataFrame({"ds": known.delete([30]), "y": 1.0}))
    assert with_absent(panel).time.equals(known.rename("ds"))


def test_holidays_are_steps_of_the_season():
    stamps = weeks(EXCHANGE, 20, "30min")
    there = stamps[(stamps.normalize() != "2023-03-07") & (stamps != "2023-03-09 12:00")]
    values = 100.0 * there.day_of_week + there.hour
    panel = read_panel(pd.DataFrame({"ds": there, "y": values}))
    assert len(panel.values) == len(stamps) - 14  # the one row within a day is missing
    assert np.flatnonzero(np.isnan(panel.values[:, 0])).tolist() == [
        (panel.time == "2023-03-09 12:00").argmax()
    ]
    assert [fits_week(panel, season) for season in (1, 14, 70, 140, 28, 252)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    whole = with_absent(panel)
    assert whole.time.equals(stamps.rename("ds"))
    known = ~np.isnan(whole.values[:, 0])
    same = known[70:] & known[:-70]
    assert (whole.values[70:, 0] == whole.values[:-70, 0])[same].all()


def test_read_series_minds_rows_absent_within_days():
    stamps = weeks(SHOP, 12, "h")
    closed_early = stamps[stamps != "2023-01-04 20:00"]
    series = read_series(pd.Series(np.arange(len(closed_early)), closed_early))
    assert series.phrase == "hourly in opening hours (71 slots a week)"
    assert series.future_stamps(2)[0] == pd.Timestamp("2023-03-27 08:00")
    with pytest.raises(
        ValueError, match=r"in opening hours .*, with 1 row absent, the first .*12:00"
    ):
        read_series(pd.Series(1.0, stamps[stamps != "2023-01-04 12:00"]))


@pytest.mark.parametrize("kind", ["a short Saturday", "off at night", "an exchange"])
def test_rows_that_are_empty_while_closed_are_no_steps(kind):
    hours, freq, phrase, _ = KINDS[kind]
    stamps = weeks(hours, 8, freq)
    whole = pd.date_range(stamps[0], stamps[-1], freq=freq)
    values = pd.Series(np.arange(float(len(stamps))), stamps).reindex(whole)
    read = read_data(pd.DataFrame({"when": whole, "sold": values.to_numpy()}))
    assert read.data.phrase == phrase
    assert read.data.time.equals(stamps.rename(read.data.time.name))
    assert read.understood.facts["gaps"] == "times that never have a value left out"


def test_many_series_of_one_exchange():
    stamps = weeks(EXCHANGE, 8, "30min")
    frame = pd.concat(
        pd.DataFrame({"unique_id": i, "ds": stamps[14 * i : 400 + 14 * i], "y": 1.0})
        for i in range(5)
    )
    frame = frame[(frame["unique_id"] != 3) | (frame["ds"].dt.day != 20)]
    panel = read_panel(frame, Columns())
    assert [calendar.frequency for calendar in panel.calendars] == ["C-14-70"]
    assert panel.lengths.tolist() == [400, 400, 400, 400, 400]
    assert with_absent(panel).lengths.tolist() == [400] * 5


@pytest.mark.parametrize("days", [(1, 15), (15, 31), (1, 11, 21), (5, 20), (15, 30), (10, 20, 31)])
@pytest.mark.parametrize("time_of_day", ["0h", "6.5h"])
def test_days_of_the_month(days, time_of_day):
    months = pd.date_range("2023-01-01", periods=18, freq="MS")
    stamps = pd.DatetimeIndex(
        [
            month + pd.Timedelta(days=min(day, month.days_in_month) - 1) + pd.Timedelta(time_of_day)
            for month in months
            for day in days
        ]
    )
    known = 12 * len(days) + 1
    calendar, grid = find_calendar(stamps[:known].delete([4, 9]))
    count = len(days)
    assert calendar.phrase == f"{'twice' if count == 2 else f'{count} times'} a month"
    assert season_lengths(calendar.frequency) == [12 * count]
    assert grid.equals(stamps[:known])
    assert calendar.after(stamps[known - 1], 10).equals(stamps[known : known + 10])
    zoned = stamps.tz_localize("Europe/Berlin")
    calendar, grid = find_calendar(zoned[:known])
    assert grid.equals(zoned[:known])
    assert calendar.after(zoned[known - 1], 10).equals(zoned[known : known + 10])


@pytest.mark.parametrize("freq", ["WOM-1FRI", "WOM-3FRI", "WOM-2TUE", "LWOM-MON", "3WOM-3FRI"])
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_a_weekday_of_the_month(freq, zone):
    stamps = pd.date_range("2022-01-01 16:00", periods=50, freq=freq, tz=zone)
    calendar, grid = find_calendar(stamps[:30].delete([8, 9]))
    assert calendar.frequency == freq
    assert calendar.phrase == ("quarterly" if freq[0] == "3" else "monthly")
    assert season_lengths(freq) == ([4] if freq[0] == "3" else [12])
    assert grid.equals(stamps[:30])
    assert calendar.after(stamps[29], 20).equals(stamps[30:])
    assert calendar.positions(stamps).tolist() == [*range(50)]
    every_four_weeks = pd.date_range("2022-01-04", periods=30, freq="28D")
    assert find_calendar(every_four_weeks)[0].phrase == "every 28 days"


def test_a_calendar_refuses_slots_that_are_none():
    for unit, slots in (
        ("opening hours", (3, 2)),
        ("opening hours", (-1, 2)),
        ("opening hours", (0, 7 * 86_400_000_000)),
        ("opening hours", ()),
        ("days of month", (0, 15)),
        ("days of month", (1, 32)),
        ("time", (1,)),
    ):
        with pytest.raises(ValueError, match="slots="):
            Calendar(unit, 1, slots=slots)
    assert replace(Calendar("days of month", 1, slots=(1, 15)), slots=(2, 3)).slots == (2, 3)


@pytest.mark.slow
def test_a_million_stamps_are_soon_understood():
    minutes = weeks({day: [("570min", "959min")] for day in WEEKDAYS}, 512, "min", "2013-01-07")
    even = pd.date_range("2020", periods=1_000_000, freq="min")
    rng = np.random.default_rng(0)
    uneven = pd.DatetimeIndex(np.sort(rng.integers(0, 10**15, 1_000_000)).astype("M8[us]")).unique()
    for stamps in (
        minutes,
        minutes.tz_localize("America/New_York"),
        even,
        even.delete([500]),
        uneven,
    ):
        begin = time.perf_counter()
        assert (find_calendar(stamps) is None) == (stamps is uneven)
        usual_step(stamps)
        assert time.perf_counter() - begin < 3  # on a slow machine that does other things too
