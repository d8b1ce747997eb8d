"""A detector: what a score depends on, what it finds, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_detectors import SMALL, of_one, of_several, wave
from statewise.sequences import DataError, TimeSeries, read_series
from statewise.tasks import AnomalyDetector
from statewise.tasks.anomaly.intervals import spans_of


def test_a_score_depends_on_nothing_after_its_step(rng):
    series = wave(70, seed=3)[:, 0]
    series[20] = np.nan
    before = of_one().score(series)
    for step in (1, 19, 40):
        other = series.copy()
        other[step + 1 :] = rng.normal(size=69 - step) * 1e4
        after = of_one().score(other)
        np.testing.assert_array_equal(after[: step + 1], before[: step + 1])
        assert (after[step + 1 :] != before[step + 1 :]).any()
    assert np.isnan(before[[0, 20]]).all()
    assert np.isfinite(np.delete(before, [0, 20])).all()


def test_a_score_is_computed_before_its_value_is_learned_from(rng):
    """However far a value is, its own score isn't damped by it: the farther, the higher."""
    series = wave(60, seed=4)[:, 0]
    scores = []
    for far in (8.0, 80.0, 8000.0):
        other = series.copy()
        other[-1] += far
        scores.append(of_one().score(other)[-1])
    assert scores == sorted(scores)
    assert scores[-1] > scores[0] + 1


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.integers(1, 90), st.integers(0, 1000))
def test_what_stands_beside_a_series_changes_nothing(steps, seed):
    north, seven = wave(steps, 2, seed), 1e6 + 1e3 * wave(90 - steps + 1, 2, seed + 1)
    both = of_several().score({7: seven, "north": north}, by_feature=True)
    for key, one in (("north", north), (7, seven)):
        alone = of_several().score({key: one}, by_feature=True)[key]
        np.testing.assert_allclose(both[key], alone, atol=2e-4)


@pytest.mark.slow
def test_the_odd_feature_is_named():
    series = wave(80, 2, 1)
    series[60, 1] += 400  # forty of its scale's units
    scores = of_several().score({"north": series}, by_feature=True)["north"]
    assert scores.shape == (80, 3)
    assert np.nanargmax(scores[:, 0]) == 60
    assert scores[60, 2] > scores[60, 1] + 1
    table = of_several().detect({"north": series}, threshold=float(scores[60, 0]) - 0.01)
    assert table[["key", "begin", "worst", "feature"]].values.tolist() == [
        ["north", 60, 60, "feature 1"]
    ]


@pytest.mark.slow
def test_intervals_have_the_times_of_the_table():
    hours = pd.date_range("2024-03-01", periods=90, freq="h", name="when")
    frame = pd.DataFrame({"level": wave(90)[:, 0], "when": hours, "note": "x"})
    detector = AnomalyDetector(**SMALL).fit(frame[:80], time="when", target="level")
    assert detector.features_ == ["level"]
    frame.loc[85, "level"] = 500.0
    table = detector.detect(frame)
    assert table["begin"].tolist() == [hours[85]]
    assert table["score"][0] > 4
    scores = detector.score(frame)
    assert scores.columns.tolist() == ["score"]
    assert len(scores) == 90
    # The same by an index, by a series with gaps, and by what read_series makes.
    series = frame.set_index("when")["level"]
    np.testing.assert_allclose(detector.score(series), scores["score"], atol=1e-5)
    given = read_series(series)
    assert isinstance(given, TimeSeries)
    np.testing.assert_allclose(detector.score(given), scores["score"], atol=1e-5)


@pytest.mark.slow
def test_rows_that_are_absent_do_not_shift_the_season():
    hours = pd.date_range("2024-03-01", periods=90, freq="h")
    series = pd.Series(wave(90)[:, 0], hours)
    detector = AnomalyDetector(**SMALL).fit(series)
    lost = series.copy()
    lost.iloc[50:53] = np.nan
    np.testing.assert_array_equal(
        detector.score(series.drop(hours[50:53])), detector.score(lost).drop(hours[50:53])
    )
    assert detector.fit(series.drop(hours[50:53])).notes_ == [
        "3 steps without a row count as missing"
    ]


@pytest.mark.slow
def test_long_tables_and_mappings_are_the_same():
    data = {"north": wave(40, 2, 5), 7: 1e6 + wave(30, 2, 6)}
    table = pd.concat(
        pd.DataFrame(one, columns=["a", "b"]).assign(key=key, at=range(len(one)))
        for key, one in data.items()
    )
    detector = AnomalyDetector(**SMALL, seed=1).fit(table, key="key", time="at", target=["a", "b"])
    scores = detector.score(table, by_feature=True)
    assert scores.columns.tolist() == ["key", "at", "score", "a", "b"]
    assert scores["key"].tolist() == table["key"].tolist()
    assert detector.keys_ == ["north", 7]
    expected = AnomalyDetector(**SMALL, seed=1).fit(data).score(data)
    np.testing.assert_allclose(scores["score"], np.concatenate([*expected.values()]), atol=1e-5)


def test_scores_follow_where_the_training_ended():
    whole = wave(120, seed=0)[:, 0]
    anew, after = of_one().score(whole), of_one().score(whole[90:], follows=True)
    np.testing.assert_allclose(after, anew[90:], atol=2e-3)
    assert not np.isnan(after[0])


def test_intervals_join_what_is_near():
    scores = np.full(300, 0.0)
    scores[[20, 30, 95, 250]] = 5.0
    scores[[21, 200]] = np.nan
    assert spans_of(scores, 4.0) == [(20, 30), (95, 95), (250, 250)]
    assert spans_of(scores, 4.0, quiet=70) == [(20, 95), (250, 250)]
    assert spans_of(scores, 6.0) == []


def test_thresholds():
    series = wave(90, seed=8)[:, 0]
    series[70] += 100
    assert of_one().threshold_ == pytest.approx(4.0)
    assert len(of_one().detect(series, quantile=0.0)) == 1  # all of it is one interval
    assert of_one().detect(series, threshold=1e9).empty
    with pytest.raises(ValueError, match=r"threshold='high': expected a score, as 4.0"):
        of_one().detect(series, threshold="high")
    with pytest.raises(ValueError, match=r"quantile=1\.5: expected a number from 0 to 1"):
        of_one().detect(series, quantile=1.5)
    with pytest.raises(ValueError, match="give one of them"):
        of_one().detect(series, 3.0, quantile=0.5)
    with pytest.raises(ValueError, match="threshold=nan"):
        of_one().detect(series, np.nan)


@pytest.mark.slow
def test_series_that_hardly_move_and_huge_ones():
    """A constant has no surprises; what leaves it is one. Nothing overflows."""
    flat = np.full(60, 1e300)
    detector = AnomalyDetector(**SMALL).fit(flat)
    flat[50] = -1e300
    scores = detector.score(flat)
    assert np.nanargmax(scores) == 50
    assert np.isfinite(scores[1:]).all()


WRONG = [
    ({"method": "magic"}, wave(50), "method='magic': expected one of forecast, autoencoder"),
    ({"units": 0}, wave(50), "units"),
    ({"rate": 1.5}, wave(50), r"rate=1\.5: expected a share"),
    ({"season": 10**6}, wave(50), "season=1,000,000: expected 2,048 at most"),
    ({"season": "yearly"}, wave(50), "season='yearly': expected a number of steps"),
    ({}, wave(31), "the longest series has 31 steps, but 32 at least"),
    ({}, [], "has no steps"),
    ({}, {}, "no series: give one"),
    ({}, np.full(50, np.nan), "feature 'feature 0' .* has no values: nothing but NaN"),
    ({}, np.append(wave(50), np.inf), "an infinity, first in step 50"),
    ({}, {"a": wave(50), "b": wave(50, 2)}, "'a' has 1 and 'b' has 2"),
    ({}, np.zeros((5, 5, 5)), "shape"),
]


@pytest.mark.parametrize(("options", "data", "message"), WRONG, ids=range(len(WRONG)))
def test_what_makes_no_sense_is_refused(options, data, message):
    with pytest.raises((ValueError, DataError), match=message):
        AnomalyDetector(**{**SMALL, **options}).fit(data)


def test_wrong_tables_are_refused_by_name():
    frame = pd.DataFrame({"when": pd.date_range("2024", periods=40), "level": range(40)})
    with pytest.raises(DataError, match="no column 'hour'; it has when, level"):
        AnomalyDetector(**SMALL).fit(frame, time="hour")
    with pytest.raises(TypeError, match=r"'level' must hold numbers, but is of .*'high'"):
        AnomalyDetector(**SMALL).fit(frame.assign(level="high"), target="level")
    with pytest.raises(DataError, match="no column of numbers"):
        AnomalyDetector(**SMALL).fit(frame[["when"]])
    with pytest.raises(DataError, match=r"39 of 40 rows .* sort the rows by time"):
        AnomalyDetector(**SMALL).fit(frame[::-1], time="when")
    with pytest.raises(DataError, match="2 features, but the detector was fitted on 1"):
        of_one().score(wave(40, 2))
    with pytest.raises(TypeError, match="dtype"):
        of_one().score(["a", "b"])
    with pytest.raises(ValueError, match="not fitted yet"):
        AnomalyDetector().score(wave(40))


def test_scikit_learns_manners():
    sklearn = pytest.importorskip("sklearn.base")
    detector = AnomalyDetector(units=5, rate=0.01)
    copy = sklearn.clone(detector)
    assert copy.get_params() == detector.get_params()
    assert not hasattr(copy, "model_")
    assert copy.set_params(units=6).units == 6
    with pytest.raises(ValueError, match="no argument 'unit'"):
        copy.set_params(unit=6)
