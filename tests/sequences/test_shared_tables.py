"""Public tables as they come: each is read at the first try, or asks one question."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.sequences.data_reading import read_data
from statewise.sequences.layout import Asked
from statewise.sequences.panel import Panel
from statewise.sequences.tables import HowToRead, load_table

# series, steps, first and last stamp, what is said of the steps
TABLES = {
    "BTCUSDT-1d.csv": (5, 1480, "2023-06-01", "2024-03-22", "daily"),
    "Cacau.csv": (1, 216, "2006-09-01", "2024-08-01", "monthly"),
    "UNRATE.csv": (1, 180, "2000-01-01", "2014-12-01", "monthly"),
    "bitcoin-investing.csv": (6, 3594, "2021-12-27", "2023-08-17", "daily"),
    "coin_Bitcoin.xlsx": (6, 17946, "2013-04-29 23:59:59", "2021-07-06 23:59:59", "daily"),
    "daily-min-temperatures.csv": (1, 3652, "1981-01-01", "1990-12-31", "daily"),
    "daily-total-female-births.csv": (1, 365, "1959-01-01", "1959-12-31", "daily"),
    "example_retail_sales.csv": (1, 293, "1992-01-01", "2016-05-01", "monthly"),
    "exportacoes_BR.csv": (1, 429, "1989-01-01", "2024-09-01", "monthly"),
    "gasnatural.csv": (1, 296, "2000-01-01", "2024-08-01", "monthly"),
    "household_power.txt": (7, 20160, "2007-02-01", "2007-02-02 23:59", "every minute"),
    "ipeadata.csv": (1, 2781, "1987-05-20", "1998-04-30", "business-daily"),
    "monthly-car-sales.csv": (1, 108, "1960-01-01", "1968-12-01", "monthly"),
    "multiTimeline.csv": (1, 52, "2020-01-05", "2020-12-27", "weekly"),
    "pollution.csv": (7, 10493, "2010-01-01", "2010-03-04 10:00", "hourly"),
    "shampoo.csv": (1, 36, "2001-01-01", "2003-12-01", "monthly"),
    "smard-prices.csv": (1, 7299, "2024-12-31 23:00Z", "2025-11-01 01:00Z", "hourly"),
    "stocks.csv": (5, 560, "2000-01-01", "2010-03-01", "monthly"),
    "tesla-stock-price.csv": (5, 3780, "2015-10-15", "2018-10-15", "business-daily"),
    "tourism-quarters.csv": (5, 399, "1998-01-01", "2017-10-01", "quarterly"),
    "usdeur.csv": (1, 2842, "2007-01-01", "2017-12-29", "business-daily"),
}
# what is asked, and what comes of the answer
ASKING = {
    "air-quality.csv": ("--missing-value -200", [-200.0], (13, "2004-05-12 04:00")),
    "co2_mm_mlo.txt": ("--missing-value -9.99,-0.99", [-9.99, -0.99], (5, "2021-09-01")),
}


def read(path, **how):
    found = read_data(load_table(path, HowToRead(**how)))
    return found.data, len(found.data) if isinstance(found.data, Panel) else 1


@pytest.mark.parametrize("name", TABLES)
def test_at_the_first_try(name, shared_data):
    if name.endswith(".xlsx"):
        pytest.importorskip("openpyxl")
    data, count = read(shared_data("tables") / name)
    series, steps, first, last, phrase = TABLES[name]
    calendar = data.calendar
    assert (count, len(data.time), calendar.phrase) == (series, steps, phrase)
    assert data.time.min() == pd.Timestamp(first)
    assert data.time.max() == pd.Timestamp(last)


@pytest.mark.parametrize("name", ASKING)
def test_after_one_question(name, shared_data):
    path = shared_data("tables") / name
    question, answer, (series, last) = ASKING[name]
    with pytest.raises(DataError, match=question):
        read(path)
    data, count = read(path, missing_values=answer)
    assert (count, data.time.max()) == (series, pd.Timestamp(last))
    assert not np.isin(data.values, answer).any()


def test_all_are_told(shared_data):
    files = {file.name for file in shared_data("tables").iterdir()} - {"SOURCES.md"}
    assert files == TABLES.keys() | ASKING.keys()


def test_one_column_of_many(shared_data):
    found = read_data(shared_data("tables") / "co2_mm_mlo.txt", Asked(target="monthly average"))
    assert found.data.values.shape == (763, 1)
