"""The batches of an epoch from lanes: sequences of any length, end to end, chunk by chunk."""

from collections.abc import Iterator

import jax
import keras
import numpy as np

from statewise.models.training.batches import WHOLE_LIMIT, Batches
from statewise.models.training.flags import Flags
from statewise.models.training.piece import Piece
from statewise.sequences import Lanes


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
        if self.lanes.nbytes > WHOLE_LIMIT:
            for first, chunk in enumerate(self.lanes.epoch(number)):
                yield self._piece(first, 1, chunk)
            return
        if self._whole is None or self.lanes.seed is not None:
            chunk = self.lanes.arrays(number)
            flat = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), _parts(chunk))
            self._whole = _on_device(flat)
        yield Piece(0, self.num_batches, self.lanes.batch, self._whole, None)

    def by_series(self, outputs: list):
        """Hand back the outputs of the pieces of one epoch, one result for each series."""

        def gather(*parts):
            chunks = np.concatenate(parts).reshape(
                self.num_batches, self.lanes.batch, *parts[0].shape[1:]
            )
            return self.lanes.gather(chunks, self.next_epoch - 1)

        return gather(*outputs)

    def _piece(self, first: int, steps: int, chunk) -> Piece:
        return Piece(first, steps, self.lanes.batch, _on_device(_parts(chunk)), None)


def batches_of(x, y=None, sample_weight=None, **options) -> Batches | LaneBatches:
    """Return the batches of whatever ``fit`` was given: lanes, or anything that Keras takes.

    Raises:
        ValueError: for arguments that lanes already settle.
    """
    if not isinstance(x, Lanes):
        return Batches(x, y, sample_weight, **options)
    for name in ("shuffle", "steps_per_execution"):  # without effect on what is computed
        options.pop(name, None)
    given = {"y": y, "sample_weight": sample_weight, **options}
    refused = [name for name, value in given.items() if value is not None]
    if refused:
        raise ValueError(
            f"{', '.join(refused)}: not to be given with lanes, which say themselves what the "
            "targets, the batches and their order are."
        )
    return LaneBatches(x)


def _parts(chunk):
    batch = (chunk.x,) if chunk.y is None else (chunk.x, chunk.y)
    return batch, Flags(chunk.resets, chunk.valid)


def _on_device(parts):
    return jax.tree.map(_device, parts)


def _device(array) -> jax.Array:
    array = np.asarray(array)
    if np.issubdtype(array.dtype, np.floating):
        array = array.astype(keras.config.floatx(), copy=False)
    return jax.device_put(array)
