"""What a training is told of its checkpoints: where, how often, how many."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from statewise.models.inputs import check_count


@dataclass(frozen=True)
class Checkpoints:
    """Where a training keeps its checkpoints, how often it writes one, and how many stay.

    ``fit(..., checkpoint=folder, every=..., keep=...)`` stands for ``fit(...,
    checkpoint=Checkpoints(folder, every=..., keep=...))``.

    Args:
        folder: where they are; made where there is none. One folder is for one training.
        every: after so many batches, a `datetime.timedelta` for the time between two (looked at
            between calls of the program, about once a second), or "epoch" for each epoch's end.
            Beside that there is always one at the training's end.
        keep: how many stay, the last ones; there is room for one more needed.
        damaged: what to do about a damaged checkpoint: "before" warns, naming it, and goes on from
            the one before it; "refuse" raises. Where none is whole, both raise.

    Raises:
        TypeError: where the folder is no path, or ``every`` is none of the three.
        ValueError: where a number is below 1, or a word isn't one of those.

    >>> Checkpoints("night", every=500, keep=2)
    Checkpoints(folder='night', every=500, keep=2, damaged='before')
    """

    folder: str | os.PathLike
    every: int | str | timedelta = "epoch"
    keep: int = 3
    damaged: str = "before"

    def __post_init__(self):
        if not isinstance(self.folder, (str, os.PathLike)) or not os.fspath(self.folder):
            raise TypeError(
                f"checkpoint={self.folder!r:.100}: expected the path of a folder, or Checkpoints."
            )
        if Path(self.folder).exists() and not Path(self.folder).is_dir():
            raise ValueError(f"checkpoint={self.folder!s}: a file is there; name a folder.")
        if isinstance(self.every, timedelta):
            if self.every <= timedelta(0):
                raise ValueError(f"every={self.every!r}: expected a time above 0.")
        elif isinstance(self.every, str):
            if self.every != "epoch":
                raise ValueError(
                    f'every={self.every!r}: expected "epoch", a number of batches or a '
                    "datetime.timedelta."
                )
        else:
            check_count(self.every, "every", "batches")
        check_count(self.keep, "keep", "checkpoints")
        if self.damaged not in ("before", "refuse"):
            raise ValueError(f'damaged={self.damaged!r}: expected "before" or "refuse".')


def checkpoints_of(checkpoint, every, keep) -> Checkpoints | None:
    """Return what `fit` was told of checkpoints by three arguments; None where none are wanted.

    Raises:
        ValueError: where ``every`` or ``keep`` came without a folder, or beside `Checkpoints`.
        TypeError: as `Checkpoints`.
    """
    more = {k: v for k, v in (("every", every), ("keep", keep)) if v is not None}
    if checkpoint is None:
        if more:
            raise ValueError(
                f"{', '.join(more)}: came without checkpoint, the folder in which checkpoints are "
                "to be kept. Give it, or leave them out."
            )
        return None
    if isinstance(checkpoint, Checkpoints):
        if more:
            raise ValueError(
                f"{', '.join(more)}: came beside Checkpoints, which says it itself. Give it there."
            )
        return checkpoint
    return Checkpoints(checkpoint, **more)
