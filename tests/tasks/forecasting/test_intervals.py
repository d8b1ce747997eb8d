import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statewise.tasks.forecasting.intervals import Factors, Residuals, band_of_few


@pytest.mark.parametrize("level", [50, 80, 95])
def test_bands_cover_what_they_say(level, rng):
    before = rng.gamma(2, size=(2000, 3)) * [1, 2, 3]
    after = rng.gamma(2, size=(20_000, 3)) * [1, 2, 3]
    low, high = Residuals.of(before).band(level, 3)
    inside = ((after >= low) & (after <= high)).mean(axis=0)
    np.testing.assert_allclose(inside, level / 100, atol=0.03)
    assert (np.diff(high) > 0).all()


def test_bands_widen_beyond_what_was_validated(rng):
    residuals = Residuals.of(rng.normal(size=(500, 4)))
    low, high = residuals.band(80, 16)
    np.testing.assert_allclose(high[4:], high[3] * np.sqrt(np.arange(5, 17) / 4))
    np.testing.assert_allclose(low[:4], residuals.band(80, 4)[0])


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=40),
    st.lists(st.floats(0.5, 99.5), min_size=2, max_size=5, unique=True),
)
@example([1.0, 2.0, 3.0], [20, 80])  # all erred to one side
def test_bands_around_a_point_hold_it_and_are_nested(errors, levels):
    residuals = Residuals.of(np.array(errors)[:, None])
    ends = [np.concatenate(residuals.around(level, 3)) for level in sorted(levels)]
    assert (np.array(ends)[:, :3] <= 0).all()
    assert (np.array(ends)[:, 3:] >= 0).all()
    widths = np.diff(ends, axis=0)
    assert (widths[:, :3] <= 0).all()
    assert (widths[:, 3:] >= 0).all()
    few = [np.concatenate(band_of_few(residuals, one, 3, independent=2)) for one in sorted(levels)]
    assert (np.array(few)[:, :3] <= 0).all()
    assert (np.diff(few, axis=0)[:, :3] <= 0).all()


@pytest.mark.parametrize("level", [50, 80, 95])
def test_bands_of_centred_residuals_stay_as_they_are(level, rng):
    errors = rng.gamma(2, size=(999, 1))
    residuals = Residuals.of(errors - np.median(errors))
    np.testing.assert_array_equal(residuals.around(level, 1), residuals.band(level, 1))


def test_missing_truths_and_few_residuals():
    some = np.array([[1.0, np.nan], [-1.0, np.nan], [0.5, np.nan]])
    low, high = Residuals.of(some).band(80, 2)
    np.testing.assert_array_equal(low, [-1, -1])  # with three of them the outermost are taken
    np.testing.assert_array_equal(high, [1, 1])


def test_factors_mend_paths_that_are_too_narrow(rng):
    truth = rng.normal(size=(800, 2)) * 3
    paths = rng.normal(size=(800, 200, 2))
    least = np.full((800, 1), 1e-6)
    factors = Factors.of(paths, np.where(rng.random(truth.shape) < 0.1, np.nan, truth), least)
    for level in (50, 75, 95):
        low, high = factors.widened(paths, level, least)
        inside = ((truth >= low) & (truth <= high)).mean()
        assert inside == pytest.approx(level / 100, abs=0.03)
