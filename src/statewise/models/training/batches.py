"""The batches of an epoch, from arrays or from whatever else Keras accepts, in pieces to run.

Arrays go to the device whole, and a compiled program takes its batches from there. Arrays that are
too large for that (or memory-mapped) go there in chunks of many batches; a generator's batches are
gathered to such chunks as they come. Which of the three is decided in one place,
`Batches.__init__`, and makes no difference to what is computed.
"""

import functools
from collections.abc import Iterator
from typing import Any

import jax
import keras
import numpy as np
from keras.utils import unpack_x_y_sample_weight

from statewise._keras_compat import (
    WholeBatches,
    arrays_of,
    is_tf_dataset,
    reads_once,
)
from statewise.models.inputs import check_count, check_numbers
from statewise.models.training.agreement import alike
from statewise.models.training.class_weights import ClassWeights, both_weights
from statewise.models.training.gathering import Gathering, with_own_arrays
from statewise.models.training.given import Given, needs_no_reader
from statewise.models.training.piece import Piece, no_batch, samples_of
from statewise.models.training.rows import Rows, rounded_up
from statewise.models.training.shared_batches import one_shared_out, pieces_shared_out
from statewise.models.training.shares import Shares, current_shares
from statewise.models.training.sparse import is_sparse, of_jax, on_device, samples_in

KERAS_BATCH = 32  # samples of a batch where none are given
# As many epochs one call of a program runs at most.
EPOCHS = 64
# Arrays of more bytes than this are moved to the device in chunks.
WHOLE_LIMIT = 1 << 30
CHUNK_LIMIT = 1 << 28
# The orders of several epochs go to the device together, if they are no more bytes than this.
ORDERS_LIMIT = 1 << 20
# Below this many bytes the number of batches is rounded up (with rows that no batch reads), so that
# one compiled program serves other amounts of data too.
PADDING_LIMIT = 1 << 26


class Batches:
    """The batches of each epoch, in the order and with the shuffling that Keras would give them.

    Args:
        x: inputs, as Keras's ``fit`` takes them.
        y: targets.
        sample_weight: weights of the samples.
        batch_size: samples a batch; None for 32.
        steps: batches an epoch; None for all.
        shuffle: as Keras's ``fit`` takes it.
        class_weight: looks up the weights of targets; see `ClassWeights`.
        steps_per_execution: how many batches Keras's reader takes at once, where one is needed.

    Raises:
        TypeError: if the data are complex, or numbers of batches and samples aren't whole.
        ValueError: if there are no samples, both kinds of weights, or masked values.
    """

    def __init__(
        self,
        x,
        y=None,
        sample_weight=None,
        *,
        batch_size=None,
        steps=None,
        shuffle=False,
        class_weight: ClassWeights | None = None,
        steps_per_execution=1,
    ):
        check_numbers(x=x, y=y, sample_weight=sample_weight)
        if samples_of(x) == 0:
            raise ValueError("x holds no samples: there is nothing to run on. Give at least one.")
        if batch_size is not None:
            batch_size = check_count(batch_size, "batch_size", "samples")
        if steps is not None:
            steps = check_count(steps, "steps", "batches")
        self._class_weight = for_keras = None
        if class_weight is not None:
            if sample_weight is not None:
                raise both_weights()
            if y is not None:
                sample_weight = class_weight.of(x, y)
            elif isinstance(x, keras.utils.PyDataset) or is_tf_dataset(x):
                self._class_weight = class_weight
            else:  # Keras's reader says that it can't
                for_keras = class_weight.weights
        self._given = {
            "x": x,
            "y": y,
            "sample_weight": sample_weight,
            "batch_size": batch_size,
            "steps_per_epoch": steps,
            "shuffle": shuffle,
            "class_weight": for_keras,
            "steps_per_execution": steps_per_execution,
        }
        # Whether batches that come one by one are run many at a time; not where a callback wants
        # to look at the model before the next one is read.
        self.gathers = True
        self._gathering = Gathering()
        self._arrays = None
        self._whole = None
        self._laid: list[Piece] = []
        self._shares = current_shares()
        if needs_no_reader(self._given):
            inputs, samples = x if y is None else (x, y), len(x)
            batch_size = batch_size or KERAS_BATCH
        else:
            arrays = arrays_of(self.iterator)
            limited = self.iterator.steps_per_epoch is not None  # by a setting of Keras's, too
            if limited or arrays is None:
                return
            if any(is_sparse(leaf) for leaf in keras.tree.flatten(arrays.data)):
                return  # no rows can be taken within a program
            inputs, samples, batch_size, shuffle = arrays
        leaves = jax.tree.leaves(inputs)
        self._arrays = jax.tree.map(Rows, inputs)
        self._bytes = sum(getattr(leaf, "nbytes", 0) for leaf in leaves)
        self._fits = self._bytes <= WHOLE_LIMIT and not any(
            isinstance(leaf, np.memmap) for leaf in leaves
        )
        self._samples = samples
        self._batch_size = min(batch_size, samples)
        if self._shares is not None and samples > batch_size:
            self._shares.check(batch_size, "batch_size")
        self._shuffle = shuffle

    @functools.cached_property
    def iterator(self) -> WholeBatches:
        """Keras's reader of the same data, made where it is needed."""
        return WholeBatches(**self._given | {"x": with_own_arrays(self._given["x"])})

    def examples(self) -> Iterator[tuple]:
        """Yield a batch from Keras's reader as the reader does, for what Keras builds from it."""
        for first, last, batches in self.iterator:
            batch = next(batches, None)
            if batch is None:
                raise no_batch()
            check_numbers(x=batch)
            yield first, last, iter([batch])

    @property
    def given(self) -> Given:
        """What was given."""
        size, steps, shuffle = (
            self._given[name] for name in ("batch_size", "steps_per_epoch", "shuffle")
        )
        weights = None if self._class_weight is None else self._class_weight.weights
        if self._arrays is None:
            return Given(self._given["x"], size, steps, shuffle, weights, None, 0, 0)
        of_arrays = (self._batch_size, steps, self._shuffle, None)
        return Given(self._given["x"], *of_arrays, self._arrays, self._samples, self._bytes)

    def begin_again(self) -> None:
        """Let Keras's reader forget the batches it has given, if there is one."""
        if "iterator" in self.__dict__:
            self.iterator.reset()

    @property
    def once(self) -> bool:
        """Whether the batches can be read only once."""
        return self._arrays is None and reads_once(self.iterator)

    @property
    def num_batches(self) -> int | None:
        """Batches an epoch, or None while that isn't known."""
        if self._arrays is None:
            return self.iterator.num_batches
        return -(-self._samples // self._batch_size)

    def sizes(self) -> set[int]:
        """Return the different sizes of the batches, where they are known beforehand."""
        if self._arrays is None:
            return set()
        rest = self._samples % self._batch_size
        return {self._batch_size} | ({rest} if rest else set())

    @property
    def epochs_at_once(self) -> int:
        """For how many epochs one piece can have all the batches; 0 where an epoch needs several.

        >>> x = np.ones((64, 3))
        >>> Batches(x, batch_size=8).epochs_at_once, Batches(x, batch_size=7).epochs_at_once
        (64, 0)
        """
        alone = self._shares is None  # else each epoch is laid on the devices anew
        if self._arrays is None or not self._fits or self._samples % self._batch_size or not alone:
            return 0
        return self._orders_shape()[0] if self._shuffle else EPOCHS

    def epoch(self, count: int = 1) -> Iterator[Piece]:
        """Yield the pieces of one epoch, or the piece for as many as `epochs_at_once`."""
        if self._shares is not None:
            read = self._arrays is None
            pieces = self._one_by_one() if read else self._shared_out(self._shares)
            yield from alike(pieces, self._shares)
        elif self._arrays is None:
            yield from self._one_by_one()
        else:
            yield from self._from_arrays(count)

    def _one_by_one(self) -> Iterator[Piece]:
        if self.gathers and self._shares is None:
            yield from self._gathering.pieces(self._read())
            return
        for step, batch in self._read():
            if self._shares is not None:
                yield one_shared_out(self._shares, step, batch)
                continue
            data = jax.tree.map(on_device, batch, is_leaf=of_jax)
            yield Piece(step, 1, samples_in(data), data, None)

    def _read(self) -> Iterator[tuple[int, Any]]:
        """Yield the batches of Keras's reader, each with its number."""
        with self.iterator.catch_stop_iteration():
            for first, last, batches in self.iterator:
                for step in range(first, last + 1):  # beyond steps_per_epoch, as in Keras
                    batch = next(batches) if step == first else next(batches, None)
                    if batch is None:
                        break
                    yield step, self._checked(batch)

    def _checked(self, batch):
        """Return a batch of Keras's reader as the programs take it."""
        batch = keras.tree.lists_to_tuples(batch)
        check_numbers(x=batch)
        if self._class_weight is None:
            return batch
        x, y, weights = unpack_x_y_sample_weight(batch)
        if weights is not None:
            raise both_weights()
        return x, y, np.asarray(self._class_weight.of(x, y))

    def _from_arrays(self, count: int) -> Iterator[Piece]:
        size, order = self._batch_size, self._draw_order() if self._shuffle else None
        full = self._samples // size
        if full and self._fits:
            capacity, length = self._orders_shape()
            if self._whole is None:
                self._whole = self._take(slice(0, full * size if order is None else None), length)
            orders = None
            if order is not None:
                drawn = np.zeros((capacity, length), np.int32)
                drawn[0, : full * size] = order[: full * size]
                for later in range(1, count):
                    drawn[later, : full * size] = self._draw_order()
                orders = jax.device_put(drawn)
            yield Piece(0, full, size, self._whole, orders)
        elif full:
            chunk = max(1, CHUNK_LIMIT // max(1, self._bytes // self._samples) // size)
            for first in range(0, full, chunk):
                steps = min(chunk, full - first)
                rows = slice(first * size, (first + steps) * size)
                data = self._take(rows if order is None else order[rows], min(chunk, full) * size)
                yield Piece(first, steps, size, data, None)
        if rest := self._samples - full * size:
            last = slice(full * size, None)
            yield Piece(full, 1, rest, self._take(last if order is None else order[last]), None)

    def _shared_out(self, shares: Shares) -> Iterator[Piece]:
        order = self._draw_order() if self._shuffle else np.arange(self._samples)
        each = self._bytes // self._samples if not self._fits else 0
        pieces = pieces_shared_out(shares, self._arrays, order, self._batch_size, each)
        if not self._fits or self._shuffle:
            yield from pieces
            return
        self._laid = self._laid or list(pieces)
        yield from self._laid

    def _orders_shape(self) -> tuple[int, int]:
        """Return for how many epochs there's room for an order, and for how many samples."""
        full = self._samples // self._batch_size
        batches = rounded_up(full) if self._bytes <= PADDING_LIMIT else full
        length = batches * self._batch_size
        return max(1, min(EPOCHS, ORDERS_LIMIT // (4 * length))), length

    def _draw_order(self) -> np.ndarray:
        # The same draws, from NumPy's global generator, as in Keras's adapter.
        if self._shuffle != "batch":
            return np.random.permutation(self._samples)
        starts = range(0, self._samples, self._batch_size)
        return np.concatenate(
            [
                start + np.random.permutation(min(self._batch_size, self._samples - start))
                for start in starts
            ]
        )

    def _take(self, rows, length: int = 0):
        """Return the given rows of every array on the device, padded to ``length`` rows."""
        return jax.tree.map(lambda a: a.take(rows, length), self._arrays)
