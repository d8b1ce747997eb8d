"""Every way to write a time that is read, and what must not be taken for one."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences.reading.times import holds_times, times_of

# As written, and the stamps. Each column is a time by itself, but for those with a name.
WRITTEN = [
    ("2020-01-31 2020-02-01", "2020-01-31 2020-02-01"),
    ("2020-01-31T05:30:00|2020-01-31 06:30", "2020-01-31T05:30 2020-01-31T06:30"),
    ("2020-01-31T05:30:00.250Z", "2020-01-31T05:30:00.250+00:00"),
    ("2020-01-31 05:30:00+01:00", "2020-01-31T05:30:00+01:00"),
    ("20200131T0530", "2020-01-31T05:30"),
    ("2020-W05 2020-W53", "2020-01-27 2020-12-28"),
    ("2020W05-1", "2020-01-27"),
    ("2020-123", "2020-05-02"),
    ("1960-01 1960-02", "1960-01-01 1960-02-01"),
    ("JAN 2002|FEB 2002", "2002-01-01 2002-02-01"),
    ("2002-Jan 2002-May", "2002-01-01 2002-05-01"),
    ("Jan-98 Feb-98 Mar-98", "1998-01-01 1998-02-01 1998-03-01"),
    ("Jan 1 2000|Feb 1 2000", "2000-01-01 2000-02-01"),
    ("Aug 17, 2023|Aug 16, 2023", "2023-08-17 2023-08-16"),
    ("17-Aug-23 18-Aug-23", "2023-08-17 2023-08-18"),
    ("17 août 2023|1er sept. 2023", "2023-08-17 2023-09-01"),
    ("1980 fev|1980 mar", "1980-02-01 1980-03-01"),
    ("Setembro 2006|outubro 2006", "2006-09-01 2006-10-01"),
    ("Mrz 2020|Mai 2020|Dez. 2020", "2020-03-01 2020-05-01 2020-12-01"),
    ("5 мая 2020|6 июня 2020", "2020-05-05 2020-06-06"),
    ("3 de março de 2020", "2020-03-03"),
    ("2020年1月5日", "2020-01-05"),
    ("12.XI.2023", "2023-11-12"),
    ("1998 Q1|1998 Q2", "1998-01-01 1998-04-01"),
    ("1998Q4 1998-Q4 1998-T4", "1998-10-01 1998-10-01 1998-10-01"),
    ("Q3 1998|3Q98|3º trimestre 1998", "1998-07-01 1998-07-01 1998-07-01"),
    ("1998 1st quarter|1. Quartal 1998", "1998-01-01 1998-01-01"),
    ("IV/1998 III/1998 II/1998", "1998-10-01 1998-07-01 1998-04-01"),
    ("2019H1 2019-H2 2019-S2", "2019-01-01 2019-07-01 2019-07-01"),
    ("2020 W05|KW 06 2020", "2020-01-27 2020-02-03"),
    ("2020M01 2020M02 2020M03", "2020-01-01 2020-02-01 2020-03-01"),
    ("1998/99 1999/00 2000/01", "1998-01-01 1999-01-01 2000-01-01"),
    ("2001-02 2002-03 2003-04", "2001-01-01 2002-01-01 2003-01-01"),
    ("20200131 20200201", "2020-01-31 2020-02-01"),
    ("2020013105 2020013106", "2020-01-31T05 2020-01-31T06"),
    ("30/01/2020 31/01/2020", "2020-01-30 2020-01-31"),
    ("1/30/2020 1/31/2020", "2020-01-30 2020-01-31"),
    ("30.1.2020|30. 1. 2020", "2020-01-30 2020-01-30"),
    ("30-01-99 31-01-99 01-02-00", "1999-01-30 1999-01-31 2000-02-01"),
    ("1/13/2020 1:05 PM|1/13/2020 12:00 a. m.", "2020-01-13T13:05 2020-01-13"),
    ("13/03/2004 18.00.00", "2004-03-13T18:00"),
    ("13.03.2004 18h30|13.03.2004 18 Uhr", "2004-03-13T18:30 2004-03-13T18:00"),
    ("31.01.2020 23:00|31.01.2020 24:00", "2020-01-31T23 2020-02-01"),
    ("31.01.2020 23:00|01.02.2020", "2020-01-31T23 2020-02-01"),
    ("01JAN2020:13:00:00", "2020-01-01T13"),
    ("2020:01:31 13:00:00", "2020-01-31T13"),
    ("2020-01-31 13", "2020-01-31T13"),
    ("Wed Aug 27 13:08:45 +0000 2008", "2008-08-27T13:08:45+00:00"),
    ("Sun, 17 Aug 2008 13:08:45 GMT", "2008-08-17T13:08:45+00:00"),
    ("Mon Jan 06 2020 13:00:00 GMT+0100 (Central European Standard Time)", "2020-01-06T13+01:00"),
    ("13.01.2015 00:00 - 13.01.2015 01:00", "2015-01-13"),
    ("٢٠٢٤-٠١-٣١", "2024-01-31"),
]
NAMED = [
    ("1-01 1-02 1-03", "Month", "2001-01-01 2001-02-01 2001-03-01"),
    ("1960.01 1960.02", "Month", "1960-01-01 1960-02-01"),
    ("196001 196002", "date", "1960-01-01 1960-02-01"),
    ("01.1960 02.1960", "Monat", "1960-01-01 1960-02-01"),
    ("1685577600 1685664000", "timestamp", "2023-06-01 2023-06-02"),
    ("1685577600000 1685664000000", "timestamp", "2023-06-01 2023-06-02"),
    ("1685577600000000 1685664000000000", "time", "2023-06-01 2023-06-02"),
    ("1685577600000000000 1685664000000000000", "ts", "2023-06-01 2023-06-02"),
    ("43831 43832", "Date", "2020-01-01 2020-01-02"),
    ("1749.042 1749.125 1749.208", "Year", "1749-01-01 1749-02-01 1749-03-01"),
    ("1958.2027 1958.2877 1958.3699", "decimal date", "1958-03-01 1958-04-01 1958-05-01"),
]
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
    "Sales": "2001|2002|2003",
    "value": "20.1|20.2|20.3",
    "store": "001|002|003",
    "Store 12": "Store 12|Store 13|Store 14",
    "wind": "NW|SE|cv",
    "answer": "May|March|may",
    "clock": "11:34|11:35|11:36",
    "No": "1|2|3",
}


def stamps(text):
    return [pd.Timestamp(one) for one in text.split()]


@pytest.mark.parametrize(("written", "meant"), WRITTEN, ids=[row[0] for row in WRITTEN])
def test_written_times(written, meant):
    meant = stamps(meant)
    texts = [written] if len(meant) == 1 else written.split("|" if "|" in written else " ")
    column = pd.Series(texts)
    assert holds_times(column)
    assert times_of(column).stamps.tolist() == meant
    missing = pd.Series(["", *texts, None, "n/d"])
    assert times_of(missing).stamps.isna().tolist() == [True, *[False] * len(meant), True, True]


@pytest.mark.parametrize(("written", "name", "meant"), NAMED, ids=[row[0] for row in NAMED])
def test_written_times_that_need_a_name(written, name, meant):
    column = pd.Series(written.split(), name=name)
    assert holds_times(column)
    assert times_of(column).stamps.tolist() == stamps(meant)
    assert not holds_times(column.rename("sales"))


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
