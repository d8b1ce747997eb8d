"""Each row of the table of shapes in docs/files.md: read as it says, and told as it says."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.sequences.data_reading import read_data
from statewise.sequences.panel import Panel
from statewise.sequences.tables import load_table

PAGE = Path(__file__).parents[2] / "docs" / "files.md"
DAYS = [str(day.date()) for day in pd.date_range("2024-01-01", periods=40)]
VALUES = [3 + i % 7 for i in range(40)]


def table(header, *columns):
    return "\n".join([header, *(",".join(map(str, row)) for row in zip(*columns, strict=True))])


def long(header, keys, stamps=DAYS):
    rows = [(*key, day, VALUES[i]) for key in keys for i, day in enumerate(stamps)]
    return table(header, *zip(*rows, strict=True))


STAMPS = pd.Timestamp("2024-01-01") + pd.to_timedelta(
    np.cumsum(np.random.default_rng(0).integers(20, 41, 200)), "min"
)
# By the first column of the page: the table; how many series; what is told, or how it is refused.
CASES = {
    "one column of numbers beside the time": (table("day,y", DAYS, VALUES), 1, "daily"),
    "several columns of numbers beside the time": (
        table("day,a,b,c,d,e", DAYS, *[VALUES] * 5), 5, "wide, 5 series",
    ),
    "stamps that repeat, and text that tells their rows apart": (
        long("symbol,day,y", [(name,) for name in "abcde"]), 5, "5 series by symbol",
    ),
    "two or three columns that do so together": (
        long("Land,Art,day,y", [(a, b) for a in "pq" for b in "xy"]), 4, "4 series by Land, Art",
    ),
    "whole numbers that do so, each with every stamp (`store`, `item`)": (
        long("store,item,day,y", [(a, b) for a in (1, 2) for b in (7, 8)]), 4,
        "4 series by store, item",
    ),
    "a column `unique_id`": (long("unique_id,ds,y", [("a",), ("b",)]), 2, "daily"),
    "columns named by years or dates, a row for each series": (
        "Land," + ",".join(map(str, range(2000, 2012))) + "\nA" + ",1.5" * 12 + "\nB" + ",2.5" * 12,
        2, "a column for each of 12 steps, a row for each series",
    ),
    "a column of years, and one for each month": (
        "Year,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec\n2022"
        + ",5" * 12 + "\n2023" + ",6" * 12,
        1, "a row for each year, a column for each month",
    ),
    "a column of months, and one for each year": (
        "month,2021,2022\n" + "".join(f"{month},5,6\n" for month in pd.date_range(
            "2021-01-01", periods=12, freq="MS").strftime("%b")),
        1, "a row for each month, a column for each year",
    ),
    "a column of names, each once, and columns V1, V2, V3...": (
        "V1,V2,V3,V4,V5,V6\n" + "".join(f"W{i},{i},5,7.5,2,1\n" for i in range(4)), 4,
        "a row for each series",
    ),
    "rows from the newest to the oldest": (
        table("day,y", DAYS[::-1], VALUES), 1, "newest first, sorted",
    ),
    "rows in any order": (table("day,y", DAYS[7:] + DAYS[:7], VALUES), 1, "rows sorted by time"),
    "stamps that repeat, and nothing that tells them apart": (
        table("day,y", DAYS[:37] + DAYS[4:7], VALUES), DataError("repeat.*--aggregate"),
        ("aggregate", "sum", "3 repeated rows brought together, their sum"),
    ),
    "uneven stamps": (
        table("t,y", STAMPS.strftime("%Y-%m-%d %H:%M"), VALUES * 5), DataError("uneven.*--every"),
        ("every", "1h", "in steps of 1 hour, their mean"),
    ),
    "a few values missing": (
        table("day,y", DAYS, [*VALUES[:5], "", *VALUES[6:]]), 1, "1 gap filled",
    ),
    "no value at the beginning or at the end": (
        table("day,y", DAYS, ["", *VALUES[1:36], *[""] * 4]), 1, "daily",
    ),
    "many values missing": (
        table("day,y", DAYS, ["" if i % 3 == 1 else y for i, y in enumerate(VALUES)]), 1,
        "13 steps of 40 without a value",
    ),
    "a row in a hundred, at most, whose time can't be read": (
        table("day,y", [*DAYS, "11:34"], [*VALUES, 5]), 1, "daily",
    ),
    "no column that could be a time": (table("y", VALUES), 1, "numbered"),
    "a column that looks like a time and can't be read": (
        table("date,y", [f"day {i} of Smarch" for i in range(40)], VALUES),
        DataError("'date'.*--time none"), None,
    ),
    "row numbers, and the time once more (1958.2027)": (
        table("No,year,month,decimal,y", range(1, 41), *zip(
            *(
                (1990 + i // 12, 1 + i % 12, f"{1990 + (i + 0.5) / 12:.4f}", VALUES[i])
                for i in range(40)
            ),
            strict=True,
        )), 1, "monthly",
    ),
}  # fmt: skip


def rows_of_the_page():
    page = PAGE.read_text(encoding="utf-8")
    part = page[page.index("## Shapes") : page.index("### Calendars")]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return {row[0]: row for row in rows[1:]}


def test_the_page_and_the_cases_are_the_same():
    assert set(rows_of_the_page()) == set(CASES)


@pytest.mark.parametrize("row", CASES)
def test_a_row(row, tmp_path):
    text, series, told = CASES[row]
    path = tmp_path / "t.csv"
    path.write_text(text + "\n")
    if isinstance(series, DataError):
        with pytest.raises(DataError, match=str(series)):
            read_data(path)
        if told is None:
            return
        option, value, told = told
        found, series = read_data(load_table(path), **{option: value}), 1
    else:
        found = read_data(path)
    count = len(found.data) if isinstance(found.data, Panel) else 1
    assert count == series
    assert re.search(re.escape(told), found.understood.line())
