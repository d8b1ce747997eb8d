import numpy as np
import pytest

from statewise.tasks import diebold_mariano
from statewise.tasks.evaluation.significance import compare


def test_by_hand():
    d = np.array([1.0, 2.0, 3.0, 4.0])
    # Mean 2.5, variance 1.25 / 4, corrected by (4 + 1 - 2) / 4: t = 3.873 with 3 degrees.
    assert diebold_mariano(d, np.zeros(4)) == pytest.approx(0.0305, abs=5e-5)
    # Autocovariance 0.3125 at lag 1; (4 + 1 - 4 + 0.5) / 4: t = 2.236.
    assert diebold_mariano(d, np.zeros(4), overlap=2) == pytest.approx(0.1114, abs=5e-5)


def test_the_level_holds_where_forecasts_are_equally_good(rng):
    losses = np.abs(rng.normal(size=(2, 2000, 20)))
    p = [diebold_mariano(a, b) for a, b in zip(*losses, strict=True)]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.07


def test_overlapping_forecasts_need_their_autocovariances(rng):
    errors = rng.normal(size=(500, 203))
    moving = sum(errors[:, lag : lag + 200] for lag in range(4))  # of four steps each
    zero = np.zeros(200)
    naive = np.mean([diebold_mariano(d, zero) < 0.05 for d in moving])
    right = np.mean([diebold_mariano(d, zero, overlap=4) < 0.05 for d in moving])
    assert naive > 0.2
    assert right < 0.1


def test_no_difference_and_a_constant_one():
    assert diebold_mariano(np.ones(9), np.ones(9)) == 1.0
    assert diebold_mariano(np.ones(9), np.zeros(9)) == 0.0


@pytest.mark.parametrize(
    ("a", "b", "overlap", "words"),
    [
        (np.ones(3), np.ones(4), 1, "both must be"),
        (np.ones(2), np.ones(2), 1, "2 origins"),
        (np.ones(5), np.ones(5), 5, "overlap=5"),
    ],
)
def test_refuses(a, b, overlap, words):
    with pytest.raises(ValueError, match=words):
        diebold_mariano(a, b, overlap=overlap)


def test_the_test_that_assumes_least_is_taken(rng):
    base = np.abs(rng.normal(size=(12, 9)))
    worse = base + 0.2 + 0.1 * rng.normal(size=base.shape)
    many_origins = compare(base, worse)
    assert many_origins.test == "Diebold-Mariano test over 9 windows"
    assert many_origins.significant
    many_series = compare(base[:, :2], worse[:, :2])
    assert many_series.test == "Wilcoxon's signed-rank test over 12 series"
    assert many_series.significant
    few = compare(base[:3, :3], worse[:3, :3])
    assert not few.significant
    assert "no test" in str(few)


def test_series_that_go_along_with_each_other_count_once_over_origins(rng):
    """One shock common to all series decides each window: there is no evidence in many series."""
    significant = 0
    for _ in range(200):
        shock = rng.normal(size=10)
        losses = 5 + shock + 0.01 * rng.normal(size=(50, 10))
        significant += compare(losses, np.full((50, 10), 5.0)).significant
    assert significant < 25


def test_missing_losses_count_nowhere():
    losses, others = np.ones((9, 2)), np.full((9, 2), 2.0)
    losses[3] = np.nan
    assert compare(losses, others).count == 8
