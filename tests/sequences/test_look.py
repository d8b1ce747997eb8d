"""What is said of tables: those that can be forecast, and those that can't yet."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences.column_facts import columns_of, format_number
from statewise.sequences.layout import Asked
from statewise.sequences.look import look_at
from statewise.sequences.series_facts import each_series, facts_of
from statewise.sequences.tables import load_table

DAYS = pd.date_range("2024-01-01", periods=70, freq="D")
WEEK = np.tile([3.0, 4, 5, 4, 6, 20, 25], 10) + np.sin(1.7 * np.arange(70)) + np.arange(70) / 10


def look(frame, asked=None, **given):
    return look_at(load_table(pd.DataFrame(frame)), asked, **given)


def look_at_text(text, folder, asked=None, **given):
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return look_at(load_table(path), asked, **given)


def lines(*rows):
    return "\n".join(rows) + "\n"


def test_one_series():
    values = WEEK.copy()
    values[30] = 200
    values[40:42] = np.nan
    found = look({"day": DAYS, "sold": values})
    assert found.time == ("day",)
    assert found.calendar.phrase == "daily"
    assert (found.repeated, found.missing, found.constant) == (0, 2, 0)
    assert found.lengths.tolist() == [70]
    (one,) = found.series
    assert (one.name, len(one), one.missing) == ("sold", 70, 2)
    assert one.seasons == (7,)
    assert one.outliers.tolist() == [30]
    assert one.high == 200
    assert not one.constant
    assert (found.obstacles, found.offers) == ([], {})


def test_many_series_of_which_a_dozen_are_shown():
    shops = np.repeat([f"{shop:03}" for shop in range(30)], 70)
    values = np.tile(WEEK, 30)
    values[:70] = 5
    found = look({"day": np.tile(DAYS, 30), "shop": shops, "sold": values})
    assert found.layout.key == "shop"
    assert len(found.series) == 12
    assert found.lengths.tolist() == [70] * 30
    assert found.constant == 1
    assert found.series[0].name == "000"
    assert found.series[0].constant


def test_a_wide_table_and_one_column_of_it():
    frame = {"day": DAYS, "north": WEEK, "south": 2 * WEEK, "remark": "fine"}
    found = look(frame)
    assert [one.name for one in found.series] == ["north", "south"]
    assert [one.name for one in look(frame, Asked(target="south")).series] == ["south"]


def test_repeated_stamps_are_an_obstacle_with_a_way_round():
    found = look({"day": DAYS[[0, 1, 2, 2, 3, 4, 5, 6]], "sold": np.arange(8.0)})
    assert found.repeated == 1
    assert "--aggregate mean" in found.obstacles[0]
    assert found.offers == {"aggregate": "mean"}
    assert found.series[0].values.tolist() == [0, 1, 2.5, 4, 5, 6, 7]


def test_uneven_stamps_are_an_obstacle_with_a_way_round(rng):
    hours = np.sort(rng.choice(24 * 60 * 20, 800, replace=False))
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(hours, "min")
    found = look({"when": stamps, "load": rng.uniform(1, 2, 800)})
    assert all("--every" in obstacle for obstacle in found.obstacles)
    assert list(found.offers) == ["every"]
    assert found.data is not None
    same = look({"when": stamps, "load": np.ones(800)}, every=found.offers["every"])
    assert same.obstacles == []


def test_an_impossible_number_is_an_obstacle(tmp_path, rng):
    rows = [f"{day:%d.%m.%Y};{value:.0f},5" for day, value in zip(DAYS, WEEK, strict=True)]
    for row in (5, 20, 50):
        rows[row] = rows[row].split(";")[0] + ";-200"
    found = look_at_text(lines("Tag;Wert", *rows), tmp_path)
    assert "-200 (3 times in 'Wert')" in found.obstacles[0]
    assert found.offers == {"missing-value": "-200"}
    assert found.series[0].missing == 3
    assert found.series[0].low == 3.5


def test_a_word_among_numbers_is_an_obstacle(tmp_path):
    rows = ["2024-01-01,1", "2024-01-02,2", "2024-01-03,closed", "2024-01-04,3"]
    found = look_at_text(lines("day,y", *rows), tmp_path)
    assert "holds text in line 4: 'closed'" in found.obstacles[0]
    assert found.offers == {"missing-value": "closed"}
    assert found.series[0].missing == 1


def test_several_obstacles_one_after_the_other(tmp_path):
    rows = [f"{day:%Y-%m-%d},{value}" for day, value in zip(DAYS, WEEK, strict=True)]
    rows[5] = rows[5].split(",")[0] + ",-999"
    rows[9] = rows[9].split(",")[0] + ",-999"
    found = look_at_text(lines("day,y", *rows, rows[3]), tmp_path)
    assert len(found.obstacles) == 2
    assert found.offers == {"missing-value": "-999", "aggregate": "mean"}
    assert found.data is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (["name,town", "a,b", "c,d", "e,f"], "no column of numbers"),
        (["day,y", "one,1", "two,2", "three,x"], "looks like its time"),
        (["day,y", "2024-01-01,1", "2024-01-02,2"], "at least 3"),
    ],
)
def test_what_cannot_be_forecast_at_all_shows_its_columns(text, words, tmp_path):
    found = look_at_text(lines(*text), tmp_path)
    assert found.data is None
    assert found.series == []
    assert found.lengths.tolist() == []
    assert found.calendar is None
    assert words in found.obstacles[-1]
    assert found.offers == {}
    assert [one.name for one in found.columns] == text[0].split(",")


def test_the_columns_that_the_time_is_made_of(tmp_path):
    rows = [f"{day:%d/%m/%Y};{day:%H}.00.00;{day.hour}" for day in DAYS]
    found = look_at_text(lines("Date;Time;CO", *rows), tmp_path)
    assert found.time == ("Date", "Time")
    rows = [f"{2024 - month // 12},{12 - month % 12},{month}" for month in range(48)]
    found = look_at_text(lines("ano,mes,Exp", *rows), tmp_path)
    assert found.time == ("ano", "mes")
    assert found.calendar.phrase == "monthly"
    assert found.series[0].values[0] == 47
    assert look({"y": np.arange(9.0)}).time == ()


def test_kinds_of_columns():
    days = [f"{day}.1.2024" for day in range(1, 7)]
    frame = {
        "Tag": days,
        "Betrag": ["1.234,5", "-", "3,25", "x", "1,0", "2,0"],
        "Shop": list("abcdeabcde")[:6],
        "leer": "",
        "immer": 5,
        "ja": [True, False] * 3,
    }
    found = {one.name: one for one in columns_of(load_table(pd.DataFrame(frame)))}
    assert [one.kind for one in found.values()] == [
        *("time", "numbers", "text", "empty", "numbers", "text")
    ]
    assert found["Tag"].holds == "2024-01-01 to 2024-01-06"
    assert found["Betrag"].holds == "1 to 1234.5"
    assert (found["Betrag"].missing, found["Betrag"].unreadable) == (1, 1)
    assert found["Shop"].holds == "5 values: a, b, c, d, …"
    assert found["leer"].missing == 6
    assert found["immer"].holds == "always 5"
    assert found["ja"].holds == "2 values: True, False"


@pytest.mark.parametrize("days", [DAYS, np.repeat(DAYS[:35], 2)], ids=["one", "repeated"])
def test_cells_that_are_lists_and_mappings(days):
    found = look({"day": days, "tags": [["a"]] * 70, "place": [{"x": 1}] * 70})
    assert [one.kind for one in found.columns] == ["time", "text", "text"]
    assert found.data is None
    assert "no column of numbers" in found.obstacles[-1]
    frame = {"day": days, "tags": [["a"]] * 70, "shop": "x", "sold": WEEK}
    assert look(frame).series[0].name == "sold"
    for key in (["tags"], ["tags", "shop"]):
        found = look(frame, Asked(key=key))
        assert "'tags' can't be the key: it holds cells of the type list" in found.obstacles[0]


def test_facts_of_strange_series():
    steps = pd.RangeIndex(9)
    nothing = facts_of("a", steps, np.full(9, np.nan), "number")
    assert np.isnan(nothing.low)
    assert (nothing.missing, nothing.seasons, len(nothing.outliers)) == (9, (), 0)
    assert not nothing.constant
    assert facts_of("a", steps, np.r_[np.nan, np.ones(8)], "number").constant
    assert len(facts_of("a", steps[:0], np.array([]), "number")) == 0


def test_what_was_filled_in_is_missing():
    found = look({"day": DAYS[[0, 1, 3, 4, 5, 6, 7, 8, 9]], "y": np.arange(9.0)}, missing="fill")
    assert found.data.known is not None
    ((_, _, values, _),) = each_series(found.data)
    assert np.isnan(values).tolist() == [False, False, True] + [False] * 7


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.000012, "1.2e-05"), (12.5, "12.5"), (9999.94, "9999.9"), (-3.0, "-3"), (np.nan, "-")],
)
def test_numbers_are_short(value, said):
    assert format_number(value) == said
