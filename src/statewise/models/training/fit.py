"""`fit`: epochs of a training, each one call of a compiled program or a few."""

import warnings

import keras
import numpy as np
from keras.utils import unpack_x_y_sample_weight

from statewise._keras_compat import (
    check_compiled,
    first_epoch,
    progress_bar,
    pythonify_logs,
    results_or_logs,
    train_validation_split,
    validates,
)
from statewise.models.inputs import check_count
from statewise.models.structure import is_stateful
from statewise.models.training.agreement import least, stops
from statewise.models.training.checkpoints.no_saving import NoSaving
from statewise.models.training.checkpoints.options import checkpoints_of
from statewise.models.training.checkpoints.saving import Saving
from statewise.models.training.class_weights import ClassWeights
from statewise.models.training.evaluation import Evaluation
from statewise.models.training.lane_batches import batches_of
from statewise.models.training.piece import no_batch, samples_of
from statewise.models.training.piece_runs import train_piece
from statewise.models.training.programs import Span
from statewise.models.training.progress import Pace, Timer, callback_list, only_history
from statewise.models.training.turns import turns_of
from statewise.models.training.validation import SameBatches
from statewise.sequences import Lanes, WindowBatches

# What an optimizer does at the end of a training, if it's nothing special.
_FINALIZE = keras.optimizers.Optimizer.finalize_variable_values


class Fit(Evaluation):
    """What trains; to be named before a Keras model in a class's bases."""

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
        *,
        checkpoint=None,
        every=None,
        keep=None,
    ):
        """Train for a number of epochs; same arguments, weights and history as Keras's ``fit``.

        The batches of an epoch run inside one compiled loop. The weights are written back at every
        look at it (each 0.2 to 1 s, every batch where a callback wants that), so an interruption
        loses nothing.

        ``x`` may be `statewise.sequences.Lanes`: then the model, built stateful or not, is trained
        by truncated backpropagation through time. The state is carried from chunk to chunk and
        begins anew where a new series does, gradients stay within a chunk, and the lanes say what
        the targets are and how the series are shuffled (``y``, ``batch_size``, ``sample_weight``
        and ``class_weight`` are refused, ``shuffle`` is not used). The same holds for windows that
        are read in batches (``statewise.sequences.windows`` with ``batch``), but for the state.

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

        With ``checkpoint``, a folder, the training's whole state is written there as it goes, and
        a training that was killed goes on where the newest checkpoint was written when ``fit`` is
        called again with the same arguments: its weights and its history become those of a
        training that was never interrupted, to the bit. ``every`` says how often (a number of
        batches, a `datetime.timedelta`, or "epoch", which is the default), ``keep`` how many stay
        (3); `Checkpoints` has more to choose.

        Raises:
            ValueError: where a stateful model would get batches of different sizes; where there are
                no samples; where the checkpoint is of another training, or damaged.
            TypeError: where ``class_weight`` isn't weights by the numbers of classes.
            OSError: where a checkpoint can't be written; the one before stays whole.
        """
        checkpoints = checkpoints_of(checkpoint, every, keep)
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
        if validation_batch_size is None:
            validation_batch_size = batch_size
        validation, validation_programs = self._validation(
            validation_data, validation_batch_size, validation_steps
        )
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
        batches.gathers = turns is None
        pace = Pace(
            programs.seconds,
            every_batch=turns is not None and self.steps_per_execution == 1,
            shown=progress_bar(callbacks) is not None,
        )
        saving = NoSaving()
        if checkpoints is not None:
            saving = Saving(
                checkpoints,
                model=self,
                batches=batches,
                programs=programs,
                validation=validation,
                callbacks=callbacks,
                initial_epoch=initial_epoch,
                say=print if verbose else None,
            )
        callbacks.on_train_begin()
        silent = validation is None and only_history(callbacks)
        epoch, logs = saving.begin(first_epoch(self) or initial_epoch, epochs)
        finished = False
        try:
            while epoch < epochs:
                programs.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                if silent and programs.joins_epochs and batches.epochs_at_once:
                    most = min(epochs - epoch, batches.epochs_at_once)
                    steps = batches.num_batches
                    count = pace.epochs(max(batches.sizes()), steps, saving.epochs(most, steps))
                    if count > 1:
                        for logs in self._train_epochs(programs, batches, pace, count):
                            callbacks.on_epoch_end(epoch, logs)
                            epoch += 1
                        saving.epoch_ended(epoch, logs, count * steps)
                        continue
                trained = self._train_epoch(programs, batches, callbacks, pace, turns, saving)
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
                stopping = stops(self, programs.shares)
                saving.epoch_ended(epoch, logs)
                if stopping:
                    break
            finished = True
        finally:
            if epochs > 0:
                self._finish_optimizing()
            if finished:  # after that, as in Keras: early stopping brings back its best weights
                callbacks.on_train_end(logs)
        return self.history

    def _validation(self, data, batch_size, steps):
        """Return the batches to validate on and their programs, or None and None without data."""
        if data is None:
            return None, None
        x, y, weights = unpack_x_y_sample_weight(data)
        turn = self.steps_per_execution
        if isinstance(x, Lanes):
            batches = batches_of(x, y, weights, steps=steps, steps_per_execution=turn)
            return batches, self._prepare(batches)
        if isinstance(x, WindowBatches):
            x = x.in_order()
        if samples_of(x) == 0:
            raise ValueError("validation_data holds no samples. Give some, or None.")
        size = self._rows_of_a_batch(x, batch_size, steps)
        batches = batches_of(x, y, weights, batch_size=size, steps=steps, steps_per_execution=turn)
        programs = self._prepare(batches)
        return SameBatches(batches), programs

    def _train_epoch(self, programs, batches, callbacks, pace, turns, saving):
        """Train for an epoch; return its logs, or None where no batch came."""
        bar = progress_bar(callbacks)
        programs.states.start_epoch()
        logs = saving.enter_epoch()
        for piece in batches.epoch():
            start = saving.done(piece)
            while start < piece.steps:
                batch = piece.first + start
                most = piece.steps - start
                if turns:
                    most = min(most, turns.batches_left(batch))
                    turns.begin(batch)
                most = pace.steps(piece.batch_size, saving.steps(most))
                stop = start + least(most, programs.shares)
                timer = Timer()
                span = Span(start, stop, piece.steps)
                logs = train_piece(self, programs, piece, span)[-1]
                pace.took(piece.batch_size, stop - start, timer.seconds())
                last, first, start = piece.first + stop - 1, start, stop
                between = True
                if turns:
                    between = turns.end(last, pythonify_logs(logs))
                elif bar is not None:
                    bar.on_train_batch_end(last, pythonify_logs(logs))
                stopping = stops(self, programs.shares)
                saving.trained(piece, first, stop, logs, between=between)
                if stopping:
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

    def _finish_optimizing(self):
        """Let the optimizer replace the weights by their moving averages, if it keeps some."""
        optimizer = self.optimizer
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            return
        own = type(optimizer).finalize_variable_values is not _FINALIZE
        if own or optimizer.use_ema:  # the weights are found by looking through all layers
            optimizer.finalize_variable_values(self.trainable_weights)
