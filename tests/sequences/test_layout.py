import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError
from statewise.sequences.layout import Asked, find_layout, join_keys
from statewise.sequences.tables import load_table

DAYS = [f"2024-01-{day:02}" for day in range(1, 11)]


def text_table(tmp_path, frame):
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    return load_table(path)


def long_frame(**columns):
    return pd.DataFrame({"day": DAYS * 3, **columns, "sold": np.arange(30) % 7})


def test_keys_of_a_text_file_stay_text(tmp_path):
    frame = long_frame(store=["001"] * 10 + ["1"] * 10 + ["NA"] * 10)
    layout = find_layout(text_table(tmp_path, frame), Asked(key=["store"]))
    assert layout.table.frame["store"].unique().tolist() == ["001", "1", "NA"]
    numbers = long_frame(store=["001"] * 10 + ["2"] * 10 + ["3"] * 10)
    layout = find_layout(text_table(tmp_path, numbers), Asked(key=["store"], number_keys=True))
    assert layout.table.frame["store"].unique().tolist() == [1, 2, 3]


def test_an_empty_key_is_one(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{day},{key},5" for key in ("", "null") for day in DAYS]
    path.write_text("day,store,sold\n" + "\n".join(rows) + "\n")
    from statewise.sequences import read_panel
    from statewise.sequences.panel import Columns

    panel = read_panel(load_table(path), Columns(key="store", time="day", target="sold"))
    assert panel.keys.tolist() == ["", "null"]


def test_text_that_tells_series_apart_is_the_key(tmp_path):
    frame = long_frame(shop=["a"] * 10 + ["b"] * 10 + ["c"] * 10, colour=["red", "blue"] * 15)
    layout = find_layout(text_table(tmp_path, frame), Asked())
    assert (layout.key, layout.targets, layout.time) == ("shop", ("sold",), "day")
    assert layout.table.understood.facts["layout"] == "3 series by shop"


def test_two_columns_make_a_key(tmp_path):
    frame = pd.DataFrame(
        [(day, state, kind, 5) for state in "xy" for kind in "pq" for day in DAYS],
        columns=["day", "state", "kind", "sold"],
    )
    layout = find_layout(text_table(tmp_path, frame), Asked())
    assert layout.key == "state, kind"
    assert layout.key_columns == ("state", "kind")
    assert layout.table.frame["state, kind"].unique().tolist() == ["x, p", "x, q", "y, p", "y, q"]
    assert (
        find_layout(text_table(tmp_path, frame), Asked(key=["kind", "state"])).key == "kind, state"
    )


def test_numbers_are_keys_where_every_series_has_every_stamp(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        [
            (day, store, item, rng.integers(50))
            for store in (1, 2)
            for item in (7, 8)
            for day in DAYS
        ],
        columns=["day", "store", "item", "sold"],
    )
    layout = find_layout(text_table(tmp_path, frame), Asked())
    assert (layout.key_columns, layout.targets) == (("store", "item"), ("sold",))


def test_a_value_is_no_key(tmp_path):
    frame = pd.DataFrame({"day": [*DAYS, *DAYS], "sold": [1, 2] * 10})
    layout = find_layout(text_table(tmp_path, frame), Asked())
    assert layout.key is None  # which stamps repeat is told on reading it as one series


def test_a_few_stamps_that_repeat_make_no_panel(tmp_path):
    frame = pd.DataFrame({"day": [*DAYS, DAYS[0]], "note": list("abcdefghijk"), "sold": range(11)})
    assert find_layout(text_table(tmp_path, frame), Asked()).key is None


def test_many_columns_of_numbers_are_as_many_series(tmp_path):
    frame = pd.DataFrame({"day": DAYS, "a": [3, 1] * 5, "b": 3.5, "word": "x"})
    layout = find_layout(text_table(tmp_path, frame), Asked())
    assert (layout.wide, layout.targets) == (True, ("a", "b"))
    notes = " ".join(layout.table.understood.notes)
    assert "--target a" in notes
    assert "left out, since they are no values to forecast: word" in notes
    one = find_layout(text_table(tmp_path, frame), Asked(target="b"))
    assert (one.wide, one.targets) == (False, ("b",))


def test_a_column_that_numbers_the_rows_is_no_series(tmp_path):
    frame = pd.DataFrame({"No": range(1, 11), "day": DAYS, "sold": [5, 6] * 5})
    assert find_layout(text_table(tmp_path, frame), Asked()).targets == ("sold",)


def test_several_targets_of_a_panel_are_asked_about(tmp_path):
    frame = long_frame(shop=["a"] * 10 + ["b"] * 10 + ["c"] * 10, price=2.5)
    with pytest.raises(DataError, match=r"2 columns of numbers \(price, sold\): .*--target sold"):
        find_layout(text_table(tmp_path, frame), Asked())


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked(key=["x"]), "no column 'x'"),
        (Asked(target="x"), "no column 'x'"),
        (Asked(time="x"), "no column 'x'"),
        (Asked(key=["sold"], target="sold"), "can't be the key and the target at once"),
    ],
)
def test_refusals(tmp_path, asked, message):
    frame = long_frame(shop=["a"] * 10 + ["b"] * 10 + ["c"] * 10)
    with pytest.raises(DataError, match=message):
        find_layout(text_table(tmp_path, frame), asked)


def test_a_time_that_is_not_understood_is_named(tmp_path):
    frame = pd.DataFrame({"date": [f"{i}th of Smarch" for i in range(10)], "sold": range(10)})
    with pytest.raises(DataError, match=r"'date' .* looks like its time.*--time none"):
        find_layout(text_table(tmp_path, frame), Asked())
    assert find_layout(text_table(tmp_path, frame), Asked(time="none")).time is None


def test_joined_keys_stay_apart():
    frame = pd.DataFrame({"a": ["x", "x, y"], "b": ["y, z", "z"]})
    assert join_keys(frame, ["a", "b"]).nunique() == 2


def test_rows_without_a_time_of_several_series_are_asked_about(tmp_path):
    frame = pd.DataFrame({"store": list("abc") * 10, "sold": [5, 7] * 15})
    with pytest.raises(DataError, match=r"'store' names several series: .*--time none --key store"):
        find_layout(text_table(tmp_path, frame), Asked())
    one = find_layout(text_table(tmp_path, frame), Asked(time="none"))
    assert (one.time, one.key, one.targets) == (None, None, ("sold",))
    many = find_layout(text_table(tmp_path, frame), Asked(time="none", key=["store"]))
    assert (many.time, many.key) == ("step", "store")
    assert many.table.frame["step"].tolist() == [i // 3 for i in range(30)]
