"""`evaluate` and `predict`: pieces run, callbacks called."""

import keras
import numpy as np

from statewise._keras_compat import (
    check_compiled,
    pythonify_logs,
    results_in_order,
    results_or_logs,
    structure_of,
)
from statewise.models.inputs import check_count
from statewise.models.training.batches import KERAS_BATCH
from statewise.models.training.compilation import Compilation
from statewise.models.training.lane_batches import LaneBatches, batches_of
from statewise.models.training.piece import no_batch, plain_batch, samples_of
from statewise.models.training.piece_runs import (
    evaluate_piece,
    no_outputs,
    predict_piece,
    rows_of_piece,
)
from statewise.models.training.progress import callback_list
from statewise.models.training.turns import Turns, turns_of
from statewise.sequences import Lanes, WindowBatches


class Evaluation(Compilation):
    """What evaluates and predicts; to be named before a Keras model in a class's bases."""

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
    ):
        """Compute loss and metrics; same arguments and results as Keras's ``evaluate``.

        A stateful model goes on from the state it carries, and keeps the state it ends with; its
        ``batch_size`` is by default that of its input, of the carried state, or all samples.
        """
        check_compiled(self, "evaluate")
        self._refuse_own("make_test_function", "test_step")
        if isinstance(x, WindowBatches):
            x = x.in_order()
        batch_size = self._rows_of_a_batch(x, batch_size, steps)
        turn = self.steps_per_execution
        batches = batches_of(
            x, y, sample_weight, batch_size=batch_size, steps=steps, steps_per_execution=turn
        )
        programs = self._prepare(batches)
        callbacks = callback_list(
            self, callbacks, verbose=verbose, epochs=1, steps=batches.num_batches
        )
        logs = self._test_epoch(programs, batches, callbacks)
        return logs if return_dict else results_in_order(self, logs)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Compute the outputs for ``x``; same arguments and results as Keras's ``predict``.

        A stateful model goes on from the state it carries, and keeps the state it ends with; its
        ``batch_size`` is by default that of its input, of the carried state, or all samples.

        Returns:
            NumPy arrays in the structure of the model's outputs, samples first. For lanes, one
            result ``(time, ...)`` for each series, in the series' own order and length, by key
            where the series have keys.
        """
        self._refuse_own("make_predict_function", "predict_step")
        if isinstance(x, Lanes):
            x = x.without_targets()
        elif isinstance(x, WindowBatches):
            x = x.in_order()
        elif samples_of(x) == 0:
            return no_outputs(self, x)
        if batch_size is not None:
            batch_size = check_count(batch_size, "batch_size", "samples")
        if verbose == 0 and callbacks is None and steps is None:
            piece = self._plain_batch(x)
            if piece is not None and piece.batch_size <= (batch_size or KERAS_BATCH):
                return predict_piece(self, self._programs, piece)
        batch_size = self._rows_of_a_batch(x, batch_size, steps)
        turn = self.steps_per_execution
        batches = batches_of(x, batch_size=batch_size, steps=steps, steps_per_execution=turn)
        programs = self._prepare(batches, targets=False)
        callbacks = callback_list(
            self, callbacks, verbose=verbose, epochs=1, steps=batches.num_batches
        )
        self.stop_predicting = False
        callbacks.on_predict_begin()
        outputs = self._predict_epoch(programs, batches, callbacks)
        callbacks.on_predict_end()
        if isinstance(batches, LaneBatches):
            return batches.by_series(outputs)
        return joined(outputs)

    def _validate(self, programs, batches, callbacks):
        """Evaluate without leaving a trace in the training's states."""
        if isinstance(batches, LaneBatches):
            return self._test_epoch(programs, batches, callbacks)
        kept = [layer.memory.snapshot() for layer in programs.layers]
        for layer in programs.layers:
            if batches.sizes() != {layer.memory.batch_size}:
                layer.reset_state()
        try:
            return self._test_epoch(programs, batches, callbacks)
        finally:
            for layer, snapshot in zip(programs.layers, kept, strict=True):
                layer.memory.restore(snapshot)

    def _test_epoch(self, programs, batches, callbacks):
        self.stop_evaluating = False
        turns = turns_of(callbacks, "test", self.steps_per_execution)
        batches.gathers = turns is None
        callbacks.on_test_begin()
        programs.reset_metrics()
        programs.states.start_epoch()
        logs = None
        for piece, start, stop in _spans(batches, turns):
            if turns:
                turns.begin(piece.first + start)
            logs = evaluate_piece(self, programs, piece, start, stop)
            if turns:
                turns.end(piece.first + stop - 1, pythonify_logs(logs))
            if self.stop_evaluating:
                break
        if logs is None:
            raise no_batch()
        if turns:
            turns.finish(pythonify_logs(logs))
        if programs.own_test_step:
            logs = results_or_logs(self, logs)
        logs = pythonify_logs(logs)
        callbacks.on_test_end(logs)
        return logs

    def _predict_epoch(self, programs, batches, callbacks):
        """Return the outputs of the pieces of an epoch, or of its turns if callbacks want those."""
        turns = turns_of(callbacks, "predict", self.steps_per_execution)
        batches.gathers = turns is None
        outputs, of_turn = [], []

        def report(last, result):
            outputs.append(result)
            callbacks.on_predict_batch_end(last, {"outputs": result})

        if turns:
            turns = Turns(
                callbacks.on_predict_batch_begin,
                lambda last, parts: report(last, joined(parts)),
                self.steps_per_execution,
            )
        programs.states.start_epoch()
        for piece, start, stop in _spans(batches, turns):
            if turns is None:
                callbacks.on_predict_batch_begin(piece.first)
            else:
                turns.begin(piece.first + start)
            result = predict_piece(self, programs, rows_of_piece(piece, start, stop))
            if turns is None:
                report(piece.first + piece.steps - 1, result)
            else:
                of_turn.append(result)
                if turns.end(piece.first + stop - 1, of_turn):
                    of_turn = []
            if self.stop_predicting:
                break
        if of_turn:
            turns.finish(of_turn)
        if not outputs:
            raise no_batch()
        return outputs

    def _plain_batch(self, x):
        """Return ``x`` as a batch that needs no preparation, or None where it needs some."""
        programs = getattr(self, "_programs", None)  # made once the model is built and checked
        # A stateful model's batches are cut by its state, not by the number of samples.
        if programs is None or programs.layers or programs.structure != structure_of(self):
            return None
        return plain_batch(x)


def _spans(batches, turns: Turns | None):
    """Yield what to run in one call: whole pieces, or of these what belongs to one turn."""
    for piece in batches.epoch():
        start = 0
        while start < piece.steps:
            stop = piece.steps
            if turns:
                stop = min(stop, start + turns.batches_left(piece.first + start))
            yield piece, start, stop
            start = stop


def joined(outputs: list):
    """Return the outputs of several pieces as one, samples first."""
    if len(outputs) == 1:
        return outputs[0]
    return keras.tree.map_structure_up_to(
        outputs[0], lambda *parts: np.concatenate(parts), *outputs
    )
