"""Forecasts by opening hours: the season is by position in the week, a holiday shifts nothing."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.sequences.calendars import Calendar
from statewise.tasks import Forecaster, evaluate_closed_loop
from statewise.tasks.forecasting.serialization.typed import typed

QUICK = {"units": 4, "epochs": 1, "lookback": 24}
OPENS = {0: (9, 17), 1: (9, 17), 2: (9, 17), 3: (9, 17), 4: (9, 17), 5: (10, 14)}  # the last hour


def hours(weeks):
    days = pd.date_range("2024-01-01", periods=7 * weeks)
    return pd.DatetimeIndex(
        [
            day + pd.Timedelta(hours=hour)
            for day in days
            if day.day_of_week in OPENS
            for hour in range(OPENS[day.day_of_week][0], OPENS[day.day_of_week][1] + 1)
        ]
    )


def pattern(stamps):
    return 100 + 10.0 * stamps.day_of_week + 3.0 * np.abs(stamps.hour - 12)


WEEK = 5 * 9 + 5
HOURS = hours(10)
HOLIDAY = HOURS[HOURS.normalize() != "2024-02-28"]  # a Wednesday, in the last weeks but one


@pytest.fixture(scope="module")
def fitted():
    series = pd.Series(pattern(HOLIDAY), HOLIDAY, name="sold")
    return Forecaster(horizon=WEEK, season=WEEK, **QUICK).fit(series)


def test_a_week_ahead(fitted):
    found = fitted.predict()
    expected = hours(11)[-WEEK:]
    assert found.index.equals(expected)
    np.testing.assert_allclose(found, pattern(expected), rtol=0.02)
    assert fitted.notes_[-1].startswith("9 of 500 steps of the calendar have no row")


def test_the_holiday_among_the_held_out_shifts_nothing(fitted):
    there = HOURS[HOURS.normalize() != "2024-03-06"]
    series = pd.Series(pattern(there), there)
    result = evaluate_closed_loop(Forecaster(horizon=41, season=WEEK, **QUICK), series)
    assert result.table.loc["seasonal naive", "MAE"] == 0
    assert result.table.loc["model", "MAE"] < 1
    later = fitted.predict(new_data=series.rename("sold"))
    np.testing.assert_allclose(later, pattern(later.index), rtol=0.02)


def test_a_file_keeps_the_hours(fitted, tmp_path):
    path = tmp_path / "a.zip"
    fitted.save(path)
    again = Forecaster.load(path)
    pd.testing.assert_series_equal(again.predict(), fitted.predict())
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    plain = json.loads(parts["forecaster.json"]) | {"format": 1}
    assert len(plain["calendars"][0]["slots"]) == WEEK
    plain["calendars"][0]["slots"][0] = -5
    with zipfile.ZipFile(path, "w") as file:
        for name, part in (parts | {"forecaster.json": json.dumps(plain)}).items():
            file.writestr(name, part)
    with pytest.raises(DataError, match="are no opening hours"):
        Forecaster.load(path)


def test_calendars_of_older_files_have_no_slots():
    old = {"unit": "open day", "step": 1, "anchor": 63, "time_of_day": None}
    assert typed(Calendar, old) == Calendar("open day", 1, 63)


def test_the_day_and_the_week_are_offered():
    there = HOURS[(HOURS.day_of_week < 5) & (HOURS.hour < 17)]
    series = pd.Series(pattern(there), there).drop(there[200:208])
    forecaster = Forecaster(horizon=8, **QUICK).fit(series)
    assert forecaster.season_ in (8, 40)
    found = forecaster.predict()
    assert found.index.hour.tolist() == [*range(9, 17)]
    np.testing.assert_allclose(found, pattern(found.index), rtol=0.05)
