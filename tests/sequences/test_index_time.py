"""The index of a pandas object is its time: what goes on after it goes on from there."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import DataError, read_series, read_wide

VALUES = np.arange(6.0)
RISING = {
    "a range": pd.RangeIndex(20, 26),
    "a range by twos": pd.RangeIndex(20, 32, 2),
    "years": pd.Index([2001, 2002, 2003, 2004, 2005, 2006], name="year"),
    "small integers": pd.Index([3, 4, 5, 6, 7, 8], dtype="int8"),
    "fractions": pd.Index([0.5, 1.0, 1.5, 2.0, 2.5, 3.0]),
    "text": pd.Index([f"2024-01-0{day}" for day in range(1, 7)]),
    "days": pd.date_range("2024-01-01", periods=6).date,
    "periods": pd.period_range("2024-01", periods=6, freq="M"),
    "spans": pd.timedelta_range("0s", periods=6, freq="10s"),
}
NEXT = {
    "a range": 26,
    "a range by twos": 32,
    "years": 2007,
    "small integers": 9,
    "fractions": 3.5,
    "text": pd.Timestamp("2024-01-07"),
    "days": pd.Timestamp("2024-01-07"),
    "periods": pd.Timestamp("2024-07-01"),
    "spans": 60_000_000,  # microseconds
}


@pytest.mark.parametrize("kind", RISING)
def test_time_goes_on_after_the_index(kind):
    series = pd.Series(VALUES, RISING[kind])
    assert read_series(series).future_stamps(1)[0] == NEXT[kind]
    wide = pd.DataFrame({"ds": VALUES, "b": VALUES}, RISING[kind])
    panel = read_wide(wide)
    assert panel.keys.tolist() == ["ds", "b"]
    assert panel.future_stamps(1)[0] == NEXT[kind]


def test_rows_absent_from_the_index_are_absent():
    series = pd.Series([1.0, 2, None, 4, 5]).dropna()
    with pytest.raises(DataError, match=r"numbered, with 1 row absent, the first \(2\)"):
        read_series(series)
    filled = read_series(series, missing="fill")
    assert filled.values[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert filled.future_stamps(1).tolist() == [5]


def test_columns_of_dates_go_before_the_index():
    days = pd.date_range("2024-01-01", periods=6)
    frame = pd.DataFrame({"day": days, "a": VALUES}, index=[9, 3, 4, 1, 7, 7])
    assert read_wide(frame).time[0] == days[0]
    assert read_series(frame).time[0] == days[0]
    assert read_series(frame.assign(n=VALUES), time="day", target="a").time[0] == days[0]


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ([1, 5, 2, 3], r"doesn't rise: 5 is followed by 2\. .* reset_index\(drop=True\)"),
        ([1, 2, 2, 3], "doesn't rise: 2 is followed by 2"),
        ([1, 2, 40, 41], r"index is uneven: 1, 2, \.\.\., 2, 40\. .* reset_index\(drop=True\)"),
        ([1.0, 2, np.nan, 4], "has 1 missing number"),
        (list("nesw"), r"index of the series is no time: 'n', 'w'\. Give it .* number the rows"),
        ([True, False, True, False], "is no time: True, False"),
        (pd.interval_range(0, 4), "is no time"),
    ],
)
def test_an_index_that_is_no_time_is_refused(index, words):
    with pytest.raises(DataError, match=words):
        read_series(pd.Series([1.0, 2, 3, 4], index))


def test_an_index_may_have_a_name_of_any_type():
    series = pd.Series(VALUES, pd.Index(range(20, 26), name=0), name=1)
    assert read_series(series).future_stamps(1).tolist() == [26]
    assert read_series(series.to_frame(), target=1).future_stamps(1).tolist() == [26]
