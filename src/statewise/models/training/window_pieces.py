"""The batches of an epoch from windows that are read as they are needed."""

from collections.abc import Iterator

import jax
import keras
import numpy as np

from statewise.models.training.agreement import alike
from statewise.models.training.piece import Piece
from statewise.models.training.shares import SharedOut, current_shares
from statewise.sequences import WindowBatches
from statewise.sequences.ahead import Ahead

PIECE_BYTES = 1 << 24  # of windows that are moved to the device together


class WindowPieces:
    """The windows of an epoch, epoch after epoch, as batches; same use as `Batches`.

    Args:
        windows: what to run on.

    Attributes:
        next_epoch: the number of the epoch that comes next, by which the order is drawn.
    """

    once = False  # can be read any number of times
    epochs_at_once = 0  # the order of each epoch is another one

    def __init__(self, windows: WindowBatches):
        self.windows = windows
        self.gathers = True  # as they always do
        self.next_epoch = 0
        self._left_out: int | None = None  # the axis of the targets that the model hasn't
        self._shares = current_shares()
        if self._shares is not None and windows.num_samples > windows.batch:
            self._shares.check(windows.batch, "batch")

    @property
    def num_batches(self) -> int:
        """Batches an epoch."""
        return self.windows.num_batches

    def fit_to(self, outputs: tuple) -> None:
        """Give targets the axes of a model's outputs, which may do without one of length 1.

        Args:
            outputs: the shape of the model's outputs for `example`'s inputs.

        Raises:
            ValueError: where the outputs are none for targets of this horizon.
        """
        horizon, features = self.windows.horizon, self.windows.target_features
        if not horizon:
            raise ValueError(
                "The windows have no targets: cut them with a horizon of at least 1, to train or "
                "evaluate on them."
            )
        self._left_out = None
        if len(outputs) == 2 and 1 in (horizon, features):
            self._left_out = 1 if horizon == 1 else 2
        elif len(outputs) != 3 or outputs[1] not in (None, horizon):
            raise ValueError(
                f"The model gives the shape {('batch', *outputs[1:])}, but the targets of the "
                f"windows are (batch, horizon, features) = ('batch', {horizon}, {features}). End "
                f"the model in these axes, for example with Reshape(({horizon}, {features}))."
            )

    def sizes(self) -> set[int]:
        """Return the different sizes of the batches."""
        batch, samples = self.windows.batch, self.windows.num_samples
        return {min(batch, samples)} | ({samples % batch} - {0} if samples > batch else set())

    def examples(self) -> Iterator[tuple]:
        """Yield a batch as Keras's readers do, for what Keras builds from it."""
        first = next(iter(self.windows.epoch()))
        yield 0, 0, iter([self._on_device(first, len(first.x))])

    def begin_again(self) -> None:
        """Do nothing: an epoch always begins at its beginning."""

    def epoch(self, count: int = 1) -> Iterator[Piece]:
        """Yield the pieces of the next epoch."""
        number, self.next_epoch = self.next_epoch, self.next_epoch + 1
        with Ahead(lambda: self._pieces(number), depth=1) as pieces:
            yield from pieces if self._shares is None else alike(pieces, self._shares)

    def _pieces(self, number: int) -> Iterator[Piece]:
        windows = self.windows
        steps = windows.lookback * windows.features + windows.horizon * windows.target_features
        each = windows.batch * steps * windows.dtype.itemsize
        room = max(1, min(PIECE_BYTES // each, windows.num_samples // windows.batch))
        first = 0
        for some in windows.blocks(room * windows.batch, number):
            full, rest = divmod(len(some.x), windows.batch)
            cut = full * windows.batch
            if full:
                batches = type(some)(*(array[:cut] for array in some))
                data = self._placed(batches, room, windows.batch)
                yield Piece(first, full, windows.batch, data, None)
            if rest:
                batch = type(some)(*(array[cut:] for array in some))
                yield Piece(first + full, 1, rest, self._placed(batch, 1, rest), None)
            first += full

    def _placed(self, some, batches: int, size: int):
        """Return the arrays on the device, or shared out, with room for so many batches."""
        shares = self._shares
        if shares is None:
            return self._on_device(some, batches * size)
        arrays = jax.tree.map(
            lambda a: a.reshape(batches, size, *a.shape[1:])[:, shares.own(size)],
            self._with_room(some, batches * size),
        )
        return SharedOut(jax.tree.map(lambda a: shares.lay(a, size), arrays))

    def _on_device(self, some, samples: int) -> tuple:
        """Return ``(x, y)``, or ``(x,)`` without a horizon, with room for so many samples."""
        return jax.tree.map(jax.device_put, self._with_room(some, samples))

    def _with_room(self, some, samples: int) -> tuple:
        def widened(array: np.ndarray) -> np.ndarray:
            if array.dtype.kind == "f":
                array = array.astype(keras.config.floatx(), copy=False)
            if len(array) == samples:
                return array
            room = np.zeros((samples, *array.shape[1:]), array.dtype)
            room[: len(array)] = array
            return room

        if not self.windows.horizon:
            return (widened(some.x),)
        y = some.y if self._left_out is None else some.y.squeeze(self._left_out)
        return widened(some.x), widened(y)
