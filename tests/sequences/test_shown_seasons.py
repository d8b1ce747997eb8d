import numpy as np
import pytest

from statewise import datasets
from statewise.sequences.shown_seasons import shown_seasons


def cycle(length, steps):
    return np.sin(np.arange(steps) / length * 2 * np.pi)


def test_the_day_the_week_and_both(rng):
    steps = 24 * 7 * 10
    noise = rng.standard_normal(steps) / 10
    assert shown_seasons("h", cycle(24, steps) + noise) == [24]
    assert shown_seasons("h", cycle(168, steps) + noise) == [168]
    assert shown_seasons("h", cycle(24, steps) + cycle(168, steps) + noise) == [24, 168]
    assert shown_seasons("h", noise) == []


def test_missing_values_leave_it(rng):
    steps = 24 * 7 * 10
    values = cycle(24, steps) + cycle(168, steps) + rng.standard_normal(steps) / 10
    values[rng.choice(steps, 200, replace=False)] = np.nan
    assert shown_seasons("h", values) == [24, 168]


def test_the_week_and_the_year(rng):
    days = 365 * 5
    values = cycle(7, days) + 3 * cycle(365, days) + rng.standard_normal(days) / 10
    assert shown_seasons("D", values) == [7, 365]
    assert shown_seasons("D", values[:700]) == [7]


@pytest.mark.parametrize("frequency", ["MS", "D", "h", "number", "3YS"])
@pytest.mark.parametrize(
    "values",
    [[], [1.0], np.zeros(500), np.arange(500.0), np.full(500, np.nan), np.ones(500) * 1e300],
)
def test_what_shows_none(frequency, values):
    assert shown_seasons(frequency, np.array(values, float)) == []


def test_the_airline_has_its_year():
    assert shown_seasons("MS", datasets.airline()["passengers"].to_numpy(float)) == [12]
