import numpy as np
import pytest

from statewise.datasets import airline
from statewise.sequences import guess_season, read_series
from statewise.sequences.season import season_lengths


@pytest.mark.parametrize(
    ("frequency", "lengths"),
    [
        ("MS", [12]),
        ("BME", [12]),
        ("2MS", [6]),
        ("QE", [4]),
        ("YS", []),
        ("12MS", []),
        ("W-SUN", [52]),
        ("D", [7, 365]),
        ("7D", []),
        ("B", [5, 260]),
        ("2B", []),
        ("h", [24, 168]),
        ("15min", [96, 672, 4]),
        ("7h", [24]),
        ("number", []),
        ("?", []),
    ],
)
def test_calendar_proposes(frequency, lengths):
    assert season_lengths(frequency) == lengths


def wave(steps, length, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(steps)
    return 0.05 * t + 1.5 * np.sin(2 * np.pi * t / length) + rng.normal(size=steps)


@pytest.mark.parametrize(
    ("frequency", "length"),
    [("MS", 12), ("QS", 4), ("W-MON", 52), ("B", 5), ("h", 24), ("h", 168), ("D", 365)],
)
def test_values_confirm(frequency, length):
    assert guess_season(frequency, wave(12 * length, length)) == length


def test_airline():
    passengers = airline()["passengers"].to_numpy()
    assert guess_season("MS", passengers) == 12
    assert guess_season("MS", passengers[:96]) == 12
    assert guess_season("number", passengers) == 1


@pytest.mark.parametrize(
    ("name", "target", "phrase", "season"),
    [
        ("etth1/ETTh1.csv", "OT", "hourly", 24),
        ("nab/nyc_taxi.csv", None, "every 30 minutes", 48),
    ],
)
def test_measured_series(shared_data, name, target, phrase, season):
    series = read_series(shared_data(name), target=target)
    assert series.phrase == phrase
    assert guess_season(series.frequency, series.values) == season


def test_only_the_first_feature_counts():
    both = np.column_stack([np.random.default_rng(0).normal(size=144), wave(144, 12)])
    assert guess_season("MS", both) == 1
    assert guess_season("MS", both[:, ::-1]) == 12


@pytest.mark.parametrize(
    "values",
    [
        np.full(120, 7.0),
        np.full(120, 0.1),
        np.arange(120) * 0.1 + 3,
        np.random.default_rng(0).normal(size=120),
        np.random.default_rng(0).normal(size=120).cumsum(),
        wave(35, 12),
        [],
    ],
    ids=["constant", "tenths", "line", "noise", "walk", "short", "empty"],
)
def test_no_season(values):
    assert guess_season("MS", values) == 1


def test_wrong_values():
    with pytest.raises(ValueError, match="values must be finite"):
        guess_season("MS", [1.0, np.nan])
    with pytest.raises(TypeError, match="values must hold real numbers"):
        guess_season("MS", ["a"])
