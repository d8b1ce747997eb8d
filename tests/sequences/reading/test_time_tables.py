"""The times of real tables as they come: which columns, from when to when."""

import pandas as pd
import pytest

from statewise.sequences.reading.time_columns import find_time

# How the file is cut into cells, the columns of its time, its first and last stamp, and what is
# told.
TABLES = {
    "BTCUSDT-1d.csv": ({}, "timestamp", "2023-06-01", "2024-03-22", "epoch in milliseconds"),
    "Cacau.csv": (
        {"encoding": "cp1252"},
        "Data",
        "2006-09-01",
        "2024-08-01",
        "dates as Setembro 2006",
    ),
    "UNRATE.csv": ({}, "DATE", "2000-01-01", "2014-12-01", ""),
    "air-quality.csv": (
        {"sep": ";"},
        "Date,Time",
        "2004-03-10 18:00",
        "2004-05-12 04:00",
        "dates day/month/year",
    ),
    "bitcoin-investing.csv": ({}, "Date", "2021-12-27", "2023-08-17", "dates as Aug 17, 2023"),
    "co2_mm_mlo.txt": (
        {"sep": r"\s+", "comment": "#", "header": None},
        "0,1",
        "1958-03-01",
        "2021-09-01",
        "0, 1 as one time",
    ),
    "coin_Bitcoin.xlsx": ({}, "Date", "2013-04-29 23:59:59", "2021-07-06 23:59:59", ""),
    "daily-min-temperatures.csv": ({}, "Date", "1981-01-01", "1990-12-31", ""),
    "daily-total-female-births.csv": ({}, "Date", "1959-01-01", "1959-12-31", ""),
    "example_retail_sales.csv": ({}, "ds", "1992-01-01", "2016-05-01", ""),
    "exportacoes_BR.csv": ({}, "ano,mes", "1989-01-01", "2024-09-01", "ano, mes as one time"),
    "gasnatural.csv": ({}, "Data", "2000-01-01", "2024-08-01", "dates month/day/year"),
    "household_power.txt": (
        {"sep": ";"},
        "Date,Time",
        "2007-02-01",
        "2007-02-02 23:59",
        "dates day/month/year",
    ),
    "ipeadata.csv": ({"sep": ";"}, "Data", "1987-05-20", "1998-04-30", "dates day/month/year"),
    "monthly-car-sales.csv": ({}, "Month", "1960-01-01", "1968-12-01", ""),
    "multiTimeline.csv": ({"skiprows": 1}, "Тиждень", "2020-01-05", "2020-12-27", ""),
    "pollution.csv": (
        {},
        "year,month,day,hour",
        "2010-01-01",
        "2010-03-04 10:00",
        "year, month, day, hour as one time",
    ),
    "shampoo.csv": ({}, "Month", "2001-01-01", "2003-12-01", "dates as 1-01"),
    "smard-prices.csv": (
        {"sep": ";"},
        "Start date",
        "2025-01-01 00:00+01:00",
        "2025-11-01 02:00+01:00",
        "dates as Jan 1, 2025 12:00 AM",
    ),
    "stocks.csv": ({}, "date", "2000-01-01", "2010-03-01", "dates as Jan 1 2000"),
    "tesla-stock-price.csv": ({}, "date", "2015-10-15", "2018-10-15", "dates year/month/day"),
    "tourism-quarters.csv": ({}, "Quarter", "1998-01-01", "2017-10-01", "dates as 1998 Q1"),
    "usdeur.csv": ({}, "timestamp", "2007-01-01", "2017-12-29", "epoch in milliseconds"),
}


@pytest.mark.parametrize("name", TABLES)
def test_times_of_real_tables(shared_data, name):
    how, columns, first, last, words = TABLES[name]
    path = shared_data(f"tables/{name}")
    if path.suffix == ".xlsx":
        pytest.importorskip("openpyxl")
        frame = pd.read_excel(path)
    else:
        how = {"encoding": "utf-8-sig", **how}
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, **how).rename(columns=str)
    found = find_time(frame)
    assert found.columns == tuple(columns.split(","))
    stamps = found.times.stamps
    assert (stamps.min(), stamps.max()) == (pd.Timestamp(first), pd.Timestamp(last))
    assert found.times.words == words
    strays = {"tesla-stock-price.csv": [0]}.get(name, [])
    assert stamps.isna().nonzero()[0].tolist() == strays


def test_an_hour_that_comes_twice_is_one_of_a_zone(shared_data):
    path = shared_data("tables/smard-prices.csv")
    times = find_time(pd.read_csv(path, sep=";", dtype=str, encoding="utf-8-sig")).times
    assert times.zone == "CET"
    steps = times.stamps.tz_convert("UTC").diff()[1:]
    assert (steps == pd.Timedelta("1h")).all()
    assert times.notes == [
        "2025-10-26 02:00 comes twice, as on clocks that are set back there: the times are taken "
        "for those of the zone CET, first in summer time",
        "the time is 'Start date', not 'End date'",
    ]
