"""Where no calendar says a season, values that plainly repeat themselves do."""

import numpy as np
import pytest

from statewise.datasets import airline
from statewise.sequences.cycles import find_cycle


@pytest.mark.parametrize("length", [2, 3, 4, 7, 11, 12, 24, 52, 168])
@pytest.mark.parametrize("trend", [0.0, 0.05])
def test_a_pattern_under_noise(length, trend, rng):
    pattern = rng.normal(size=length)
    pattern[0] += 3
    steps = np.arange(6 * length + 3)
    values = trend * steps + np.resize(pattern, len(steps)) + 0.2 * rng.normal(size=len(steps))
    assert find_cycle(values) == length


def test_airline():
    assert find_cycle(airline()["passengers"].to_numpy(float)) == 12


def test_missing_values(rng):
    values = np.tile(5 * rng.normal(size=7), 20)
    values[rng.integers(0, len(values), 20)] = np.nan
    assert find_cycle(values) == 7


def test_what_repeats_nothing(rng):
    """Of walks, noise and slow processes hardly one in a hundred seems to repeat itself."""
    found = []
    for count in (30, 60, 120, 400):
        for _ in range(50):
            noise = rng.normal(size=count)
            slow = np.convolve(rng.normal(size=count + 20), 0.8 ** np.arange(21), "valid")
            found += [find_cycle(one) for one in (noise, noise.cumsum(), slow)]
    assert np.mean(np.array(found) > 1) <= 0.01


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [3.0] * 50,
        np.arange(50.0),
        0.1 * np.arange(50) + 3,
        np.full(50, np.nan),
        np.append(np.full(50, np.nan), [1.0, 2.0]),
        [1.0, 5, 1, 5, 1],
    ],
    ids=["empty", "one", "constant", "line", "tenths", "missing", "two", "short"],
)
def test_none(values):
    assert find_cycle(np.array(values, float)) == 1
