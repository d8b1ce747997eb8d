"""`fit`, `evaluate` and `predict`, with the batches of an epoch in one compiled program."""

from statewise.models.training.fit import Fit
from statewise.models.training.single_batches import SingleBatches


class Running(Fit, SingleBatches):
    """What trains, evaluates and predicts; to be named before a Keras model in a class's bases."""
