"""Rows read apart and placed on the calendar of all make the panel that is read at once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import Columns, DataError, read_panel
from statewise.sequences.panel_reading import read_rows
from statewise.sequences.placing import grid_of, joined, placed

NAMES = Columns(key="shop", time="day", target="sold", future=["price", "event"], static=["size"])


def table(rng, series, steps, absent=0.2):
    """Return series of daily rows, of which some are absent, from different days on."""
    days = pd.date_range("2024-02-27", periods=steps + 3)
    parts = []
    for i in range(series):
        begin = int(rng.integers(0, 4))
        own = days[begin : begin + steps]
        parts.append(
            pd.DataFrame({"shop": f"s{i}", "day": own, "sold": rng.normal(size=steps), "size": i})
        )
    frame = pd.concat(parts, ignore_index=True)
    frame["price"] = rng.normal(size=len(frame))
    frame["event"] = np.where(rng.random(len(frame)) < 0.5, "sale", "none")
    first = frame["shop"].ne(frame["shop"].shift())
    return frame[first | first.shift(-1, fill_value=True) | (rng.random(len(frame)) > absent)]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.integers(2, 7), st.integers(9, 30))
def test_series_read_apart_are_those_read_at_once(seed, series, steps):
    rng = np.random.default_rng(seed)
    frame = table(rng, series, steps)
    whole = read_panel(frame, NAMES)
    grid = grid_of(pd.Index(frame["day"]).unique().sort_values())
    parts = [read_rows(own, NAMES) for _, own in frame.groupby("shop", sort=False)]
    together = placed(joined(parts), grid)
    each = [placed(part, grid) for part in parts]
    assert together.keys.tolist() == whole.keys.tolist()
    np.testing.assert_array_equal(together.offsets, whole.offsets)
    for name in ("values", "time"):
        want = getattr(whole, name)
        np.testing.assert_array_equal(getattr(together, name), want)
        np.testing.assert_array_equal(np.concatenate([getattr(one, name) for one in each]), want)
    for name, column in whole.future.items():
        np.testing.assert_array_equal(np.concatenate([one.future[name] for one in each]), column)
    assert {one.calendar for one in each} == {whole.calendar}


def test_a_series_that_leaves_the_calendar_of_all_is_named():
    grid = grid_of(pd.date_range("2024-01-01", periods=30))
    hourly = pd.DataFrame({"ds": pd.date_range("2024-01-03", periods=9, freq="h"), "y": 1.0})
    with pytest.raises(
        DataError, match=r"2024-01-03 01:00:00 of series .*calendar .*which is daily"
    ):
        placed(read_rows(hourly), grid)
    weekly = pd.DataFrame({"ds": pd.date_range("2024-01-03", periods=4, freq="7D"), "y": 1.0})
    weekly = pd.concat([weekly.assign(unique_id="w")])
    with pytest.raises(DataError, match=r"mixed frequencies: all together .*'w'"):
        placed(read_rows(weekly), grid)
    assert grid_of(pd.DatetimeIndex(["2024-01-01", "2024-01-02"])) is None
