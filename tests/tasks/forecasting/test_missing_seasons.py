"""What is missing in the last season is no part of the next one's forecast."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statewise.tasks import Forecaster
from statewise.tasks.forecasting.stale import staleness

WEEK = np.array([10.0, 20, 30, 40, 50, 80, 60])
QUICK = {"units": 4, "epochs": 1, "lookback": 14}
STEPS = 84


def shops(gone, count=3, noise=0.0, growth=0.0):
    """Return a panel of weekly patterns in which the steps ``gone`` are missing."""
    values = np.tile(WEEK, 12) + noise * np.random.default_rng(0).normal(size=STEPS)
    values += growth * np.arange(STEPS)
    values[sorted(gone)] = np.nan
    days = pd.date_range("2024-01-01", periods=STEPS)
    return pd.concat(
        pd.DataFrame({"unique_id": f"s{i}", "ds": days, "y": values * (1 + i)})
        for i in range(count)
    )


@pytest.fixture(scope="module")
def fitted():
    return Forecaster(horizon=7, season=7, **QUICK).fit(shops({5, 33}))


LAST_WEEKS = [{78, 79}, {71, 78}, {*range(77, 84)}, {*range(70, 84)}, {83}]


@pytest.mark.parametrize(
    ("gone", "absent"),
    [*((gone, False) for gone in LAST_WEEKS), *((g, True) for g in LAST_WEEKS[:2])],
)
def test_the_latest_season_known_comes_again(fitted, gone, absent):
    table = shops(gone).dropna() if absent else shops(gone)
    found = fitted.predict(new_data=table, level=[80])
    expected = np.concatenate([WEEK * (1 + i) for i in range(3)])
    np.testing.assert_allclose(found["model"], expected, rtol=0.01)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(14, STEPS - 1), max_size=40))
@example(set(range(56, STEPS)))
def test_however_much_is_missing(fitted, gone):
    found = fitted.predict(new_data=shops(gone), level=[50, 80])
    np.testing.assert_allclose(found["model"][:7], WEEK, rtol=0.02)
    ends = ["model-lo-80", "model-lo-50", "model", "model-hi-50", "model-hi-80"]
    assert (np.diff(found[ends]) >= 0).all()


def widened(fitted, **kwargs):
    """Return by how much the intervals of 14 steps are wider where two of the week are missing."""
    whole = fitted.predict(14, new_data=shops({5}, **kwargs), level=[80])
    some = fitted.predict(14, new_data=shops({5, 78, 79}, **kwargs), level=[80])
    width = [t["model-hi-80"].to_numpy() - t["model-lo-80"].to_numpy() for t in (whole, some)]
    ratio = (width[1] / width[0])[:14]
    return ratio / ratio[0]  # in units of the window's scale, in which two steps count no more


def test_intervals_widen_where_a_season_is_missing(fitted):
    """Only the steps whose last season is missing: two seasons back is root 2 further."""
    expected = np.ones(14)
    expected[[1, 2]], expected[[8, 9]] = np.sqrt(2), np.sqrt(3 / 2)
    np.testing.assert_allclose(widened(fitted, noise=1.0, growth=3.0), expected, rtol=1e-3)


def test_no_wider_than_the_series_moves(fitted):
    """A week whose values come back to where they were is as well forecast from two weeks ago."""
    ratio = widened(fitted, noise=1.0)
    assert ratio.max() < 1.15
    np.testing.assert_allclose(np.delete(ratio, [1, 2, 8, 9]), 1, rtol=1e-3)


def test_intervals_where_all_that_is_looked_at_is_missing(fitted):
    """A gap longer than a window has no scale of its own: the series' is taken."""
    whole = fitted.predict(new_data=shops(set(), noise=1.0), level=[80])
    gone = fitted.predict(new_data=shops({*range(56, STEPS)}, noise=1.0), level=[80])
    width = [t["model-hi-80"] - t["model-lo-80"] for t in (whole, gone)]
    assert (width[1] > 0.8 * width[0]).all()


def test_staleness_of_many_series():
    values = np.concatenate([np.arange(9.0), np.arange(11) * 5.0])  # too short to tell
    values[[7, 8, 18, 19]] = np.nan
    offsets = np.array([0, 9, 20])
    naive = staleness(values, offsets, season=1, horizon=3)
    np.testing.assert_allclose(naive, np.sqrt([[3 / 1, 4 / 2, 5 / 3]] * 2))
    seasonal = staleness(values, offsets, season=3, horizon=4)
    np.testing.assert_allclose(seasonal, np.sqrt([[1, 2, 2, 1], [1, 2, 2, 1]]))
    longer = staleness(values, offsets, season=10, horizon=2)  # no season before the first
    np.testing.assert_allclose(longer[0], 1)


@pytest.mark.parametrize("season", [1, 3])
@pytest.mark.parametrize("gap", [1, 5, 100, 400])
def test_staleness_goes_by_how_far_a_series_moves(season, gap):
    rng = np.random.default_rng(gap)
    steps = rng.normal(size=2000)
    walks = steps.copy()
    for step in range(season, 2000):
        walks[step] += walks[step - season]
    values = np.stack([steps, walks, 5.0 * np.arange(2000), np.full(2000, 3.0)])
    values[:, -gap:] = np.nan
    found = staleness(values.ravel(), 2000 * np.arange(5), season=season, horizon=4)
    root = found[3]  # of a series that tells nothing
    missed = (gap + np.arange(4) % season) // season
    ahead = np.arange(4) // season + 1
    np.testing.assert_allclose(root, np.sqrt((ahead + missed) / ahead))
    assert (found[0] < 1.1).all()
    assert (found <= root + 1e-12).all()
    assert (found >= 1).all()
    assert (found[1] > 0.7 * root).all()
    np.testing.assert_allclose(found[2], root)  # moves faster than a random walk: no more than it


def test_the_first_interval_after_a_long_gap_of_a_logarithm():
    """What comes back to its level within hours isn't known worse after 40 than after 10."""
    rng = np.random.default_rng(0)
    level = np.zeros(900)
    for step in range(1, 900):
        level[step] = 0.7 * level[step - 1] + 0.5 * rng.normal()
    frame = pd.DataFrame(
        {"ds": pd.date_range("2024-01-01", periods=900, freq="h"), "y": np.exp(level)}
    )
    fitted = Forecaster(horizon=24, season=1, units=4, epochs=2, lookback=48)
    fitted.fit(frame.assign(unique_id="a"))
    frame.loc[860:, "y"] = np.nan
    found = fitted.predict(new_data=frame.assign(unique_id="a"), level=[95])
    assert fitted.transform_.startswith("logarithm")
    assert (
        found["model-hi-95"].max() < 5 * np.exp(level).max()
    )  # the root of 41 led to 2000 times it


def test_one_step_from_the_first_step_on(fitted):
    """Each step is forecast from what is known before it, whatever is asked for beside it."""
    values = np.tile(WEEK, 4) + np.random.default_rng(1).normal(size=28)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fitted.predict_one_step(values, first=1)
    assert found[0] == values[0]  # nothing is known about how it moves
    for first in (2, 3, 9):
        np.testing.assert_allclose(
            fitted.predict_one_step(values, first=first), found[first - 1 :], rtol=1e-4
        )
    assert np.ptp(found[1:]) > 10


def test_one_step_where_a_series_stood_still_at_first(fitted):
    values = np.concatenate([np.full(4, 5.0), 5 + np.arange(12.0)])
    found = fitted.predict_one_step(values, first=2)
    np.testing.assert_array_equal(found[:3], 5)
    assert np.ptp(found[4:]) > 3
    np.testing.assert_array_equal(fitted.predict_one_step(np.full(9, 3.0), first=1), 3)


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(5)))
@example([4, 3, 2, 1, 0])
@pytest.mark.slow
def test_the_order_of_series_changes_nothing(order):
    tables = [group for _, group in shops(set(), 5, noise=2.0).groupby("unique_id")]
    kwargs = QUICK | {"season": 7, "likelihood": "gaussian"}
    one = Forecaster(horizon=4, **kwargs).fit(pd.concat(tables))
    other = Forecaster(horizon=4, **kwargs).fit(pd.concat([tables[i] for i in order]))
    assert other.keys_.tolist() == [f"s{i}" for i in order]
    found = [f.predict(level=[80]).set_index(["unique_id", "ds"]) for f in (one, other)]
    pd.testing.assert_frame_equal(found[0], found[1].loc[found[0].index])
