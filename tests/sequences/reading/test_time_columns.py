"""Which columns make the time of a table, and which one is named when none does."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.sequences.reading.time_columns import combine, find_time, looks_like_time

DAYS = pd.date_range("2024-01-28", periods=40)
HOURS = pd.date_range("2024-01-30", periods=100, freq="h")
MONTHS = pd.date_range("2019-11-01", periods=30, freq="MS")


def parts(stamps, **names):
    """Return columns with parts of stamps: year="Jahr" and so on."""
    return pd.DataFrame({name: getattr(stamps, part) for part, name in names.items()})


@pytest.mark.parametrize(
    ("frame", "columns", "stamps"),
    [
        (parts(MONTHS, year="year", month="month"), "year month", MONTHS),
        (parts(MONTHS[::-1], year="Ano", month="Mês"), "Ano Mês", MONTHS[::-1]),
        (parts(MONTHS, month="MONTH", year="YEAR"), "MONTH YEAR", MONTHS),
        (parts(MONTHS, year="Jahr", month="Monat"), "Jahr Monat", MONTHS),
        (parts(MONTHS, year="Année", month="Mois"), "Année Mois", MONTHS),
        (parts(MONTHS, year="год", month="месяц"), "год месяц", MONTHS),
        (parts(MONTHS, year="0", month="1"), "0 1", MONTHS),
        (parts(DAYS, year="0", month="1", day="2"), "0 1 2", DAYS),
        (parts(DAYS, day="día", month="mes", year="año"), "día mes año", DAYS),
        (
            parts(HOURS, year="year", month="month", day="day", hour="hour"),
            "year month day hour",
            HOURS,
        ),
        (
            parts(MONTHS[::3], year="year", quarter="quarter"),
            "year quarter",
            MONTHS[::3].to_period("Q").to_timestamp(),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("text", [False, True])
def test_parts_of_a_time(frame, columns, stamps, text):
    frame = frame.assign(y=np.arange(len(frame)) * 1.5)
    frame.insert(0, "No", np.arange(len(frame)) + 1)
    found = find_time(frame.astype(str) if text else frame)
    assert sorted(found.columns) == sorted(columns.split())
    assert found.times.stamps.equals(pd.DatetimeIndex(stamps).as_unit("us"))
    assert found.name == "date"


def test_parts_that_are_words():
    frame = pd.DataFrame({"Year": ["2020", "2020"], "Month": ["Jan", "Feb."], "y": ["1", "2"]})
    assert find_time(frame).times.stamps.month.tolist() == [1, 2]
    frame = pd.DataFrame({"ano": [2020, 2020], "mês": ["março", "Abril"]})
    assert find_time(frame).times.stamps.month.tolist() == [3, 4]
    frame = pd.DataFrame({"year": [2020, 2020], "quarter": ["Q2", "Q3"]})
    assert find_time(frame).times.stamps.month.tolist() == [4, 7]
    frame = pd.DataFrame({"year": [2020, 2020], "week": ["5", "W06"]})
    assert find_time(frame).times.stamps.day.tolist() == [27, 3]


@pytest.mark.parametrize(
    "hours",
    [
        [f"{hour:02}:00" for hour in HOURS.hour],
        [f"{hour}.00.00" for hour in HOURS.strftime("%H")],
        HOURS.strftime("%I:%M %p"),
        HOURS.strftime("%I:%M:%S %p").str.lower(),
        HOURS.strftime("%Hh%M"),
        [f"{hour}h" for hour in HOURS.hour],
        [time.isoformat() for time in HOURS.time],
        HOURS.time,
    ],
    ids=range(8),
)
def test_date_and_time_of_day(hours):
    frame = pd.DataFrame({"Datum": HOURS.strftime("%d.%m.%Y"), "Zeit": hours, "T": 1.5})
    found = find_time(frame)
    assert found.columns == ("Datum", "Zeit")
    assert found.name == "Datum"
    assert found.times.stamps.equals(HOURS.as_unit("us"))
    assert combine(frame, ["Datum", "Zeit"]).stamps.equals(HOURS.as_unit("us"))
    assert combine(frame, ["Zeit", "Datum"]).stamps.equals(HOURS.as_unit("us"))


@pytest.mark.parametrize("step", [1, 100, "1 to 24"])
@pytest.mark.parametrize("text", [False, True])
def test_hours_as_numbers(step, text):
    if step == "1 to 24":
        stamps = HOURS + pd.Timedelta("1h")
        hours = HOURS.hour + 1
    else:
        stamps, hours = HOURS, HOURS.hour * step
    frame = pd.DataFrame({"Date": HOURS.strftime("%Y-%m-%d"), "Hour": hours, "y": 0.5})
    if text:
        frame = frame.astype(str)
    found = find_time(frame)
    assert found.columns == ("Date", "Hour")
    assert found.times.stamps.equals(stamps.as_unit("us"))
    frame = frame.drop(columns="Date").assign(year=HOURS.year, month=HOURS.month, day=HOURS.day)
    found = find_time(frame)
    assert found.times.stamps.equals(stamps.as_unit("us"))
    assert ("24 is midnight" in " ".join(found.times.notes)) == (step == "1 to 24")


def test_minutes_beside_months():
    stamps = pd.date_range("2020-01-31 23:00", periods=20, freq="10min")
    names = {"year": "YY", "month": "MM", "day": "DD", "hour": "hh", "minute": "mm"}
    frame = parts(stamps, **names).assign(WVHT=np.arange(20) * 0.1)
    found = find_time(frame)
    assert found.columns == tuple(names.values())
    assert found.times.stamps.equals(stamps.as_unit("us"))
    assert combine(frame, ["YY", "MM", "DD", "hh", "mm"]).stamps.equals(stamps.as_unit("us"))


def test_the_time_of_day_tells_the_day_from_the_month():
    stamps = pd.date_range("2007-02-01", periods=48, freq="h")
    frame = pd.DataFrame({"Date": stamps.strftime("%d/%m/%Y"), "Time": stamps.strftime("%H:%M")})
    found = find_time(frame)
    assert found.times.stamps.equals(stamps.as_unit("us"))
    assert not found.times.ambiguous


@pytest.mark.parametrize(
    ("columns", "first"),
    [
        (["created_at", "date"], "date"),
        (["updated", "timestamp"], "timestamp"),
        (["End date", "Start date"], "Start date"),
        (["Start date", "End date"], "Start date"),
        (["birth date", "Fecha"], "Fecha"),
        (["a", "b"], "a"),
    ],
)
def test_several_dates(columns, first):
    other = next(name for name in columns if name != first)
    frame = pd.DataFrame({name: DAYS.astype(str) for name in columns})
    frame[other] = (DAYS + pd.Timedelta("1h")).astype(str)
    found = find_time(frame)
    assert found.columns == (first,)
    assert found.times.notes == [f"the time is {first!r}, not {other!r}"]


def test_the_even_one_and_the_finest_one_go_first(rng):
    uneven = DAYS + pd.to_timedelta(np.cumsum(rng.integers(0, 90000, 40)), unit="s")
    frame = pd.DataFrame({"a": uneven.astype(str), "b": DAYS.astype(str)})
    assert find_time(frame).columns == ("b",)
    frame = pd.DataFrame({"month": DAYS.strftime("%Y-%m"), "day": DAYS.astype(str)})
    assert find_time(frame).columns == ("day",)
    frame = parts(DAYS, year="year", month="month").assign(date=DAYS.astype(str))
    assert find_time(frame).columns == ("date",)


def test_what_nothing_decides_is_asked(rng):
    uneven = [DAYS + pd.to_timedelta(np.cumsum(rng.integers(0, 9000, 40)), unit="s") for _ in "ab"]
    frame = pd.DataFrame({"a": uneven[0].astype(str), "b": uneven[1].astype(str)})
    with pytest.raises(
        DataError, match=r"2 columns of dates \(a, b\): name one as time \(--time\)"
    ):
        find_time(frame)
    assert find_time(frame, among=["b"]).columns == ("b",)


def test_no_time():
    frame = pd.DataFrame({"No": [1, 2, 3], "id": ["001", "002", "003"], "y": ["2001", "7", "9"]})
    assert find_time(frame) is None
    assert looks_like_time(frame) is None


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("Period", ["first", "second", "third"]),
        ("when", ["05/2020", "spring", "summer"]),
        ("a", ["12:30", "12:31", "12:32"]),
        ("a", ["2020-01-01", "?", "x", "y"]),
        ("day", [1, 3, 4, 8]),
        ("Hour", [22, 23, 0, 1]),
        ("time", [0.5, 1.0, 1.5]),
    ],
)
def test_what_looks_like_a_time(column, cells):
    frame = pd.DataFrame({"y": np.arange(len(cells)) * 0.3 % 0.7, column: cells})
    assert find_time(frame) is None
    assert looks_like_time(frame) == column


def test_columns_that_make_no_time_together():
    frame = pd.DataFrame({"a": ["x", "y"], "b": [1, 2], "c": [2001, 2001]})
    with pytest.raises(DataError, match="the columns a, b make no time together: name a date and"):
        combine(frame, ["a", "b"])
    assert combine(frame, ["c", "b"]).stamps.month.tolist() == [1, 2]
    assert combine(frame, ["c"]).stamps.tolist() == [2001, 2001]


def test_many_columns_are_looked_at_by_their_names():
    frame = pd.DataFrame({f"s{place}": ["1", "2", "3"] for place in range(500)})
    frame["date"] = ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert find_time(frame).columns == ("date",)


@pytest.mark.parametrize("cells", [["2024-01-01", "2024-01-02"], ["1.1.2024", "2.1.2024"]])
def test_a_time_behind_many_series_is_found_by_its_cells(cells):
    series = {f"c{place}": ["1.234,5", "2"] for place in range(300)}
    frame = pd.DataFrame({**series, "t": cells, "empty": ""})
    assert find_time(frame).columns == ("t",)
    assert (
        looks_like_time(frame.assign(t=["yesterday", "noon 2"]).rename(columns={"t": "x"})) is None
    )
