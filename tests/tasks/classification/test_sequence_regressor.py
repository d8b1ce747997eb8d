"""A regressor tells numbers of sequences and of steps, in their own unit."""

import numpy as np
import pytest

from statewise import SequenceRegressor
from statewise.sequences import DataError


@pytest.fixture(scope="module")
def walks():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(4, 15, 90)]
    return X, np.array([1000 + 50 * x[:, 0].mean() for x in X])


@pytest.fixture(scope="module")
def fitted(walks):
    X, y = walks
    return SequenceRegressor(units=6, members=1, epochs=60).fit(X[:60], y[:60])


def test_it_tells_means(fitted, walks):
    X, y = walks
    assert fitted.score(X[60:], y[60:]) > 0.8
    told = fitted.predict(X[60:])
    assert told.shape == (30,)
    truth = y[60:]
    by_hand = 1 - ((truth - told) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert fitted.score(X[60:], truth) == pytest.approx(by_hand)
    np.testing.assert_array_equal(fitted.predict([X[70]]), told[10:11])


def test_saved_and_loaded(fitted, walks, tmp_path):
    fitted.save(tmp_path / "a")
    again = SequenceRegressor.load(tmp_path / "a")
    np.testing.assert_array_equal(again.predict(walks[0]), fitted.predict(walks[0]))
    assert again.get_params() == fitted.get_params()


def test_contributions_are_in_the_unit_of_the_number(fitted, walks):
    x = walks[0][61]
    (one,) = fitted.explain([x])
    assert one.told == fitted.predict([x])[0]
    t, step = 2, 0.02
    above, below = x.copy(), x.copy()
    above[t, 0] += step
    below[t, 0] -= step
    slope = (fitted.predict([above]) - fitted.predict([below]))[0] / (2 * step)
    scale = fitted._scale
    wanted = slope * (x[t, 0] - scale.shift[0])
    assert one.contributions[t, 0] == pytest.approx(wanted, rel=0.03, abs=0.05)
    with pytest.raises(ValueError, match="output must be from 0 to 0, but is 1"):
        fitted.explain([x], output=1)


@pytest.mark.slow
def test_several_numbers_and_one_for_each_step(walks):
    X, _ = walks
    y = np.array([[x[:, 0].mean(), 5 - x[:, 1].mean()] for x in X])
    both = SequenceRegressor(units=6, members=1, epochs=40).fit(X, y)
    assert both.outputs_ == 2
    assert both.predict(X).shape == (90, 2)
    assert both.score(X, y) > 0.5
    with pytest.raises(DataError, match="1 numbers for each, but 2 were learned from"):
        both.score(X, y[:, 0])
    sums = [x[:, 0].cumsum() for x in X]
    steps = SequenceRegressor(
        units=8, members=1, epochs=40, per_step=True, bidirectional=False
    ).fit(X, sums)
    assert steps.score(X, sums) > 0.5
    assert [len(one) for one in steps.predict(X[:3])] == [len(x) for x in X[:3]]


def test_wrong_numbers_are_refused(fitted, walks):
    X, _ = walks
    with pytest.raises(DataError, match="y must hold numbers"):
        SequenceRegressor().fit(X, ["a"] * 90)
    with pytest.raises(DataError, match="all the same"):
        fitted.score(X[:3], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="not fitted yet"):
        SequenceRegressor().predict(X)
    constant = SequenceRegressor(units=6, members=1, epochs=1).fit(X[:60], np.full(60, 7.0))
    np.testing.assert_allclose(constant.predict(X), 7, atol=2)
