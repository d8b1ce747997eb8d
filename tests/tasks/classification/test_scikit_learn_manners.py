"""scikit-learn's own checks of estimators, its cross-validation, grid search and pipelines."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn", minversion="1.6", reason="scikit-learn is one of the extra `test`")

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from statewise import SequenceClassifier, SequenceRegressor

QUICK = {"units": 3, "members": 1, "epochs": 15}

# A row of their tables is to us a sequence of one feature, (cases, time).
_LENGTH = "sequences may be of any length, so a row may be longer than those of fit"
_FRAMES = "a frame must say which column tells sequences apart"
_OTHER = {
    "check_n_features_in": "features_ counts those of a step, whatever the length of a sequence",
    "check_n_features_in_after_fitting": _LENGTH,
    "check_classifiers_train": _LENGTH,  # it wants the transposed table refused
    "check_regressors_train": "columns of a table aren't steps: 15 epochs don't tell them apart",
    "check_dataframe_column_names_consistency": _FRAMES,
    "check_classifier_data_not_an_array": _FRAMES,
    "check_regressor_data_not_an_array": _FRAMES,
}


def exempt(estimator):
    return _OTHER


with warnings.catch_warnings():  # it warns of each that isn't derived from a class of its own
    warnings.simplefilter("ignore", UserWarning)
    each_check = parametrize_with_checks(
        [SequenceClassifier(**QUICK), SequenceRegressor(**QUICK)], expected_failed_checks=exempt
    )


@pytest.mark.slow
@each_check
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def waves():
    rng = np.random.default_rng(0)
    speeds = np.tile([0.4, 1.2], 15)
    X = [
        np.sin(s * np.arange(n) + rng.uniform(0, 6))
        for s, n in zip(speeds, range(10, 40), strict=True)
    ]
    return X, np.where(speeds > 1, "fast", "slow")


@pytest.mark.slow
def test_it_is_one_of_theirs(waves):
    X, y = waves
    classifier = SequenceClassifier(**QUICK, class_weight={"fast": 2.0})
    assert is_classifier(classifier)
    assert is_regressor(SequenceRegressor())
    with pytest.raises(NotFittedError, match="not fitted yet"):
        classifier.predict(X)
    copy = clone(classifier)
    assert copy.get_params() == classifier.get_params()
    assert copy is not classifier
    with pytest.raises(ValueError, match="has no argument 'trees'"):
        classifier.set_params(trees=3)
    scores = cross_val_score(classifier, X, y, cv=3)  # ragged, cut by cases, class by class
    assert scores.shape == (3,)
    assert scores.mean() > 0.7
    told = cross_val_predict(clone(classifier), np.stack([x[:10] for x in X]), y, cv=2)
    assert set(told) <= {"fast", "slow"}


@pytest.mark.slow
def test_pipelines_and_grid_search(waves):
    X, y = waves
    nested = pd.DataFrame({"wave": [pd.Series(x) for x in X]})
    halved = FunctionTransformer(lambda frame: frame.map(lambda cell: cell / 2))
    search = GridSearchCV(
        make_pipeline(halved, SequenceClassifier(**QUICK)),
        {"sequenceclassifier__cell": ["gru", "rnn"]},
        cv=2,
    ).fit(nested, y)
    assert set(search.best_params_) == {"sequenceclassifier__cell"}
    assert search.predict(nested).shape == (30,)
    assert search.best_score_ > 0.6


def test_it_does_without_scikit_learn():
    program = """
import sys
sys.modules["sklearn"] = None
import numpy as np
from statewise import SequenceClassifier
try:
    SequenceClassifier().predict([[1.0]])
except ValueError as error:
    assert "not fitted yet" in str(error)
print(SequenceClassifier(units=2).get_params()["units"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "2\n", done.stderr
