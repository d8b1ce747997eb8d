"""Frames whose columns nobody named: `fit` finds out of them what the command does of a file."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from statewise import read_table
from statewise.sequences import DataError
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.adapters import take_in

DAYS = pd.date_range("2024-01-01", periods=30)


def long():
    return pd.DataFrame(
        [
            (day, state, kind, 10.0 + i % 7)
            for state in ("NSW", "VIC")
            for kind in ("x", "y")
            for i, day in enumerate(DAYS)
        ],
        columns=["day", "state", "kind", "trips"],
    )


def quick(**options):
    return Forecaster(horizon=3, units=2, epochs=1, lookback=7, **options)


@pytest.mark.parametrize(
    "of", [pd.DataFrame, pl.from_pandas, lambda frame: pl.from_pandas(frame).lazy()]
)
def test_several_columns_make_the_key(of):
    found = quick().fit(of(long()))
    assert (found.columns_.key, found.columns_.target) == ("state, kind", "trips")
    future = found.predict()
    assert list(future.columns) == ["state", "kind", "day", "model"]
    assert type(future) is type(
        of(long()).collect() if hasattr(of(long()), "collect") else of(long())
    )
    rows = future.to_pandas() if isinstance(future, pl.DataFrame) else future
    assert rows[["state", "kind"]].drop_duplicates().to_numpy().tolist() == [
        ["NSW", "x"], ["NSW", "y"], ["VIC", "x"], ["VIC", "y"]
    ]  # fmt: skip
    assert rows["day"].min() == pd.Timestamp("2024-01-31")
    again = found.predict(new_data=of(long()))
    assert (again.to_pandas() if isinstance(again, pl.DataFrame) else again).equals(rows)


def test_they_may_be_named(tmp_path):
    columns = {"key": "state,kind", "time": "day", "target": "trips"}
    found = quick().fit(long(), columns=columns)
    found.save(tmp_path / "f")
    pd.testing.assert_frame_equal(Forecaster.load(tmp_path / "f").predict(), found.predict())
    assert len(found.keys_) == 4


def test_one_key():
    frame = long()[lambda f: f["kind"] == "x"].drop(columns="kind")
    found = take_in(frame)
    assert found.panel.keys.tolist() == ["NSW", "VIC"]
    assert found.form.layout == "long"


def test_one_series_beside_a_column_of_text():
    frame = pd.DataFrame({"day": DAYS, "remark": "none", "sold": np.arange(30.0)})
    with pytest.warns(UserWarning, match="left out.*remark"):
        found = take_in(frame)
    assert found.form.layout == "series"
    np.testing.assert_array_equal(found.panel.values[:, 0], np.arange(30.0))


def test_a_table_that_was_read(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{day:%d.%m.%Y};00{k};{1000 + i},5" for k in (1, 2) for i, day in enumerate(DAYS)]
    path.write_text("Tag;Laden;Umsatz\n" + "\n".join(rows) + "\n")
    frame, report = read_table(path)
    assert report.line() == "semicolons, decimal comma, dates day.month.year"
    taken = take_in(frame)
    assert taken.panel.keys.tolist() == ["001", "002"]
    assert taken.panel.values[0, 0] == 1000.5


def test_what_cannot_be_found_out_is_asked():
    frame = long().assign(price=2.5)
    with pytest.raises(DataError, match=r"2 columns of numbers \(trips, price\)"):
        take_in(frame)
