"""`Sequences`: cases of any lengths laid one after the other, whatever form they came in."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from statewise.sequences import DataError


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of any lengths, and what is known of where they come from.

    Attributes:
        values: all steps, (steps, features).
        offsets: where each sequence begins, and where the last one ends, (sequences + 1,).
        names: of the features; None where they have none.
        keys: of the sequences; None where they are told apart by their places alone.
        rows: for each step its row in the long frame, (steps,); None for other forms.
        index: of that frame's rows.
        padded: the time steps of each padded row, where arrays came with lengths.
        axes: "time first" or "time last": how arrays of two axes were read.
    """

    values: np.ndarray
    offsets: np.ndarray
    names: tuple[Any, ...] | None = None
    keys: np.ndarray | None = None
    rows: np.ndarray | None = None
    index: pd.Index | None = None
    padded: int | None = None
    axes: str = "time first"

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> np.ndarray:
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """The time steps of each sequence."""
        return np.diff(self.offsets)

    @property
    def features(self) -> int:
        """How many there are."""
        return self.values.shape[1]

    def called(self, i: int) -> str:
        """Return what to call a sequence in a message."""
        return f"sequence {i if self.keys is None else repr(self.keys[i])}"

    def feature_called(self, j: int) -> str:
        """Return what to call a feature in a message."""
        return f"feature {j if self.names is None else repr(self.names[j])}"

    def checked(self) -> Self:
        """Return the sequences themselves, where there is one, and each has steps of numbers.

        Raises:
            DataError: for the first that hasn't.
        """
        if not len(self):
            raise DataError("X holds no sequence: give at least one")
        if not self.features:
            raise DataError(
                f"X has 0 feature(s) (shape=({len(self)}, 0)) while a minimum of 1 is required."
            )
        short = np.flatnonzero(self.lengths == 0)
        if len(short):
            raise DataError(
                f"{self.called(short[0])} has no time step"
                + (f", nor have {len(short) - 1} others" if len(short) > 1 else "")
                + ": each must have one at least; leave it out"
            )
        known = np.isfinite(self.values)
        if not known.all():
            step, j = (int(one) for one in np.argwhere(~known)[0])
            i = int(np.searchsorted(self.offsets, step, "right")) - 1
            what = "NaN" if np.isnan(self.values[step, j]) else "an infinity (inf)"
            raise DataError(
                f"{self.called(i)} has {what} at step {step - self.offsets[i]} of "
                f"{self.feature_called(j)} ({int((~known).sum())} such values in all): fill them "
                "in or leave these sequences out; where X is padded, give lengths="
            )
        return self


def joined(parts: list[np.ndarray], **more: Any) -> Sequences:
    """Return sequences of arrays (time, features) of the same features.

    >>> two = joined([np.ones((3, 1)), np.zeros((2, 1))])
    >>> len(two), two.lengths.tolist(), two[1].tolist()
    (2, [3, 2], [[0.0], [0.0]])
    """
    lengths = [len(part) for part in parts]
    features = parts[0].shape[1] if parts else 0
    values = np.concatenate(parts) if parts else np.empty((0, features))
    return Sequences(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), **more)
