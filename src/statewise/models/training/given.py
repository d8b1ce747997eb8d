"""What the batches of a training are made of, for whoever has to know them again."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras

from statewise.models.training.piece import is_plain


class Given(NamedTuple):
    """What `Batches` was given.

    Attributes:
        x: the inputs.
        batch_size: samples of a batch; None where the data say it.
        steps: batches of an epoch, where that was given.
        shuffle: True, False or "batch".
        class_weight: the weights of classes, where they are looked up batch by batch.
        rows: a `Rows` for each array of ``(x, y, sample_weight)``; None where batches are read.
        samples: how many rows there are.
        nbytes: what they take.
    """

    x: Any
    batch_size: int | None
    steps: int | None
    shuffle: bool | str
    class_weight: Mapping[int, float] | None
    rows: Any
    samples: int
    nbytes: int


def needs_no_reader(given: dict[str, Any]) -> bool:
    """Whether the data are what Keras's readers would only hand on: NumPy arrays of numbers.

    Looking that up in Keras's readers takes longer than training a small network for an epoch.
    """
    arrays = [given["x"]] if given["y"] is None else [given["x"], given["y"]]
    size, others = given["batch_size"], ("sample_weight", "steps_per_epoch", "class_weight")
    return (
        all(is_plain(a) for a in arrays)
        and len(arrays[0]) == len(arrays[-1]) > 0
        and (size is None or (type(size) is int and size > 0))
        and type(given["shuffle"]) is bool
        and all(given[name] is None for name in others)
        and keras.config.max_steps_per_epoch() is None
        and keras.distribution.distribution() is None
    )
