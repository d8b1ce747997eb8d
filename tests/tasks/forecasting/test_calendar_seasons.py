"""Seasons count the steps of the calendar: closed days, holidays, rows left out shift nothing."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import Columns, TimeSeries, read_series
from statewise.sequences.calendar_search import find_calendar
from statewise.tasks import Forecaster, backtest, evaluate_closed_loop, evaluate_one_step

QUICK = {"units": 4, "epochs": 1, "lookback": 14}
WEEK = np.array([10.0, 20, 30, 40, 50, 80, 60])
DAYS = pd.date_range("2024-01-01", periods=7 * 16)


def pattern(days):
    return WEEK[days.day_of_week]


def table(days, count=2):
    return pd.concat(
        pd.DataFrame({"unique_id": i, "ds": days, "y": (1 + i) * pattern(days)})
        for i in range(count)
    )


OPEN = {"six days": [0, 1, 2, 3, 4, 5], "from Sunday": [6, 0, 1, 2, 3], "two days": [1, 4]}


@pytest.mark.parametrize("weekdays", OPEN.values(), ids=OPEN)
def test_closed_days_are_no_steps(weekdays):
    days = DAYS[DAYS.day_of_week.isin(weekdays)]
    calendar, grid = find_calendar(days.delete([20]))
    assert calendar.phrase == f"daily ({len(weekdays)} days a week)"
    assert len(grid) == len(days) - 1  # a day without a row is a holiday
    after = calendar.after(days[-1], 30)
    expected = pd.date_range(days[-1], periods=150)[1:]
    assert (after == expected[expected.day_of_week.isin(weekdays)][:30]).all()
    assert calendar.positions(days.delete([20]))[18:22].tolist() == [18, 19, 21, 22]
    assert calendar.positions(DAYS) is None


def test_few_weeks_show_no_closed_day():
    days = DAYS[DAYS.day_of_week != 6]
    assert find_calendar(days[:24])[0].phrase == "daily"
    assert find_calendar(days[:36])[0].phrase == "daily (6 days a week)"


@pytest.mark.parametrize("count", [1, 2])
def test_six_day_weeks(count):
    days = DAYS[DAYS.day_of_week != 6]
    forecaster = Forecaster(horizon=8, **QUICK).fit(table(days, count))
    found = forecaster.predict()
    assert forecaster.season_ == 6
    assert 6 not in found["ds"].dt.day_of_week.tolist()
    expected = np.concatenate(
        [(1 + i) * pattern(pd.DatetimeIndex(found["ds"][:8])) for i in range(count)]
    )
    np.testing.assert_allclose(found["model"], expected, rtol=0.02)


def test_days_that_some_are_closed_on():
    """Open every day or closed on Sundays: the week is seven days for all of them."""
    shut = table(DAYS).query("unique_id == 0 or ds.dt.day_of_week != 6")
    forecaster = Forecaster(horizon=7, **QUICK).fit(shut)
    assert forecaster.season_ == 7
    np.testing.assert_allclose(forecaster.predict()["model"][:7], WEEK, rtol=0.02)


BUSINESS = DAYS[DAYS.day_of_week < 5]
HOLIDAYS = {"last week": BUSINESS[[-3]], "two": BUSINESS[[-4, -19]], "long ago": BUSINESS[[3]]}


@pytest.mark.parametrize("holidays", HOLIDAYS.values(), ids=HOLIDAYS)
@pytest.mark.parametrize("calendar", [(), ("weekday",)])
def test_a_holiday_shifts_no_weekday(holidays, calendar):
    days = BUSINESS.difference(holidays)
    count = 2 if calendar else 1
    forecaster = Forecaster(horizon=7, **QUICK).fit(
        table(days, count), columns=Columns(calendar=calendar)
    )
    assert forecaster.season_ == 5
    assert forecaster.notes_[-1].startswith(f"{count * len(holidays)} of ")
    found = forecaster.predict(level=[80])
    expected = pattern(pd.DatetimeIndex(found["ds"][:7]))
    np.testing.assert_allclose(found["model"][:7], expected, rtol=0.02)
    later = forecaster.predict(new_data=table(BUSINESS.difference(BUSINESS[[-2]]), count))
    np.testing.assert_allclose(later["model"], found["model"], rtol=0.02)


@pytest.fixture(scope="module")
def with_holiday():
    """Return a business-daily series with a holiday among the steps held out, and one before."""
    days = BUSINESS.difference(BUSINESS[[-4, -13]])
    return pd.Series(pattern(days), days, name="sold")


def test_evaluations_compare_weekday_with_weekday(with_holiday):
    for result in (
        evaluate_closed_loop(Forecaster(horizon=6, **QUICK), with_holiday),
        evaluate_one_step(Forecaster(horizon=1, **QUICK), with_holiday),
    ):
        assert result.forecaster.season_ == 5
        assert result.table.loc["seasonal naive", "MAE"] == 0
        assert result.table.loc["model", "MAE"] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [False, True])
def test_backtests_compare_weekday_with_weekday(with_holiday, inputs):
    frame = pd.concat(
        pd.DataFrame({"unique_id": i, "ds": with_holiday.index, "y": with_holiday.values})
        for i in range(2)
    ).assign(price=1.0)
    names = Columns(future=["price"] if inputs else [])
    result = backtest(Forecaster(horizon=6, **QUICK), frame, windows=2, columns=names)
    assert result.season == 5
    assert result.table.loc["seasonal naive", "MAE"] == 0
    assert result.table.loc["model", "MAE"] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["fill", "drop"])
@pytest.mark.parametrize("gone", [[-6, -5], [*range(-7, 0)], [-1]])
def test_what_was_filled_or_left_out_is_no_last_season(missing, gone):
    values = np.tile(WEEK, 16)
    values[gone] = np.nan
    series = read_series(pd.Series(values, DAYS), missing=missing)
    assert isinstance(series, TimeSeries)
    found = Forecaster(horizon=7, **QUICK).fit(series).predict(level=[80])
    expected = pattern(pd.DatetimeIndex(found.index))
    np.testing.assert_allclose(found["model"], expected, rtol=0.01)
    if missing == "fill":
        result = evaluate_closed_loop(Forecaster(horizon=7, **QUICK), series.until(105))
        assert result.table.loc["seasonal naive", "MAE"] == 0


def test_a_file_keeps_the_steps_of_the_calendar(with_holiday, tmp_path):
    forecaster = Forecaster(horizon=6, **QUICK).fit(with_holiday)
    forecaster.save(tmp_path / "sold.forecaster")
    again = Forecaster.load(tmp_path / "sold.forecaster")
    pd.testing.assert_frame_equal(again.predict(level=[80]), forecaster.predict(level=[80]))
    assert again.notes_ == forecaster.notes_
