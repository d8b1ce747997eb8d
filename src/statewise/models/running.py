"""`fit`, `evaluate` and `predict`, with the batches of an epoch in one compiled program."""

import warnings

import keras
import numpy as np
from keras.src.trainers.data_adapters import array_slicing, data_adapter_utils
from keras.src.utils.python_utils import pythonify_logs

from statewise.models.batches import KERAS_BATCH, Batches, plain_batch
from statewise.models.lane_batches import LaneBatches, batches_of
from statewise.models.pieces import evaluate_piece, predict_piece, train_piece
from statewise.models.programs import Span
from statewise.models.progress import (
    Pace,
    Timer,
    callback_list,
    nothing_to_tell,
    wants_every_batch,
)
from statewise.models.slots import quick_slots
from statewise.models.steps import Steps
from statewise.sequences import Lanes

# What an optimizer does at the end of a training, if it's nothing special.
_FINALIZE = keras.optimizers.Optimizer.finalize_variable_values


class Running(Steps):
    """What trains, evaluates and predicts; to be named before a Keras model in a class's bases."""

    def compile(self, *args, **kwargs):
        """Choose optimizer, loss and metrics, as Keras's ``compile`` does."""
        super().compile(*args, **kwargs)
        self._programs = self._lane_programs = None

    def compile_from_config(self, config):
        """Compile a loaded model as it was compiled when it was saved."""
        if type(self).compile is not Running.compile:
            super().compile_from_config(config)  # a user's own compile: Keras says what to do
            return
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            with quick_slots(self.optimizer):
                self.optimizer.build(self.trainable_variables)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Train for a number of epochs; same arguments, weights and history as Keras's ``fit``.

        The batches of an epoch run inside one compiled loop. The weights are written back at every
        look at it (each 0.2 to 1 s, every batch where a callback wants that), so an interruption
        loses nothing.

        ``x`` may be `statewise.sequences.Lanes`: then the model, built stateful or not, is trained
        by truncated backpropagation through time. The state is carried from chunk to chunk and
        begins anew where a new series does, gradients stay within a chunk, and the lanes say what
        the targets are and how the series are shuffled (``y``, ``batch_size``, ``sample_weight``
        and ``class_weight`` are refused, ``shuffle`` is not used).

        A stateful model goes on from the state it carries, with the last batch's state at the next
        epoch's begin, as ever; call `reset_states` between epochs, or let
        ``keras.callbacks.LambdaCallback`` do it, where each epoch begins the sequences anew.
        Validation begins at the state that training ended with (at the initial state if its batch
        size is another one) and leaves the training's state as it was.

        Raises:
            ValueError: where a stateful model would get batches of different sizes.
        """
        self._assert_compile_called("fit")
        most = keras.config.max_epochs()
        if most and most < epochs:
            warnings.warn(f"Keras's max_epochs limits epochs={epochs} to {most}.", stacklevel=2)
            epochs = most
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = array_slicing.train_validation_split(
                (x, y, sample_weight), validation_split=validation_split
            )
        batches = batches_of(
            x,
            y,
            sample_weight,
            batch_size=self._rows_of_a_batch(x, batch_size, steps_per_epoch),
            steps=steps_per_epoch,
            shuffle=shuffle,
            class_weight=class_weight,
        )
        programs = self._prepare(batches)
        validation = validation_programs = None
        if validation_data is not None:
            val_x, val_y, val_weight = data_adapter_utils.unpack_x_y_sample_weight(validation_data)
            lanes = isinstance(val_x, Lanes)
            validation = batches_of(
                val_x,
                val_y,
                val_weight,
                batch_size=None if lanes else validation_batch_size or batch_size,
                steps=validation_steps,
            )
            validation_programs = self._prepare(validation)
        callbacks = callback_list(
            self,
            callbacks,
            verbose=verbose,
            epochs=epochs,
            steps=batches.num_batches,
            history=True,
        )
        if self.stop_training:  # what a model is given it looks through for layers
            self.stop_training = False
        pace = Pace(
            programs.seconds,
            every_batch=wants_every_batch(callbacks, "train"),
            shown=callbacks._progbar is not None,
        )
        callbacks.on_train_begin()
        logs = {}
        silent = validation is None and nothing_to_tell(callbacks)
        epoch = self._initial_epoch or initial_epoch
        try:
            while epoch < epochs:
                programs.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                if silent and programs.joins_epochs and batches.room:
                    most = min(epochs - epoch, batches.room)
                    count = pace.epochs(max(batches.sizes()), batches.num_batches, most)
                    if count > 1:
                        for logs in self._train_epochs(programs, batches, pace, count):
                            callbacks.on_epoch_end(epoch, logs)
                            epoch += 1
                        continue
                logs = self._train_epoch(programs, batches, callbacks, pace)
                if validation is not None and self._should_eval(epoch, validation_freq):
                    values = self._validate(validation_programs, validation, callbacks)
                    logs |= {f"val_{name}": value for name, value in values.items()}
                callbacks.on_epoch_end(epoch, logs)
                epoch += 1
                if self.stop_training:
                    break
            callbacks.on_train_end(logs)
        finally:
            if epochs > 0:
                self._finish_optimizing()
        return self.history

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
        self._assert_compile_called("evaluate")
        batch_size = self._rows_of_a_batch(x, batch_size, steps)
        batches = batches_of(x, y, sample_weight, batch_size=batch_size, steps=steps)
        programs = self._prepare(batches)
        callbacks = callback_list(
            self, callbacks, verbose=verbose, epochs=1, steps=batches.num_batches
        )
        logs = self._test_epoch(programs, batches, callbacks)
        return logs if return_dict else self._flatten_metrics_in_order(logs)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Compute the outputs for ``x``; same arguments and results as Keras's ``predict``.

        A stateful model goes on from the state it carries, and keeps the state it ends with; its
        ``batch_size`` is by default that of its input, of the carried state, or all samples.

        Returns:
            NumPy arrays in the structure of the model's outputs, samples first. For lanes, one
            result ``(time, ...)`` for each series, in the series' own order and length, by key
            where the series have keys.
        """
        if isinstance(x, Lanes):
            x = x.without_targets()
        if verbose == 0 and callbacks is None and steps is None:
            piece = self._plain_batch(x)
            if piece is not None and piece.batch_size <= (batch_size or KERAS_BATCH):
                return predict_piece(self, self._programs, piece)
        batch_size = self._rows_of_a_batch(x, batch_size, steps)
        batches = batches_of(x, batch_size=batch_size, steps=steps)
        programs = self._prepare(batches, targets=False)
        callbacks = callback_list(
            self, callbacks, verbose=verbose, epochs=1, steps=batches.num_batches
        )
        self.stop_predicting = False
        callbacks.on_predict_begin()
        outputs = []
        programs.states.start_epoch()
        for piece in batches.epoch():
            callbacks.on_predict_batch_begin(piece.first)
            result = predict_piece(self, programs, piece)
            outputs.append(result)
            callbacks.on_predict_batch_end(piece.first + piece.steps - 1, {"outputs": result})
            if self.stop_predicting:
                break
        callbacks.on_predict_end()
        if isinstance(batches, LaneBatches):
            return batches.by_series(outputs)
        return (
            outputs[0]
            if len(outputs) == 1
            else keras.tree.map_structure_up_to(
                outputs[0], lambda *parts: np.concatenate(parts), *outputs
            )
        )

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Train on one batch; same arguments and results as Keras's ``train_on_batch``."""
        self._assert_compile_called("train_on_batch")
        batches = _one_batch(x, y, sample_weight, class_weight)
        programs = self._prepare(batches)
        programs.reset_metrics()
        (piece,) = batches.epoch()
        logs = pythonify_logs(train_piece(self, programs, piece, Span(0, 1, 1))[-1])
        return logs if return_dict else self._flatten_metrics_in_order(logs)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluate one batch; same arguments and results as Keras's ``test_on_batch``."""
        self._assert_compile_called("test_on_batch")
        batches = _one_batch(x, y, sample_weight)
        programs = self._prepare(batches)
        programs.reset_metrics()
        (piece,) = batches.epoch()
        logs = pythonify_logs(evaluate_piece(self, programs, piece))
        return logs if return_dict else self._flatten_metrics_in_order(logs)

    def predict_on_batch(self, x):
        """Compute the outputs for one batch; same result as Keras's ``predict_on_batch``."""
        piece = self._plain_batch(x)
        if piece is not None:
            return predict_piece(self, self._programs, piece)
        batches = _one_batch(x)
        programs = self._prepare(batches, targets=False)
        (piece,) = batches.epoch()
        return predict_piece(self, programs, piece)

    def _finish_optimizing(self):
        """Let the optimizer replace the weights by their moving averages, if it keeps some."""
        optimizer = self.optimizer
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            return
        own = type(optimizer).finalize_variable_values is not _FINALIZE
        if own or optimizer.use_ema:  # the weights are found by looking through all layers
            optimizer.finalize_variable_values(self.trainable_weights)

    def _plain_batch(self, x):
        """Return ``x`` as a batch that needs no preparation, or None where it needs some."""
        programs = getattr(self, "_programs", None)  # made once the model is built and checked
        # A stateful model's batches are cut by its state, not by the number of samples.
        return None if programs is None or programs.layers else plain_batch(x)

    def _train_epoch(self, programs, batches, callbacks, pace):
        logs = {}
        programs.states.start_epoch()
        for piece in batches.epoch():
            start = 0
            while start < piece.steps:
                stop = start + pace.steps(piece.batch_size, piece.steps - start)
                if pace.every_batch:
                    callbacks.on_train_batch_begin(piece.first + start)
                timer = Timer()
                span = Span(start, stop, piece.steps)
                logs = train_piece(self, programs, piece, span)[-1]
                pace.took(piece.batch_size, stop - start, timer.seconds())
                tell = callbacks if pace.every_batch else callbacks._progbar
                if tell is not None:
                    tell.on_train_batch_end(piece.first + stop - 1, pythonify_logs(logs))
                if self.stop_training:
                    return pythonify_logs(logs)
                start = stop
        if programs.own_train_step:
            logs = self._get_metrics_result_or_logs(logs)
        return pythonify_logs(logs)

    def _train_epochs(self, programs, batches, pace, count):
        """Train for several epochs in one call; return the logs of each."""
        (piece,) = batches.epoch(count)
        timer = Timer()
        logs = train_piece(self, programs, piece, Span(0, piece.steps, piece.steps, count))
        pace.took(piece.batch_size, count * piece.steps, timer.seconds())
        return [pythonify_logs(of_one) for of_one in logs]

    def _validate(self, programs, batches, callbacks):
        """Evaluate without leaving a trace in the training's states."""
        if isinstance(batches, LaneBatches):
            return self._test_epoch(programs, batches, callbacks)
        kept = [layer.memory.snapshot() for layer in programs.layers]
        for layer in programs.layers:
            if batches.sizes() != {layer.memory.batch}:
                layer.reset_state()
        try:
            return self._test_epoch(programs, batches, callbacks)
        finally:
            for layer, snapshot in zip(programs.layers, kept, strict=True):
                layer.memory.restore(snapshot)

    def _test_epoch(self, programs, batches, callbacks):
        self.stop_evaluating = False
        every_batch = wants_every_batch(callbacks, "test")
        callbacks.on_test_begin()
        programs.reset_metrics()
        programs.states.start_epoch()
        logs = {}
        for piece in batches.epoch():
            for start in range(piece.steps) if every_batch else (0,):
                stop = start + 1 if every_batch else piece.steps
                if every_batch:
                    callbacks.on_test_batch_begin(piece.first + start)
                logs = evaluate_piece(self, programs, piece, start, stop)
                if every_batch:
                    callbacks.on_test_batch_end(piece.first + start, pythonify_logs(logs))
                if self.stop_evaluating:
                    break
            if self.stop_evaluating:
                break
        if programs.own_test_step:
            logs = self._get_metrics_result_or_logs(logs)
        logs = pythonify_logs(logs)
        callbacks.on_test_end(logs)
        return logs


def _one_batch(x, y=None, sample_weight=None, class_weight=None) -> Batches:
    if isinstance(x, Lanes):
        raise TypeError(
            "x is lanes, which are many batches that continue one another; a method for one batch "
            "takes arrays. Give lanes to fit, evaluate or predict."
        )
    samples = next(a for a in keras.tree.flatten(x) if a is not None).shape[0]
    return Batches(x, y, sample_weight, batch_size=samples, class_weight=class_weight)
