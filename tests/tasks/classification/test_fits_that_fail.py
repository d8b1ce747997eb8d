"""A fit that doesn't come to its end leaves what was learned before, whole."""

import numpy as np
import pytest

from statewise import SequenceClassifier, SequenceRegressor

X = [np.sin(0.5 * np.arange(length) + length) for length in range(6, 14)]
CASES = {
    SequenceClassifier: (["slow", "fast"] * 4, ["a", "b"] * 4, "predict_proba"),
    SequenceRegressor: (np.arange(8.0), 1000.0 + np.arange(8), "predict"),
}


def stop(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("kind", CASES)
def test_an_interrupted_fit_leaves_what_was_learned(kind):
    first, other, tell = CASES[kind]
    made = kind(units=2, members=1, epochs=2, bidirectional=False).fit(X, first)
    before, told = dict(vars(made)), getattr(made, tell)(X)
    with pytest.raises(KeyboardInterrupt):
        made.fit([100 * x + 7 for x in X], other, progress=stop)
    assert vars(made) == before
    np.testing.assert_array_equal(getattr(made, tell)(X), told)
    made.set_params(per_step=True)  # asks for another fit; what is told is of this one
    np.testing.assert_array_equal(getattr(made, tell)(X), told)


@pytest.mark.parametrize("kind", CASES)
def test_an_interrupted_first_fit_leaves_none(kind):
    made = kind(units=2, members=1, epochs=2)
    with pytest.raises(KeyboardInterrupt):
        made.fit(X, CASES[kind][0], progress=stop)
    with pytest.raises(ValueError, match="not fitted yet"):
        made.predict(X)
