"""`train_on_batch`, `test_on_batch` and `predict_on_batch`."""

from statewise._keras_compat import check_compiled, pythonify_logs, results_in_order
from statewise.models.training.batches import Batches
from statewise.models.training.class_weights import ClassWeights
from statewise.models.training.evaluation import Evaluation
from statewise.models.training.piece import samples_of
from statewise.models.training.piece_runs import (
    evaluate_piece,
    no_outputs,
    predict_piece,
    train_piece,
)
from statewise.models.training.programs import Span
from statewise.sequences import Lanes


class SingleBatches(Evaluation):
    """What takes one batch; to be named before a Keras model in a class's bases."""

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Train on one batch; same arguments and results as Keras's ``train_on_batch``."""
        check_compiled(self, "train_on_batch")
        self._refuse_own("make_train_function", "train_step")
        if class_weight is not None:
            class_weight = ClassWeights(self, class_weight)
        batches = _one_batch(x, y, sample_weight, class_weight)
        programs = self._prepare(batches)
        programs.reset_metrics()
        (piece,) = batches.epoch()
        logs = pythonify_logs(train_piece(self, programs, piece, Span(0, 1, 1))[-1])
        return logs if return_dict else results_in_order(self, logs)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluate one batch; same arguments and results as Keras's ``test_on_batch``."""
        check_compiled(self, "test_on_batch")
        self._refuse_own("make_test_function", "test_step")
        batches = _one_batch(x, y, sample_weight)
        programs = self._prepare(batches)
        programs.reset_metrics()
        (piece,) = batches.epoch()
        logs = pythonify_logs(evaluate_piece(self, programs, piece))
        return logs if return_dict else results_in_order(self, logs)

    def predict_on_batch(self, x):
        """Compute the outputs for one batch; same result as Keras's ``predict_on_batch``."""
        self._refuse_own("make_predict_function", "predict_step")
        piece = self._plain_batch(x)
        if piece is not None:
            return predict_piece(self, self._programs, piece)
        if samples_of(x) == 0:
            return no_outputs(self, x)
        batches = _one_batch(x)
        programs = self._prepare(batches, targets=False)
        (piece,) = batches.epoch()
        return predict_piece(self, programs, piece)


def _one_batch(x, y=None, sample_weight=None, class_weight=None) -> Batches:
    if isinstance(x, Lanes):
        raise TypeError(
            "x is lanes, which are many batches that continue one another; a method for one batch "
            "takes arrays. Give lanes to fit, evaluate or predict."
        )
    return Batches(x, y, sample_weight, batch_size=samples_of(x), class_weight=class_weight)
