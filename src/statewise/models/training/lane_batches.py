"""The batches of an epoch from lanes: sequences of any length, end to end, chunk by chunk."""

from collections.abc import Iterator
from itertools import islice

import jax
import keras
import numpy as np

from statewise.models.training.agreement import check_alike
from statewise.models.training.batches import WHOLE_LIMIT, Batches
from statewise.models.training.flags import Flags
from statewise.models.training.piece import Piece
from statewise.models.training.shares import SharedOut, current_shares
from statewise.models.training.window_pieces import WindowPieces
from statewise.sequences import Lanes, WindowBatches
from statewise.sequences.ahead import Ahead

PIECE_BYTES = 1 << 25  # of chunks that are moved to the device together, where not all are


class LaneBatches:
    """The chunks of lanes, epoch after epoch, as batches; same use as `Batches`.

    Args:
        lanes: what to run on.

    Attributes:
        next_epoch: the number of the epoch that comes next, by which the lanes are drawn.
    """

    def __init__(self, lanes: Lanes):
        self.lanes = lanes
        self.gathers = True  # which says nothing here: how chunks are read is the lanes' own
        self.next_epoch = 0
        self._whole = None
        self._shares = current_shares()
        self._laid = lanes  # those of the rows that this process lays
        if self._shares is not None:
            self._shares.check(lanes.batch, "lanes")
            self._laid = lanes.of_rows(self._shares.own(lanes.batch))

    @property
    def num_batches(self) -> int:
        """Chunks an epoch."""
        return self.lanes.num_chunks

    @property
    def epochs_at_once(self) -> int:
        """Return 0: the lanes of each epoch begin anew."""
        return 0

    def sizes(self) -> set[int]:
        """Return the one size of all batches, the number of lanes."""
        return {self.lanes.batch}

    def example(self):
        """Return one batch ``(x, y)``, to build a model from."""
        chunk = next(iter(self.lanes.epoch(0)))
        return tuple(_device(a) for a in (chunk.x, chunk.y) if a is not None)

    def epoch(self) -> Iterator[Piece]:
        """Yield the pieces of the next epoch."""
        number, self.next_epoch = self.next_epoch, self.next_epoch + 1
        if self._shares is not None:
            check_alike(self._shares, "the lanes", lambda: self._marks(number))
        if self.lanes.nbytes > WHOLE_LIMIT:
            with Ahead(lambda: self._several(number), depth=1) as pieces:
                yield from pieces
            return
        if self._whole is None or self.lanes.seed is not None:
            self._whole = self._placed(_parts(self._laid.arrays(number)))
        yield Piece(0, self.num_batches, self.lanes.batch, self._whole, None)

    def by_series(self, outputs: list):
        """Hand back the outputs of the pieces of one epoch, one result for each series."""

        def gather(*parts):
            chunks = np.concatenate(parts).reshape(
                self.num_batches, self.lanes.batch, *parts[0].shape[1:]
            )
            return self.lanes.gather(chunks, self.next_epoch - 1)

        return gather(*outputs)

    def _several(self, number: int) -> Iterator[Piece]:
        """Yield the chunks of an epoch, some in each piece, as they are read."""
        chunks = iter(self._laid.epoch(number))
        each = -(-self.lanes.nbytes // self.num_batches)
        room = max(1, min(PIECE_BYTES // each, self.num_batches))
        for first in range(0, self.num_batches, room):
            some = [_parts(chunk) for chunk in islice(chunks, room)]
            missing = room - len(some)  # so that one program serves the last piece too
            joined = jax.tree.map(lambda *arrays, n=missing: _joined(arrays, n), *some)
            yield Piece(first, len(some), self.lanes.batch, self._placed(joined), None)

    def _marks(self, number: int) -> list:
        """Return what tells these lanes from others: their sizes, seed and first chunk."""
        lanes = self.lanes
        sizes = [lanes.batch, lanes.steps, lanes.num_chunks, repr(lanes.seed), number]
        return [*sizes, lanes.lengths, *next(iter(lanes.epoch(number)))]

    def _placed(self, parts):
        """Return arrays ``(chunks, lanes, ...)`` on the device, or shared out among several."""
        if self._shares is None:
            return jax.tree.map(lambda a: _device(a.reshape(-1, *a.shape[2:])), parts)
        size = self.lanes.batch
        return SharedOut(jax.tree.map(lambda a: self._shares.lay(_cast(a), size), parts))


def batches_of(x, y=None, sample_weight=None, **options) -> Batches | LaneBatches | WindowPieces:
    """Return the batches of what ``fit`` was given: lanes, windows, or anything that Keras takes.

    Raises:
        ValueError: for arguments that lanes already settle.
    """
    if not isinstance(x, (Lanes, WindowBatches)):
        return Batches(x, y, sample_weight, **options)
    for name in ("shuffle", "steps_per_execution"):  # without effect on what is computed
        options.pop(name, None)
    given = {"y": y, "sample_weight": sample_weight, **options}
    refused = [name for name, value in given.items() if value is not None]
    if refused:
        kind = "lanes" if isinstance(x, Lanes) else "windows that are read in batches"
        raise ValueError(
            f"{', '.join(refused)}: not to be given with {kind}, which say themselves what the "
            "targets, the batches and their order are."
        )
    return LaneBatches(x) if isinstance(x, Lanes) else WindowPieces(x)


def _parts(chunk):
    batch = (chunk.x,) if chunk.y is None else (chunk.x, chunk.y)
    return batch, Flags(chunk.resets, chunk.valid)


def _joined(arrays: tuple, missing: int) -> np.ndarray:
    """Return chunks ``(lanes, ...)`` as ``(chunks, lanes, ...)``, with room for some more."""
    return np.stack([*arrays, *[np.zeros_like(arrays[0])] * missing])


def _device(array) -> jax.Array:
    return jax.device_put(_cast(array))


def _cast(array) -> np.ndarray:
    array = np.asarray(array)
    if np.issubdtype(array.dtype, np.floating):
        array = array.astype(keras.config.floatx(), copy=False)
    return array
