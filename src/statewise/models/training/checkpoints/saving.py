"""What `fit` calls on its way: where a training goes on, and when a checkpoint is written."""

import time
import warnings
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from keras.callbacks import BackupAndRestore, CallbackList, CSVLogger

from statewise._keras_compat import pythonify_logs
from statewise.models.training.agreement import all_free, check_alike
from statewise.models.training.batches import Batches
from statewise.models.training.checkpoints import callback_states, contents
from statewise.models.training.checkpoints.folder import Folder, Read
from statewise.models.training.checkpoints.identity import (
    check_same,
    facts_of_data,
    facts_of_model,
    versions,
)
from statewise.models.training.checkpoints.no_saving import NoSaving
from statewise.models.training.checkpoints.options import Checkpoints
from statewise.models.training.checkpoints.randomness import RandomState
from statewise.models.training.checkpoints.replay import (
    Witness,
    check_witness,
    is_read,
    replay_epochs,
    settle,
)
from statewise.models.training.checkpoints.validations import Validations
from statewise.models.training.checkpoints.values import decoded, encoded, keepable
from statewise.models.training.lane_batches import LaneBatches
from statewise.models.training.piece import Piece
from statewise.models.training.programs import Programs
from statewise.models.training.window_pieces import WindowPieces


class Saving(NoSaving):
    """A training with checkpoints.

    Args:
        checkpoints: what was asked for.
        model: compiled and built.
        batches: to train on.
        programs: those of the training.
        validation: what is validated on, or None.
        callbacks: of the training.
        initial_epoch: with which it begins where there is no checkpoint.
        say: says what is done.

    Raises:
        ValueError: where the newest checkpoint is of another training, or none is whole.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        *,
        model,
        batches: Batches | LaneBatches | WindowPieces,
        programs: Programs,
        validation,
        callbacks: CallbackList,
        initial_epoch: int,
        say,
    ):
        if any(isinstance(c, BackupAndRestore) for c in callbacks.callbacks):
            raise ValueError(
                "checkpoint came beside the callback BackupAndRestore, and both say where a "
                "training goes on. Leave one of them out."
            )
        self._every = checkpoints.every
        self._model, self._batches, self._programs = model, batches, programs
        self._read = is_read(batches)
        self._validations, self._say = Validations(validation), say or (lambda text: None)
        self._callbacks = callback_states.kept_callbacks(callbacks)
        self._shares = programs.shares
        # Of several processes the first writes; all read, and go on from the same one.
        self._writes = self._shares is None or self._shares.first
        self._folder = Folder(Path(checkpoints.folder), checkpoints.keep)
        self._facts = facts_of_model(model) | {
            "data": facts_of_data(batches),
            "validation": self._validations.facts(),
            "initial_epoch": initial_epoch,
        }
        if self._writes:
            self._folder.clean()
        self._found: Read | None = self._folder.newest(checkpoints.damaged)
        if self._shares is not None:
            newest = None if self._found is None else self._found.number
            what = f"the newest checkpoints in {self._folder.path} (a folder that all of them see)"
            check_alike(self._shares, what, lambda: [newest])
        if self._found is not None:
            check_same(self._found.path, self._found.document["of"], self._facts)
            if self._writes:
                self._folder.forget_before(self._found.number)
            for callback in self._callbacks:
                if isinstance(callback, CSVLogger):
                    callback.append = True  # it would begin its file anew
        self._epoch, self._batch, self._trained = initial_epoch, 0, 0
        self._since, self._time = 0, time.monotonic()
        self._counts: list[int] = []  # the batches of each epoch that was read
        self._witness = Witness()
        self._skip = 0  # batches of this epoch that are done already
        self._epochs = 0
        self._random: dict[str, RandomState] = {}

    def begin(self, epoch: int, epochs: int) -> tuple[int, dict]:
        """Put back what the newest checkpoint holds; return the epoch to go on with, and logs.

        A training that is over stays so: then the epoch is one at which there is nothing to do.
        """
        self._begin_of_callbacks = callback_states.at_begin(self._callbacks)
        self._epochs = epochs
        if self._found is None:
            self._random = {"begin": RandomState.now()}
            self._random["epoch"] = self._random["begin"]
            return epoch, {}
        document = self._found.document
        place, arrays = document["place"], self._found.arrays
        self._epoch, self._batch = place["epoch"], place["batch"]
        self._trained, self._counts = place["trained"], place["counts"]
        self._random = {n: RandomState(*decoded(v, arrays)) for n, v in document["random"].items()}
        self._witness = Witness(document["data"]["first"])
        over = place["stopped"] or self._epoch >= epochs
        if over:
            self._put(self._found)
            self._random["now"].apply()
            how = "stopped early" if place["stopped"] else "is finished"
            more = "" if place["stopped"] else " For more, give more epochs or another folder."
            warnings.warn(
                f"The training {how} after {self._epoch} epochs, by its checkpoint "
                f"{self._found.path}: nothing is left to do, and the model has the weights it "
                f"ended with.{more}",
                stacklevel=3,
            )
            self._model.stop_training = place["stopped"]
            self._found = None
            return max(epochs, self._epoch), decoded(document["logs"], arrays)
        self._validations.go_to(document["validations"])
        self._go_to(place)
        lost = self._put(self._found)
        if lost and self._writes:
            warnings.warn(
                f"The checkpoint {self._found.path} has not all of what callbacks had come to; "
                f"these begin anew: {', '.join(lost)}. Let a callback have get_state() and "
                "set_state(state), with numbers, texts, arrays and lists of these.",
                stacklevel=3,
            )
        if document["versions"] != versions():
            self._say(
                f"The checkpoint was written by {document['versions']}, and these are "
                f"{versions()}: the last bits of the weights may come out otherwise"
            )
        at = f"{self._epoch + 1}, after batch {self._batch}" if self._batch else self._epoch + 1
        self._say(f"Going on in epoch {at}, from {self._found.path}")
        if not self._skip:
            self._found = None  # its arrays aren't needed any more
        return self._epoch, decoded(document["logs"], arrays)

    def enter_epoch(self) -> dict | None:
        """Put back what an epoch's begin has changed, if batches of it are done already."""
        if not self._skip:
            self._random["epoch"] = RandomState.now()
            self._batch = 0
            return None
        found = self._found
        callback_states.back_to(self._callbacks, self._begin_of_callbacks)
        self._put(found)  # type: ignore[arg-type]
        if not self._read:
            self._random["epoch"].apply()
        return decoded(found.document["logs"], found.arrays)  # type: ignore[union-attr]

    def done(self, piece: Piece) -> int:
        """Return how many batches of a piece are done already."""
        if not self._skip:
            return 0
        count = min(max(self._skip - piece.first, 0), piece.steps)
        if count and self._read:
            self._seen.saw(piece, count, first=not self._counts)
        if count < piece.steps:
            self._come_back()
        return count

    def steps(self, most: int) -> int:
        """Return how many batches to run at most, of so many, before a checkpoint is due."""
        if isinstance(self._every, int):
            return min(most, max(1, self._every - self._since))
        return most

    def epochs(self, most: int, steps: int) -> int:
        """Return how many epochs of so many batches to run at most in one call."""
        if self._skip or self._every == "epoch":
            return 1
        if isinstance(self._every, int):
            return min(most, max(1, (self._every - self._since) // steps))
        return most

    def trained(self, piece: Piece, start: int, stop: int, logs, *, between: bool = True) -> None:
        """Take note of trained batches of a piece, and write a checkpoint if it's due."""
        self._trained += stop - start
        self._since += stop - start
        self._batch = piece.first + stop
        if self._read:
            self._witness.saw(piece, stop)
        at_end = self._batch == self._batches.num_batches
        free = between and not at_end and not self._model.stop_training
        if all_free(self._shares, free, self._due()):
            self._write(pythonify_logs(logs))

    def epoch_ended(self, epoch: int, logs: Mapping, steps: int = 0) -> None:
        """Write a checkpoint if it's due at an epoch's end, or if it's the last one's."""
        if self._skip:  # all of its batches were done already
            self._come_back()
        if self._read:
            self._counts.append(self._batch)
        self._trained += steps
        self._since += steps
        self._epoch, self._batch = epoch, 0
        last = epoch >= self._epochs or self._model.stop_training
        if last or self._every == "epoch" or all_free(self._shares, True, self._due()):
            self._write(dict(logs))

    def _due(self) -> bool:
        if isinstance(self._every, timedelta):
            return time.monotonic() - self._time >= self._every.total_seconds()
        return isinstance(self._every, int) and self._since >= self._every

    def _put(self, found: Read) -> list[str]:
        """Put back the arrays and the callbacks' states; return which of these were lost."""
        document, arrays = found.document, found.arrays
        contents.put(self._model, self._programs, arrays, document["states"])
        return callback_states.restore(self._callbacks, document["callbacks"], arrays)

    def _go_to(self, place: Mapping[str, Any]) -> None:
        """Come to the place in the data at which the checkpoint was written."""
        self._skip = place["batch"]
        batches = self._batches
        if isinstance(batches, (LaneBatches, WindowPieces)):
            batches.next_epoch = place["lanes"]
        if not self._read or not isinstance(batches, Batches):
            self._random["now"].apply()
            return
        begin, last = self._random["begin"], self._random["epoch"]
        if self._counts or self._skip:
            self._say(f"Reading again the {self._trained} batches that were trained on")
        within = bool(self._skip)
        self._seen, self._read_from = replay_epochs(batches, self._counts, within, begin, last)
        if not self._skip:
            self._checked()

    def _come_back(self) -> None:
        """Have gone over the batches of this epoch that were done before."""
        self._skip = 0
        if self._read:
            self._checked()
        else:
            self._random["now"].apply()
        self._found = None

    def _checked(self) -> None:
        check_witness(self._found.document["data"], self._seen)  # type: ignore[union-attr]
        settle(self._read_from, self._random["now"])
        self._seen.first = self._witness.first
        self._witness = self._seen

    def _write(self, logs: dict) -> None:
        arrays, states = contents.taken(self._model, self._programs)
        first, last = self._witness.first, self._witness.last  # all processes look at their batches
        validations = self._validations.place()  # and at these
        self._since, self._time = 0, time.monotonic()
        if not self._writes:
            return
        random = self._random | {"now": RandomState.now()}
        numbered = isinstance(self._batches, (LaneBatches, WindowPieces))
        lanes = self._batches.next_epoch if numbered else 0  # type: ignore[union-attr]
        if self._batch and lanes:
            lanes -= 1  # the one under way is entered again
        document = {
            "versions": versions(),
            "of": self._facts,
            "place": {
                "epoch": self._epoch,
                "batch": self._batch,
                "trained": self._trained,
                "counts": self._counts,
                "lanes": lanes,
                "stopped": bool(self._model.stop_training),
            },
            "logs": encoded(keepable(logs), "logs", arrays),
            "random": {n: encoded(tuple(v), f"random/{n}", arrays) for n, v in random.items()},
            "callbacks": callback_states.changes(self._callbacks, self._begin_of_callbacks, arrays),
            "states": states,
            "data": {"first": first, "last": last},
            "validations": validations,
        }
        self._folder.write(self._trained, arrays, document)
