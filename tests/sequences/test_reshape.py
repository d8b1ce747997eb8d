import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.sequences.data_reading import read_data
from statewise.sequences.panel import Panel
from statewise.sequences.tables import load_table


def write(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    return path


def test_a_column_for_each_year(tmp_path):
    years = range(1990, 2002)
    rows = [f"{name},{code},pop," + ",".join(str(v + y) for y in years) for name, code, v in
            (("Chad", "TCD", 5e5), ("Mali", "MLI", 7e5))]  # fmt: skip
    head = "Country Name,Country Code,Indicator," + ",".join(map(str, years))
    found = read_data(write(tmp_path, "\n".join([head, *rows])))
    assert isinstance(found.data, Panel)
    assert len(found.data) == 2
    np.testing.assert_array_equal(found.data.values[:12, 0], [5e5 + y for y in years])
    assert found.data.time[:12].tolist() == list(years)


def test_a_column_for_each_day(tmp_path):
    days = [f"1/{day}/20" for day in range(22, 32)]
    text = "Province/State,Country/Region,Lat,Long," + ",".join(days) + "\n"
    text += ",Albania,41.1,20.1," + ",".join(map(str, [0, 0, 3, 3, 4, 9, 9, 15, 20, 31])) + "\n"
    text += "Hubei,China,30.9,112.2," + ",".join(map(str, range(444, 454))) + "\n"
    found = read_data(write(tmp_path, text))
    assert len(found.data) == 2
    assert found.data.calendar.phrase == "daily"
    assert found.data.time[0] == pd.Timestamp("2020-01-22")
    assert any("Lat, Long" in note for note in found.understood.notes)


@pytest.mark.parametrize(
    "months",
    [
        "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec",
        "1,2,3,4,5,6,7,8,9,10,11,12",
        "01,02,03,04,05,06,07,08,09,10,11,12",
        "enero,febrero,marzo,abril,mayo,junio,julio,agosto,septiembre,octubre,noviembre,diciembre",
    ],
)
def test_a_row_for_each_year_and_a_column_for_each_month(months, tmp_path):
    text = f"Year,{months}\n"
    text += "2022," + ",".join(map(str, range(1, 13))) + "\n"
    text += "2023," + ",".join(map(str, range(13, 21))) + ",,,,\n"
    found = read_data(write(tmp_path, text))
    assert found.data.phrase == "monthly"
    np.testing.assert_array_equal(found.data.values[:, 0], np.arange(1.0, 21))
    assert found.data.time[-1] == pd.Timestamp("2023-08-01")


YEARS = range(2019, 2022)


@pytest.mark.parametrize("first", ["month", "Mes", ""])
@pytest.mark.parametrize(
    "months",
    [
        "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec",
        "enero,febrero,marzo,abril,mayo,junio,julio,agosto,septiembre,octubre,noviembre,diciembre",
        "12,11,10,9,8,7,6,5,4,3,2,1",
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_row_for_each_month_and_a_column_for_each_year(first, months, newest_first, tmp_path):
    words = months.split(",")
    numbers = range(12, 0, -1) if words[0] == "12" else range(1, 13)
    years = list(YEARS)[::-1] if newest_first else list(YEARS)
    text = f"{first or 'month'}," + ",".join(map(str, years)) + "\n"
    for word, month in zip(words, numbers, strict=True):
        cells = ["" if (y, m) > (2021, 8) else str(12 * (y - 2019) + m) for y in years
                 for m in [month]]  # fmt: skip
        text += f"{word}," + ",".join(cells) + "\n"
    found = read_data(write(tmp_path, text))
    assert found.data.phrase == "monthly"
    np.testing.assert_array_equal(found.data.values[:, 0], np.arange(1.0, 33))
    assert found.data.time[-1] == pd.Timestamp("2021-08-01")
    assert "a row for each month, a column for each year" in found.understood.line()


def test_months_down_and_years_to_the_right_of_several_series(tmp_path):
    words = "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec".split(",")
    text = "region,month,2020,2021\n"
    for region, much in (("north", 100), ("south", 200)):
        text += "".join(f"{region},{w},{much + i},{much + 12 + i}\n" for i, w in enumerate(words))
    found = read_data(write(tmp_path, text))
    assert found.data.keys.tolist() == ["north", "south"]
    np.testing.assert_array_equal(found.data.values[24:, 0], 200 + np.arange(24.0))


def test_twelve_stores_and_columns_of_years_are_no_months(tmp_path):
    years = ",".join(map(str, range(2000, 2010)))
    text = f"store,{years}\n" + "".join(f"s{i},{','.join('1234567890')}\n" for i in range(1, 13))
    assert len(read_data(write(tmp_path, text)).data) == 12


def test_other_tables_stay(tmp_path):
    from statewise.sequences.reshape import with_rows_for_steps

    table = load_table(write(tmp_path, "day,1,2,3,4,5,6,7,8\n2024-01-01,1,2,3,4,5,6,7,8\n"))
    assert with_rows_for_steps(table) is None


@pytest.mark.parametrize("name", ["May", "March"])
def test_one_month_is_a_name(tmp_path, name):
    from statewise.sequences.reshape import with_rows_for_steps

    table = load_table(write(tmp_path, f"day,{name}\n2024-01-01,1\n"))
    assert with_rows_for_steps(table) is None


@pytest.mark.parametrize("header", ["V1,V2,V3,V4,V5,V6", "id,t1,t2,t3,t4,t5", None])
def test_a_row_for_each_series_of_numbered_steps(header, tmp_path):
    rows = ["W1,5,7,9,11.5,8", "W2,3,4,1.5,2,", "W3,,9,8,7.25,"]
    found = read_data(write(tmp_path, "\n".join([*([header] if header else []), *rows]) + "\n"))
    assert found.data.keys.tolist() == ["W1", "W2", "W3"]
    assert found.data.lengths.tolist() == [5, 4, 3]
    np.testing.assert_array_equal(found.data.values[9:, 0], [9, 8, 7.25])
    assert any("--wide" in note for note in found.understood.notes)


def test_columns_of_their_own_names_are_series(tmp_path):
    text = "name,north,south,east,west\n" + "".join(f"r{i},{i % 5},2,{i % 3},4\n" for i in range(9))
    found = read_data(write(tmp_path, text))
    assert found.data.keys.tolist() == ["north", "south", "east", "west"]


def test_blank_ends_of_a_row_are_left_out(tmp_path):
    years = ",".join(map(str, range(2000, 2012)))
    text = f"Country,{years}\nA,,,3,4,5,6,7,,9,10,11.5,\nB" + ",1.5" * 12 + "\nC" + "," * 12 + "\n"
    found = read_data(write(tmp_path, text))
    assert found.data.lengths.tolist() == [9, 12]
    assert found.data.time[:1].tolist() == [2002]
    assert "1 row without any value left out" in found.understood.notes


def test_a_time_that_is_not_read_is_told_beside_numbered_columns(tmp_path):
    text = "date,s1,s2,s3,s4\n" + "".join(f"{i}th of Smarch,{i % 5},2,3,4\n" for i in range(9))
    with pytest.raises(DataError, match=r"'date' .* looks like its time"):
        read_data(write(tmp_path, text))
