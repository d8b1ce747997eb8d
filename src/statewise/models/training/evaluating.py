"""One run of evaluation or prediction: its pieces run, its callbacks called."""

import keras
import numpy as np

from statewise._keras_compat import pythonify_logs, results_or_logs
from statewise.models.training.batches import no_batch
from statewise.models.training.lane_batches import LaneBatches
from statewise.models.training.pieces import evaluate_piece, predict_piece, rows_of_piece
from statewise.models.training.steps import Steps
from statewise.models.training.turns import Turns, turns_of


class Evaluating(Steps):
    """What evaluates and predicts; to be named before a Keras model in a class's bases."""

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
        outputs, of_turn = [], []

        def tell(last, result):
            outputs.append(result)
            callbacks.on_predict_batch_end(last, {"outputs": result})

        if turns:
            turns = Turns(
                callbacks.on_predict_batch_begin,
                lambda last, parts: tell(last, joined(parts)),
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
                tell(piece.first + piece.steps - 1, result)
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


def _spans(batches, turns: Turns | None):
    """Yield what to run in one call: whole pieces, or of these what belongs to one turn."""
    for piece in batches.epoch():
        start = 0
        while start < piece.steps:
            stop = piece.steps
            if turns:
                stop = min(stop, start + turns.room(piece.first + start))
            yield piece, start, stop
            start = stop


def joined(outputs: list):
    """Return the outputs of several pieces as one, samples first."""
    if len(outputs) == 1:
        return outputs[0]
    return keras.tree.map_structure_up_to(
        outputs[0], lambda *parts: np.concatenate(parts), *outputs
    )
