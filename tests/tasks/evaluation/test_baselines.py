import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewise.tasks import naive, naive_one_step, seasonal_naive, seasonal_naive_one_step


def test_closed_loop_repeats():
    np.testing.assert_array_equal(naive([1.0, 2.0], 3), [2, 2, 2])
    np.testing.assert_array_equal(seasonal_naive([9, 1, 2, 3], 4, season=3), [1, 2, 3, 1])
    np.testing.assert_array_equal(seasonal_naive([1, 2], 5, season=3), [1, 2, 1, 2, 1])


@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 12))
def test_one_step_ahead_is_closed_loop_begun_anew(first, more, season):
    values = np.random.default_rng(first * 100 + more).normal(size=first + more)
    expected = [
        seasonal_naive(values[:origin], 1, season=min(season, first))[0]
        for origin in range(first, len(values))
    ]
    result = seasonal_naive_one_step(values, first, season=season)
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(naive_one_step(values, first), values[first - 1 : -1])


@given(st.lists(st.booleans(), min_size=2, max_size=40), st.integers(1, 9), st.integers(0, 99))
def test_the_latest_season_known_is_repeated(known, season, seed):
    known[0] = True
    values = np.random.default_rng(seed).normal(size=len(known))
    history = np.where(known, values, np.nan)
    found = seasonal_naive(history, season, season=season)
    season = min(season, len(known))
    for step in range(season):
        back = [r for r in range(len(known) - season + step, -1, -season) if known[r]]
        # A phase of which nothing is known has the latest value before it.
        latest = [r for r in range(len(known) - season + step, -1, -1) if known[r]]
        assert found[step] == values[(back or latest)[0]]


def test_missing_values_are_never_forecast():
    history = [1.0, 2, 3, np.nan, 5, np.nan]
    np.testing.assert_array_equal(naive(history, 2), [5, 5])
    np.testing.assert_array_equal(naive_one_step(history, 1), [1, 2, 3, 3, 5])
    np.testing.assert_array_equal(seasonal_naive(history, 4, season=3), [1, 5, 3, 1])
    np.testing.assert_array_equal(seasonal_naive_one_step(history, 3, season=3), [1, 2, 3])
    with pytest.raises(ValueError, match="all 2 values of the history are missing"):
        naive([np.nan, np.nan], 1)


def test_refuses():
    with pytest.raises(ValueError, match="horizon=0: it must be at least 1"):
        naive([1.0], 0)
    with pytest.raises(ValueError, match="season=0: it must be at least 1"):
        seasonal_naive([1.0], 1, season=0)
    with pytest.raises(ValueError, match=r"its shape is \(0,\)"):
        naive([], 1)
    with pytest.raises(ValueError, match=r"its shape is \(2, 1\)"):
        naive([[1.0], [2.0]], 1)
    for first in (0, 3):
        with pytest.raises(ValueError, match=f"first={first}: it must be between 1 and 2"):
            naive_one_step([1.0, 2.0, 3.0], first)
