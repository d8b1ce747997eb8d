"""Every way to write a time that is read, and what must not be taken for one."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from statewise.sequences.reading.times import holds_times, times_of

PAGE = Path(__file__).parents[3] / "docs" / "files.md"


def rows_of_the_page():
    """Return the rows of the page's tables: a column's name, cells and times, and what is told."""
    section = PAGE.read_text("utf-8").split("\n## Times\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| ") and "`" in line:
            written, meant, told = (part.strip() for part in line[1:].rstrip("|").split(" | "))
            name = re.match(r"(\w+): `", written)
            cells = re.findall("`([^`]*)`", written)
            yield name and name[1], cells, meant.split(", "), told.strip(" |")


NO_TIMES = {
    "names": "Adelaide|South Australia|May Smith",
    "code": "A12|B13|C14",
    "version": "1.2.3|1.2.4|1.10.0",
    "phone": "555-1234|555-9876|030-12345",
    "ip": "192.168.1.1|10.0.0.1|8.8.8.8",
    "price": "11,9|13,6|14,0",
    "quote": "19.99|2010.5|1999.25",
    "share": "12%|13%|5%",
    "T": "T|F|T",
    "score": "2-1|3-0|1-12",
    "size": "10-12|12-14|14-16",
    "screen": "01x01|02x01|30x40",
    "item": "T1-12|T2-12|K3-10",
    "part": "S1-2000|S5-9100|H7-1500",
    "order no": "20200101|20200102|20200103",
    "wait_time": "1600000000|1200000000|1500000000",
    "min_price": "1998|1999|2001",
    "Sales": "2001|2002|2003",
    "value": "20.1|20.2|20.3",
    "store": "001|002|003",
    "Store 12": "Store 12|Store 13|Store 14",
    "wind": "NW|SE|cv",
    "answer": "May|March|may",
    "clock": "11:34|11:35|11:36",
    "No": "1|2|3",
}


ROWS = list(rows_of_the_page())


@pytest.mark.parametrize(("name", "cells", "meant", "told"), ROWS, ids=[row[1][0] for row in ROWS])
def test_each_row_of_the_page(name, cells, meant, told):
    column = pd.Series(cells, name=name)
    times = times_of(column)
    refused = [word == "refused" for word in meant]
    assert times.stamps.isna().tolist() == refused
    for stamp, word in zip(times.stamps, meant, strict=True):
        number = isinstance(stamp, (int, np.integer))
        assert word == "refused" or stamp == (int(word) if number else pd.Timestamp(word))
    zone = [f"zone {times.zone}"] if times.zone else []
    words = [times.words] if times.words else []
    assert ", ".join([*words, *zone, *["a note"] * len(times.notes)]) == told
    plain = isinstance(times.stamps, pd.DatetimeIndex)
    assert holds_times(column) or not plain
    if any(refused) or not plain:
        return
    assert not name or not holds_times(column.rename("sales"))
    several = times_of(pd.Series(["", *cells, None, "n/d"], name=name)).stamps
    assert several.isna().tolist() == [True, *refused, True, True]
    backwards = times_of(column[::-1]).stamps
    assert backwards[::-1].equals(times.stamps) or "comes twice" in str(times.notes)


@pytest.mark.parametrize("name", NO_TIMES)
def test_no_times(name):
    column = pd.Series(NO_TIMES[name].split("|"), name=name)
    assert not holds_times(column)
    assert not holds_times(pd.Series(np.tile(column, 20), name=name))


def test_years_are_a_time_and_stay_numbers():
    for name in ("Year", "Año", "ds"):
        for years in (["1998", "1999"], [1998, 1999]):
            column = pd.Series(years, name=name)
            assert holds_times(column)
            assert times_of(column).stamps.tolist() == [1998, 1999]
    assert not holds_times(pd.Series([1998, 1999], name="built"))
    assert not holds_times(pd.Series([1998, 1997, 1999], name="date"))


@pytest.mark.parametrize("gap", [":", "-", ".", " "])
def test_quarters_without_a_word(gap):
    quarters = pd.period_range("1998Q1", periods=20, freq="Q")
    column = pd.Series([f"{one.year}{gap}{one.quarter}" for one in quarters])
    assert times_of(column).stamps.equals(quarters.to_timestamp().as_unit("us"))
    four = column[:4].rename("Quarter")
    assert times_of(four).stamps.month.tolist() == [1, 4, 7, 10]
    assert holds_times(column)
    assert holds_times(four)


def test_the_year_is_what_changes_least():
    for texts in (["20/01/05", "20/01/06", "20/01/07"], ["05/01/20", "06/01/20", "07/01/20"]):
        times = times_of(pd.Series(texts, name="Datum"))
        assert times.stamps.equals(pd.date_range("2020-01-05", periods=3, unit="us"))
        assert times.ambiguous


def test_days_without_a_year_cant_be_read():
    days = pd.date_range("2020-01-01", periods=60)
    for texts in (days.strftime("%b %d"), days.strftime("%d-%b"), days[:31].strftime("%b %d")):
        assert times_of(pd.Series(texts)).stamps.isna().all()


def test_a_stray_cell_is_not_guessed():
    times = times_of(pd.Series(["11:34", "2018/10/15", "2018/10/12", "12.10.2018"]))
    assert times.stamps.isna().tolist() == [True, False, False, True]
    assert times.words == "dates year/month/day"


def test_evenness_tells_the_day_from_the_month():
    months = pd.date_range("2000-01-01", "2003-12-01", freq="MS")
    days = pd.date_range("2000-01-01", "2000-02-10")
    for stamps in (months, days, months[::-1]):
        for pattern, words in (("%d/%m/%Y", "day/month"), ("%m/%d/%Y", "month/day")):
            times = times_of(pd.Series(stamps.strftime(pattern)))
            assert times.stamps.equals(stamps.as_unit("us"))
            assert (times.words, times.ambiguous) == (f"dates {words}/year", False)


def test_what_nothing_decides_is_told():
    texts = pd.Series([f"{number:02}/03/2020" for number in range(1, 13)])
    times = times_of(texts)
    assert times.ambiguous
    assert times.stamps[1] == pd.Timestamp("2020-02-03")
    assert times.notes == [
        "nothing says whether '01/03/2020' is 3 January 2020 or 1 March 2020: 3 January 2020 was "
        "taken; --dayfirst (dayfirst=True) reads the other"
    ]
    assert times_of(texts, dayfirst=True).stamps[1] == pd.Timestamp("2020-03-02")
    assert times_of(texts.rename("Fecha")).stamps[1] == pd.Timestamp("2020-03-02")
