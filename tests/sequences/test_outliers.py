import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewise import datasets
from statewise.sequences.outliers import find_outliers


def waves(rng, steps=240, season=12):
    time = np.arange(steps)
    return 50 + 10 * np.sin(2 * np.pi * time / season) + time / 10 + rng.standard_normal(steps)


def test_what_stands_out_of_a_season(rng):
    values = waves(rng)
    assert find_outliers(values, 12).tolist() == []
    values[100] += 40
    values[50] -= 25
    assert find_outliers(values, 12).tolist() == [100, 50]
    values[[99, 130, 131]] = np.nan
    assert find_outliers(values, 12).tolist() == [100, 50]


def test_a_season_s_peak_stands_out_where_no_season_is_known():
    values = np.tile([5.0, 6, 5, 7, 6, 5, 60], 8) + np.arange(56) % 3
    assert len(find_outliers(values)) >= 7
    assert find_outliers(values, 7).tolist() == []


def test_both_ends(rng):
    values = waves(rng)
    values[0] += 80
    values[-1] -= 80
    assert sorted(find_outliers(values, 12).tolist()) == [0, 239]


def test_a_level_that_changes_for_good_does_not_stand_out(rng):
    values = waves(rng)
    values[120:] += 200
    assert find_outliers(values, 12).tolist() == []


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0, 2, 3],
        np.zeros(100),
        np.arange(100.0),
        np.full(100, np.nan),
        [0.0] * 90 + [5.0] + [0.0] * 9,  # counts that are mostly nothing: any sale would stand out
        datasets.airline()["passengers"].to_numpy(float),
    ],
)
def test_ordinary_series_have_none(values):
    for season in (1, 7, 12):
        assert find_outliers(np.array(values, float), season).tolist() == []


def test_normal_noise_has_none(rng):
    assert find_outliers(rng.standard_normal(100_000)).tolist() == []


numbers = st.floats(-1e300, 1e300) | st.just(float("nan")) | st.just(float("inf"))


@given(st.lists(numbers, max_size=60), st.integers(1, 20))
def test_no_values_are_too_strange(values, season):
    with np.errstate(over="ignore"):
        found = find_outliers(np.array(values), season)
    assert len(set(found.tolist())) == len(found)
    assert np.isfinite(np.array(values)[found]).all()
