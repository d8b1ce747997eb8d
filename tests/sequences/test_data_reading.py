import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.sequences.data_reading import read_data
from statewise.sequences.layout import Asked
from statewise.sequences.panel import Panel
from statewise.sequences.tables import load_table

DAYS = pd.date_range("2024-01-01", periods=40)


def write(folder, values, name="t.csv"):
    path = folder / name
    rows = [f"{day:%Y-%m-%d},{value}" for day, value in zip(DAYS, values, strict=True)]
    path.write_text("day,y\n" + "\n".join(rows) + "\n")
    return path


def test_a_column_without_any_value_is_refused_by_its_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("day,sold\n" + "".join(f"2024-01-{day:02},\n" for day in range(1, 10)))
    with pytest.raises(DataError, match="'sold' holds no value at all"):
        read_data(path)


@pytest.mark.parametrize("header", ["day,a", "unique_id,ds,y", "day,a,b"])
def test_a_column_of_numbers_is_read_once(tmp_path, header, monkeypatch):
    from statewise.sequences import columns

    read = []
    usual = columns.numbers_of
    monkeypatch.setattr(
        columns, "numbers_of", lambda column, **o: read.append(column.name) or usual(column, **o)
    )
    rows = [f"2024-01-{day:02},{day % 5}" for day in range(1, 20)]
    rows = [f"x,{row}" if header.startswith("u") else row for row in rows]
    rows = [f"{row},7" if header.endswith("b") else row for row in rows]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    read_data(path)
    assert sorted(read) == sorted(set(read))


def test_rows_that_wait_for_their_values_are_not_filled_in(tmp_path):
    values = ["", *range(5, 38), *[""] * 6]
    found = read_data(write(tmp_path, values))
    np.testing.assert_array_equal(found.data.values[:, 0], np.arange(5.0, 38))
    assert found.data.time[[0, -1]].tolist() == [DAYS[1], DAYS[33]]
    assert found.data.known is None
    assert found.understood.notes == [
        "left out: 1 step without a value at the beginning and 6 steps without a value at the end"
    ]
    assert "gaps" not in found.understood.facts
    filled = read_data(write(tmp_path, values), missing="fill").data  # asked for
    assert len(filled) == 40


def test_gaps_within_are_filled_or_masked(tmp_path):
    values = [i % 7 for i in range(40)]
    few = read_data(write(tmp_path, [*values[:3], "", *values[4:39], ""]))
    assert few.data.known.sum() == 38
    assert few.understood.facts["gaps"] == "1 gap filled"
    many = read_data(write(tmp_path, [*values[:3], *[""] * 9, *values[12:]])).data
    assert isinstance(many, Panel)
    assert np.isnan(many.values).sum() == 9


def test_markers_are_asked_about_before_values_are_brought_together(tmp_path):
    values = [-200 if i in (4, 20) else 3 + i % 7 for i in range(40)]
    rows = [
        f"{day:%Y-%m-%d},{value},{i % 5}"
        for i, (day, value) in enumerate(zip(DAYS, values, strict=True))
    ]
    path = tmp_path / "t.csv"
    path.write_text("day,a,b\n" + "\n".join(rows) + "\n")
    for options in ({}, {"every": "2D"}, {"aggregate": "sum"}):
        with pytest.raises(DataError, match=r"-200 \(2 times in 'a'\): .*--missing-value -200"):
            read_data(load_table(path), **options)
        with pytest.raises(DataError, match="--missing-value -200"):
            read_data(load_table(path), Asked(target="a"), **options)


def test_words_that_make_no_sense(tmp_path):
    path = write(tmp_path, range(40))
    with pytest.raises(ValueError, match="missing='zero': it must be one of raise, fill"):
        read_data(path, missing="zero")
    frame = pd.DataFrame({"day": [*DAYS, *DAYS], "k": ["a"] * 40 + ["b"] * 40, "y": 1.5})
    with pytest.raises(ValueError, match=r"--missing fill\) is for one series"):
        read_data(frame, missing="fill")
