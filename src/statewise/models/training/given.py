"""What the batches of a training are made of, for whoever has to know them again."""

from collections.abc import Mapping
from typing import Any, NamedTuple


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
