"""Sequences told apart, and numbers told of them: `SequenceClassifier`, `SequenceRegressor`."""

from statewise.tasks.classification.calibration import Calibration
from statewise.tasks.classification.classifier import SequenceClassifier
from statewise.tasks.classification.early import Decisions
from statewise.tasks.classification.explaining import Contributions
from statewise.tasks.classification.regressor import SequenceRegressor

__all__ = [
    "Calibration",
    "Contributions",
    "Decisions",
    "SequenceClassifier",
    "SequenceRegressor",
]
