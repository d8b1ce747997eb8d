import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences.calendar_search import find_calendar, usual_step


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize(
    "alias",
    ["250ms", "1s", "10s", "1min", "15min", "1h", "6h", "1D", "7D", "1MS", "1ME", "3MS", "12MS"],
)
def test_steps_that_most_have(alias, zone):
    stamps = pd.date_range("2024-01-01", periods=60, freq=alias, tz=zone)
    assert usual_step(stamps) == alias
    odd = stamps[[7, 8, 30]] + (stamps[1] - stamps[0]) / 3
    shuffled = stamps.delete([5, 20, 21]).append(odd)[::-1].append(stamps[:3])
    assert usual_step(shuffled) == alias
    assert pd.tseries.frequencies.to_offset(alias) is not None


@given(
    alias=st.sampled_from(["10s", "1min", "5min", "15min", "1h", "1D"]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_steps_that_are_never_twice_the_same_are_rounded(alias, seed):
    rng = np.random.default_rng(seed)
    step = pd.Timedelta(alias)
    stamps = pd.Timestamp("2024-01-01") + step * (np.arange(50) + rng.uniform(-0.1, 0.1, 50))
    assert usual_step(pd.DatetimeIndex(stamps)) == alias


def test_days_of_months_that_differ():
    days = pd.to_datetime(["2024-01-30", "2024-02-29", "2024-03-28", "2024-04-30", "2024-05-31"])
    assert usual_step(days) == "1ME"
    assert usual_step(days - pd.Timedelta(days=12)) == "1MS"


def test_business_days_and_what_has_no_step():
    assert usual_step(pd.bdate_range("2024-01-01", periods=30)) == "1D"
    assert usual_step(pd.to_datetime(["2024-01-01", "2031-01-01"])) == "12MS"
    assert usual_step(pd.to_datetime(["2024-01-01"])) is None
    assert usual_step(pd.to_datetime(["2024-01-01", None, "2024-01-01"])) is None
    assert usual_step(pd.Index([1, 2, 4])) is None


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_stamps_that_come_by_chance_are_brought_to_steps_that_they_fill(zone, rng):
    minutes = np.sort(rng.choice(24 * 60 * 20, 800, replace=False))
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, "min")
    stamps = stamps.tz_localize(zone)
    step = usual_step(stamps)
    places = stamps.floor(step).unique()
    assert find_calendar(places) is not None
    assert len(places) > 200
