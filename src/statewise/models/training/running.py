"""`fit`, `evaluate` and `predict`, with the batches of an epoch in one compiled program."""

import warnings

import keras
import numpy as np
from keras.utils import unpack_x_y_sample_weight

from statewise._keras_compat import (
    check_compiled,
    first_epoch,
    progress_bar,
    pythonify_logs,
    results_in_order,
    results_or_logs,
    structure_of,
    train_validation_split,
    validates,
)
from statewise.models.inputs import check_count
from statewise.models.structure import is_stateful
from statewise.models.training.batches import (
    KERAS_BATCH,
    Batches,
    no_batch,
    plain_batch,
    samples_of,
)
from statewise.models.training.class_weights import ClassWeights
from statewise.models.training.evaluating import Evaluating, joined
from statewise.models.training.lane_batches import LaneBatches, batches_of
from statewise.models.training.optimizer_variables import quick_slots
from statewise.models.training.pieces import (
    evaluate_piece,
    no_outputs,
    predict_piece,
    train_piece,
)
from statewise.models.training.programs import Span
from statewise.models.training.progress import (
    Pace,
    Timer,
    callback_list,
    nothing_to_tell,
)
from statewise.models.training.turns import turns_of
from statewise.models.training.validation import SameBatches
from statewise.sequences import Lanes

# What an optimizer does at the end of a training, if it's nothing special.
_FINALIZE = keras.optimizers.Optimizer.finalize_variable_values


class Running(Evaluating):
    """What trains, evaluates and predicts; to be named before a Keras model in a class's bases."""

    def compile(self, *args, **kwargs):
        """Choose optimizer, loss and metrics, as Keras's ``compile`` does."""
        super().compile(*args, **kwargs)
        self._programs = self._lane_programs = None

    def make_train_function(self, force=False):
        """Let ``train_step`` be compiled anew if forced, as in Keras; `fit` compiles on its own."""
        self._forget_programs(force)
        super().make_train_function(force)

    def make_test_function(self, force=False):
        """Let ``test_step`` be compiled anew if forced."""
        self._forget_programs(force)
        super().make_test_function(force)

    def make_predict_function(self, force=False):
        """Let ``predict_step`` be compiled anew if forced."""
        self._forget_programs(force)
        return super().make_predict_function(force)

    def _refuse_own(self, name, instead):
        """Refuse a subclass whose function of that name would be passed over."""
        if getattr(type(self), name) is not getattr(Running, name):
            raise ValueError(
                f"{type(self).__name__} has a {name} of its own, which is not used: the batches of "
                f"an epoch run in one compiled program. Write a {instead} of your own instead, or "
                "derive the model from keras.Model."
            )

    def _forget_programs(self, wanted):
        if wanted:
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
        shuffle="auto",
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

        ``shuffle`` is by default True, as in Keras, but False for a stateful model: each row of its
        batches goes on from the state that the same row of the batch before ended with, so shuffled
        samples would go on from the states of others.

        ``class_weight`` may weigh sequences: where ``y`` has a class for each step, each step is
        weighed by its own, for numbers ``(batch, time)`` and one-hot ``(batch, time, classes)``.

        Validation sees the same batches after each epoch, the first ``validation_steps`` of them;
        those of a generator, which can't begin anew, are kept.

        Raises:
            ValueError: where a stateful model would get batches of different sizes; where there are
                no samples.
            TypeError: where ``class_weight`` isn't weights by the numbers of classes.
        """
        check_compiled(self, "fit")
        self._refuse_own("make_train_function", "train_step")
        epochs = check_count(epochs, "epochs", "epochs", 0)
        initial_epoch = check_count(initial_epoch, "initial_epoch", "epochs", 0)
        if isinstance(validation_freq, np.integer):
            validation_freq = int(validation_freq)
        most = keras.config.max_epochs()
        if most and most < epochs:
            warnings.warn(f"Keras's max_epochs limits epochs={epochs} to {most}.", stacklevel=2)
            epochs = most
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = train_validation_split(
                (x, y, sample_weight), validation_split=validation_split
            )
        batches = batches_of(
            x,
            y,
            sample_weight,
            batch_size=self._rows_of_a_batch(x, batch_size, steps_per_epoch),
            steps=steps_per_epoch,
            shuffle=not is_stateful(self) if shuffle == "auto" else shuffle,
            class_weight=None if class_weight is None else ClassWeights(self, class_weight),
            steps_per_execution=self.steps_per_execution,
        )
        programs = self._prepare(batches)
        validation = validation_programs = None
        if validation_data is not None:
            val_x, val_y, val_weight = unpack_x_y_sample_weight(validation_data)
            lanes = isinstance(val_x, Lanes)
            if validation_batch_size is None:
                validation_batch_size = batch_size
            if not lanes and samples_of(val_x) == 0:
                raise ValueError("validation_data holds no samples. Give some, or None.")
            validation = batches_of(
                val_x,
                val_y,
                val_weight,
                batch_size=None
                if lanes
                else self._rows_of_a_batch(val_x, validation_batch_size, validation_steps),
                steps=validation_steps,
                steps_per_execution=self.steps_per_execution,
            )
            validation_programs = self._prepare(validation)
            if not lanes:
                validation = SameBatches(validation)
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
        turns = turns_of(callbacks, "train", self.steps_per_execution)
        pace = Pace(
            programs.seconds,
            every_batch=turns is not None and self.steps_per_execution == 1,
            shown=progress_bar(callbacks) is not None,
        )
        callbacks.on_train_begin()
        logs = {}
        silent = validation is None and nothing_to_tell(callbacks)
        epoch = first_epoch(self) or initial_epoch
        finished = False
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
                trained = self._train_epoch(programs, batches, callbacks, pace, turns)
                if trained is None and not logs:
                    raise no_batch()
                if trained is None:
                    break  # a generator has given all it had, and Keras's reader has said so
                logs = trained
                if validation is not None and validates(self, epoch, validation_freq):
                    values = self._validate(validation_programs, validation, callbacks)
                    logs |= {f"val_{name}": value for name, value in values.items()}
                callbacks.on_epoch_end(epoch, logs)
                epoch += 1
                if self.stop_training:
                    break
            finished = True
        finally:
            if epochs > 0:
                self._finish_optimizing()
            if finished:  # after that, as in Keras: early stopping brings back its best weights
                callbacks.on_train_end(logs)
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
        check_compiled(self, "evaluate")
        self._refuse_own("make_test_function", "test_step")
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
        if programs is None or programs.layers or programs.structure != structure_of(self):
            return None
        return plain_batch(x)

    def _train_epoch(self, programs, batches, callbacks, pace, turns):
        """Train for an epoch; return its logs, or None where no batch came."""
        logs, bar = None, progress_bar(callbacks)
        programs.states.start_epoch()
        for piece in batches.epoch():
            start = 0
            while start < piece.steps:
                batch = piece.first + start
                most = piece.steps - start
                if turns:
                    most = min(most, turns.room(batch))
                    turns.begin(batch)
                stop = start + pace.steps(piece.batch_size, most)
                timer = Timer()
                span = Span(start, stop, piece.steps)
                logs = train_piece(self, programs, piece, span)[-1]
                pace.took(piece.batch_size, stop - start, timer.seconds())
                last, start = piece.first + stop - 1, stop
                if turns:
                    turns.end(last, pythonify_logs(logs))
                elif bar is not None:
                    bar.on_train_batch_end(last, pythonify_logs(logs))
                if self.stop_training:
                    return pythonify_logs(logs)
        if logs is None:
            return None
        if turns:
            turns.finish(pythonify_logs(logs))
        if programs.own_train_step:
            logs = results_or_logs(self, logs)
        return pythonify_logs(logs)

    def _train_epochs(self, programs, batches, pace, count):
        """Train for several epochs in one call; return the logs of each."""
        (piece,) = batches.epoch(count)
        timer = Timer()
        logs = train_piece(self, programs, piece, Span(0, piece.steps, piece.steps, count))
        pace.took(piece.batch_size, count * piece.steps, timer.seconds())
        return [pythonify_logs(of_one) for of_one in logs]


def _one_batch(x, y=None, sample_weight=None, class_weight=None) -> Batches:
    if isinstance(x, Lanes):
        raise TypeError(
            "x is lanes, which are many batches that continue one another; a method for one batch "
            "takes arrays. Give lanes to fit, evaluate or predict."
        )
    return Batches(x, y, sample_weight, batch_size=samples_of(x), class_weight=class_weight)
