import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import DataError
from statewise.sequences.calendar_search import find_calendar

EVEN = [  # pandas' alias, our frequency, what a person calls it
    ("MS", "MS", "monthly"),
    ("ME", "ME", "monthly"),
    ("BME", "BME", "monthly"),
    ("BMS", "BMS", "monthly"),
    ("3BMS", "3BMS", "quarterly"),
    ("QS", "QS", "quarterly"),
    ("QS-FEB", "QS", "quarterly"),
    ("QE", "QE", "quarterly"),
    ("YS", "YS", "yearly"),
    ("YE", "YE", "yearly"),
    ("2MS", "2MS", "every 2 months"),
    ("W-WED", "W-WED", "weekly"),
    ("D", "D", "daily"),
    ("10D", "10D", "every 10 days"),
    ("B", "B", "business-daily"),
    ("h", "h", "hourly"),
    ("6h", "6h", "every 6 hours"),
    ("30min", "30min", "every 30 minutes"),
    ("min", "min", "every minute"),
    ("s", "s", "every second"),
    ("250ms", "250ms", "every 250 milliseconds"),
]


@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize(("alias", "frequency", "phrase"), EVEN)
@pytest.mark.parametrize("start", ["2019-11-30", "2020-02-03 06:30"])
def test_even_stamps_go_on(start, alias, frequency, phrase, zone):
    stamps = pd.date_range(start, periods=40, freq=alias, tz=zone)
    calendar, grid = find_calendar(stamps[:30])
    assert (calendar.frequency, calendar.phrase) == (frequency, phrase)
    assert (grid == stamps[:30]).all()
    assert (calendar.after(stamps[29], 10) == stamps[30:]).all()


@pytest.mark.parametrize("day", [15, 28, 29, 30, 31])
def test_any_day_of_the_month(day):
    firsts = pd.date_range("2019-01-01", periods=36, freq="MS")
    stamps = firsts + pd.to_timedelta(np.minimum(day, firsts.days_in_month) - 1, unit="D")
    calendar, grid = find_calendar(stamps[:30])
    assert calendar.phrase == "monthly"
    assert (grid == stamps[:30]).all()
    assert (calendar.after(stamps[29], 6) == stamps[30:]).all()


@pytest.mark.parametrize("zone", [None, "America/New_York"])
@pytest.mark.parametrize(("freq", "sign"), [("BME", -1), ("BMS", 1)])
def test_a_holiday_moves_the_month_s_business_day(freq, sign, zone):
    whole = pd.date_range("2021-01-01 16:00", periods=40, freq=freq)
    moved = pd.DatetimeIndex(
        [s + sign * pd.offsets.BDay() if i % 9 in (0, 4) else s for i, s in enumerate(whole)]
    ).tz_localize(zone)
    whole = whole.tz_localize(zone)
    for known in range(9, 20):
        calendar, grid = find_calendar(moved[:known])
        assert calendar.frequency == freq
        assert grid.equals(moved[:known])
        assert calendar.after(moved[known - 1], 10).equals(whole[known : known + 10])
        assert calendar.positions(moved).tolist() == [*range(40)]
    _, grid = find_calendar(moved.delete([2, 11]))
    assert len(grid) == 40
    assert grid[2] == whole[2]


def test_business_days_without_holidays():
    days = pd.bdate_range("2024-01-01", "2024-12-31")
    stamps = days.drop(pd.to_datetime(["2024-01-01", "2024-03-29", "2024-12-25"]))
    calendar, grid = find_calendar(stamps)
    assert calendar.frequency == "B"
    assert (grid == stamps).all()


def test_a_short_series_may_have_holidays_too():
    days = pd.bdate_range("2023-12-18", "2024-01-05")
    days = days.drop(pd.to_datetime(["2023-12-25", "2023-12-26", "2024-01-01"]))
    calendar, grid = find_calendar(days)
    assert calendar.frequency == "B"
    assert grid.equals(days)
    assert find_calendar(days[3:9])[0].frequency == "B"


@pytest.mark.parametrize("first", range(7))
def test_two_days_that_follow_each_other_are_a_weekend(first):
    days = pd.date_range("2024-01-01", periods=21)
    shut = [first, (first + 1) % 7]
    there = days[~days.day_of_week.isin(shut)]
    calendar, grid = find_calendar(there)
    assert calendar.days_in_week == 5
    assert grid.equals(there)
    assert not calendar.after(there[-1], 20).day_of_week.isin(shut).any()


@pytest.mark.parametrize("weekdays", [[0, 1, 2, 3, 4], [6, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5]])
def test_long_closures(weekdays):
    """A school: closed for a summer, a week at the turn of the year, and single holidays."""
    days = pd.date_range("2022-08-29", "2024-06-14")
    days = days[days.day_of_week.isin(weekdays)]
    closed = (days.month == 7) | (days.month == 8) | ((days.month == 12) & (days.day > 23))
    there = days[~closed].delete([30, 90])
    calendar, grid = find_calendar(there)
    assert calendar.days_in_week == len(weekdays)
    assert grid.equals(there)
    np.testing.assert_array_equal(
        calendar.positions(there), days[days >= there[0]].get_indexer(there)
    )


def test_scattered_days_are_no_calendar():
    days = pd.bdate_range("2023-01-02", periods=300)
    rng = np.random.default_rng(0)
    some = days[np.sort(rng.choice(300, 150, replace=False))]
    assert find_calendar(some) is None
    weekly = pd.date_range("2023-01-04", periods=30, freq="7D")
    assert find_calendar(weekly.delete([3, 4, 20]))[0].phrase == "weekly"


@settings(deadline=None)
@given(
    gaps=st.sets(st.integers(1, 28), max_size=8),
    alias=st.sampled_from(["MS", "W-WED", "D", "h", "30min", "QE"]),
)
def test_absent_stamps_are_found(gaps, alias):
    whole = pd.date_range("2020-01-05", periods=30, freq=alias)
    # The first three stay, so that the step can't be taken for a longer one.
    gaps = {gap for gap in gaps if gap > 2}
    _, grid = find_calendar(whole.delete(sorted(gaps)))
    assert (grid == whole).all()


@pytest.mark.parametrize(
    "stamps",
    [
        ["2020-01-01", "2020-01-03", "2020-02-11", "2020-02-12"],
        ["2020-01-01 00:00:00", "2020-01-01 00:30:01", "2020-01-01 01:10:00"],
        ["2020-01-01", "2020-02-02", "2020-03-01", "2020-04-01"],
    ],
)
def test_uneven(stamps):
    assert find_calendar(pd.to_datetime(stamps)) is None


class TestNumbers:
    def test_whole(self):
        calendar, grid = find_calendar(pd.Index([1950, 1952, 1954]))
        assert (calendar.frequency, calendar.phrase) == ("number", "numbered")
        assert list(grid) == [1950, 1952, 1954]
        assert list(calendar.after(1954, 2)) == [1956, 1958]

    def test_absent(self):
        _, grid = find_calendar(pd.Index([1, 2, 3, 5]))
        assert list(grid) == [1, 2, 3, 4, 5]

    def test_rounded_years(self):
        years = pd.Index(np.round(1949 + np.arange(144) / 12, 2))
        calendar, grid = find_calendar(years)
        assert grid is years
        assert calendar.after(years[-1], 1)[0] == pytest.approx(1961, abs=0.01)

    def test_uneven(self):
        assert find_calendar(pd.Index([1, 10, 12, 40])) is None
        assert find_calendar(pd.Index([0.0, 1.0, 2.0, 4.0])) is None


@pytest.mark.parametrize("unit", ["us", "ns"])
@pytest.mark.parametrize("alias", ["YS", "ME", "BME", "W-WED", "D", "B", "h"])
def test_steps_beyond_what_stamps_can_hold_are_refused(alias, unit):
    stamps = pd.date_range("2200-01-01", periods=30, freq=alias, unit=unit)
    calendar, _ = find_calendar(stamps)
    far = calendar.after(stamps[-1], 2000)  # beyond 2262, where stamps of nanoseconds end
    assert far.is_monotonic_increasing
    for zone in (None, "Europe/Berlin"):
        last = stamps[-1].tz_localize(zone)
        with pytest.raises(DataError, match=r"3,000,000,000 .* steps after 2\d\d\d-.* 64 bits"):
            calendar.after(last, 3_000_000_000)


def test_numbers_beyond_64_bits_are_refused():
    calendar, _ = find_calendar(pd.Index([0, 2**60, 2**61]))
    assert calendar.after(2**61, 2).tolist() == [2**61 + 2**60, 2**62]
    with pytest.raises(DataError, match="5 numbered steps after"):
        calendar.after(2**62, 5)
    greatest = 2**63 - 1
    calendar, grid = find_calendar(pd.Index([greatest - 2, greatest - 1, greatest]))
    assert grid.tolist() == [greatest - 2, greatest - 1, greatest]
    with pytest.raises(DataError, match="1 numbered steps after"):
        calendar.after(greatest, 1)
