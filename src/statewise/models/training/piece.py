"""A piece: some batches of one size on the device, which one call of a program runs."""

from typing import Any, NamedTuple

import jax
import keras
import numpy as np


class Piece(NamedTuple):
    """Some batches of one size, on the device.

    Attributes:
        first: the number of the first of these batches within the epoch.
        steps: how many batches.
        batch_size: samples in each of them.
        data: ``(x, y, sample_weight)`` (or fewer), arrays with the samples first.
        orders: int32 ``(epochs, samples)``, in which order the samples come in the first epoch, the
            second and so on; None for the order they stand in.
    """

    first: int
    steps: int
    batch_size: int
    data: Any
    orders: jax.Array | None


def plain_batch(x) -> Piece | None:
    """Return one NumPy array of numbers as a batch for prediction; None for anything else.

    It's what `Batches` makes of it, without Keras's readers of all that data can be, which take
    longer than a small network.

    >>> plain_batch(np.ones((4, 3))).data[0].dtype
    dtype('float32')
    """
    if not is_plain(x) or not x.size:
        return None
    if x.dtype.kind == "f":
        x = x.astype(keras.config.floatx(), copy=False)
    return Piece(0, 1, x.shape[0], (x,), None)


def is_plain(array) -> bool:
    """Whether something is one NumPy array of numbers, with samples."""
    return type(array) is np.ndarray and array.dtype.kind in "fiub" and array.ndim > 0


def samples_of(x) -> int | None:
    """Return the number of samples in arrays; None for data that don't say it.

    >>> samples_of(np.ones((4, 3))), samples_of([np.ones((2, 3))]), samples_of(iter([]))
    (4, 2, None)
    """
    if type(x) is not np.ndarray:
        x = next((a for a in keras.tree.flatten(x) if a is not None), None)
    shape = getattr(x, "shape", None)
    return int(shape[0]) if shape else None


def no_batch() -> ValueError:
    """Return the error of data without a batch."""
    return ValueError(
        "The data gave no batch: they are empty, or a generator that has given all it had. Give "
        "data that hold a batch, and for more than one run something that can be read again."
    )
