"""The calendars of docs/files.md, row by row: found as the page says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.season import season_lengths

PAGE = Path(__file__).parents[2] / "docs" / "files.md"
DAYS = pd.date_range("2023-01-01", "2024-12-31")
BUSINESS = DAYS[DAYS.day_of_week < 5]
HOLIDAYS = (DAYS.day == 1) | (DAYS.strftime("%m-%d").isin(["12-24", "12-25"]))


def at(freq, count=60):
    return pd.date_range("2019-12-31", periods=count, freq=freq)


def moved(freq):
    days = at(freq)
    return days.delete(7).append(days[[7]] - pd.offsets.BDay()).sort_values()


def month_days(*days):
    return DAYS[DAYS.day.isin(days) | (DAYS.is_month_end if 31 in days else False)]


def opened(hours, freq):
    """Return stamps: ``hours`` has for weekdays when they open and close, in hours."""
    days = DAYS[~HOLIDAYS][:150]
    parts = [
        pd.date_range(day + pd.Timedelta(hours=one), day + pd.Timedelta(hours=other), freq=freq)
        for day in days
        for one, other in hours.get(day.day_of_week, [])
    ]
    return parts[0].append(parts[1:])


STAMPS = {
    "the 1st of each month (or another day)": at("MS"),
    "the last day of each month": at("ME"),
    "the last business day of each month, or the day before, if it was a holiday": moved("BME"),
    "the first business day of each month": at("BMS"),
    "the third Friday (or the last Monday) of each month": at("WOM-3FRI"),
    "the begin of each quarter": at("QS"),
    "the end of each quarter": at("QE"),
    "a day each year": at("YS", 12),
    "the 1st and the 15th": month_days(1, 15),
    "the 15th and the last day": month_days(15, 31),
    "the 1st, 11th and 21st": month_days(1, 11, 21),
    "one weekday, week by week": at("W-WED"),
    "every day": at("D"),
    "Monday to Friday, with holidays": DAYS[(DAYS.day_of_week < 5) & ~HOLIDAYS],
    "Monday to Friday, with a summer break": BUSINESS[~BUSINESS.month.isin([7, 8])],
    "Sunday to Thursday, with holidays": DAYS[~DAYS.day_of_week.isin([4, 5]) & ~HOLIDAYS],
    "every day but Sundays": DAYS[DAYS.day_of_week != 6],
    "every hour": at("h", 500),
    "every 15 minutes": at("15min", 500),
    "9:30 to 16:00 from Monday to Friday": opened({d: [(9.5, 16)] for d in range(5)}, "30min"),
    "minutes of an exchange with a lunch break": opened(
        {d: [(9.5, 11.5), (13, 15)] for d in range(5)}, "min"
    ),
    "8 to 20 h, Saturdays 9 to 14 h": opened(
        {d: [(8, 20)] for d in range(5)} | {5: [(9, 14)]}, "h"
    ),
    "hourly, but not at night": opened({d: [(5, 23)] for d in range(7)}, "h"),
    "7, 14 and 21 h": opened({d: [(7, 21)] for d in range(7)}, "7h"),
    "rising whole numbers": pd.Index(np.arange(20, 80)),
}


def rows():
    """Return the cells of the page's table of calendars."""
    lines = PAGE.read_text("utf-8").split("### Calendars")[1].splitlines()
    table = [line for line in lines if line.startswith("|")][2:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table]


def test_every_row_has_its_stamps():
    assert [row[0] for row in rows()] == list(STAMPS)


@pytest.mark.parametrize(("name", "told", "frequency", "seasons"), rows(), ids=lambda cell: cell)
def test_calendars_are_found_as_the_page_says(name, told, frequency, seasons):
    calendar, grid = find_calendar(STAMPS[name])
    assert calendar.phrase == told
    assert calendar.frequency == frequency
    assert ", ".join(map(str, season_lengths(frequency))) == seasons
    assert len(grid) == len(STAMPS[name])
