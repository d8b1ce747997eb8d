from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewise.sequences import Columns, read_panel
from statewise.sequences.bridging import bridged, latest_known
from statewise.sequences.holidays import fits_week, with_absent

WEEK = np.array([10.0, 20, 30, 40, 50, 80, 60])


def slow_latest(known, offsets, season):
    found = np.full(len(known), -1)
    for begin, stop in pairwise(offsets):
        for row in range(begin, stop):
            back = [r for r in range(row, begin - 1, -season) if known[r]]
            found[row] = back[0] if back else -1
    return found


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=30), min_size=1), st.integers(1, 9))
def test_the_latest_season_known(series, season):
    known = np.concatenate(series).astype(bool)
    offsets = np.cumsum([0, *map(len, series)])
    found = latest_known(known, offsets, season)
    np.testing.assert_array_equal(found, slow_latest(known, offsets, season))


@given(st.sets(st.integers(0, 69), max_size=60))
def test_a_pattern_is_bridged_wherever_it_was_seen_before(gone):
    values = np.tile(WEEK, 10)
    known = ~np.isin(np.arange(70), sorted(gone))
    offsets = np.array([0, 70])
    found = bridged(np.where(known, values, 0), known, offsets, 7)
    seen = latest_known(known, offsets, 7) >= 0
    np.testing.assert_array_equal(found, np.where(seen, values, 0))


@pytest.mark.parametrize("gone", [[65], [64, 65], [58, 65], [57, 58, 64, 65], [63, 64, 65, 66]])
def test_bridges_move_with_the_series(gone):
    """A week that stands 3 higher than the one before: so do the days of it that are missing."""
    values = np.tile(WEEK, 10) + 3 * np.repeat(np.arange(10), 7)
    known = ~np.isin(np.arange(70), gone)
    found = bridged(np.where(known, values, 0), known, np.array([0, 70]), 7)
    np.testing.assert_allclose(found, values)


def test_nothing_ahead_is_looked_at(rng):
    values, known = rng.normal(size=60), rng.random(60) > 0.4
    whole = bridged(values, known, np.array([0, 60]), 7)
    for stop in (20, 41):
        part = bridged(values[:stop], known[:stop], np.array([0, stop]), 7)
        np.testing.assert_allclose(part, whole[:stop])


DAYS = pd.bdate_range("2024-01-01", periods=30)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_holidays_get_rows(zone):
    stamps = DAYS.tz_localize(zone)
    keep = np.delete(np.arange(30), [3, 17])
    frame = pd.concat(
        [
            pd.DataFrame({"unique_id": "a", "ds": stamps[keep], "y": keep * 1.0, "open": 1.0}),
            pd.DataFrame({"unique_id": "b", "ds": stamps[5:16], "y": np.arange(5.0, 16)}),
        ]
    ).assign(open=1.0, kind=lambda t: np.where(t["y"] < 9, "low", "high"))
    panel = read_panel(frame, Columns(future=["open", "kind"]))
    whole = with_absent(panel)
    assert whole.lengths.tolist() == [30, 11]
    assert (whole.time == stamps.append(stamps[5:16])).all()
    expected = np.arange(30.0)
    expected[[3, 17]] = np.nan
    np.testing.assert_array_equal(whole.values[:30, 0], expected)
    assert np.isnan(whole.future["open"]).sum() == 2
    assert whole.future["kind"].tolist()[:11] == ["low"] * 9 + ["high"] * 2
    assert with_absent(whole) is whole


def test_only_weeks_count_holidays():
    panel = read_panel(pd.DataFrame({"ds": DAYS, "y": np.arange(30.0)}))
    assert [fits_week(panel, season) for season in (1, 5, 10, 252)] == [False, True, True, False]
