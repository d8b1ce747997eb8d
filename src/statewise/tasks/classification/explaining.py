"""Which steps decided: gradient times input.

With the score s of a class, less the mean of all classes' scores, and the scaled inputs z, step t
and feature j of a sequence contribute ::

    c(t, j) = ds / dz(t, j) * z(t, j)

to it. On that scale 0 is the mean of what was learned from: what is as usual contributes nothing.
Shrikumar, Greenside, Shcherbina and Kundaje, "Not just a black box: learning important features
through propagating activation differences", 2016, and the baseline named there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from statewise.tasks.classification.sequences import Sequences


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each step of a sequence contributed to what was told of it.

    Attributes:
        told: the class whose score this is, or the number that was told.
        values: of the sequence, (time, features).
        contributions: of each of them, (time, features): above 0 for it, below 0 against it.
        names: of the features; None where they have none.
        key: of the sequence; None where it has none.
    """

    told: Any
    values: np.ndarray
    contributions: np.ndarray
    names: tuple[Any, ...] | None = None
    key: Any = None

    @property
    def steps(self) -> np.ndarray:
        """What each step contributed, all features together, (time,)."""
        return self.contributions.sum(1)

    @property
    def features(self) -> np.ndarray:
        """What each feature contributed, over all steps, (features,)."""
        return self.contributions.sum(0)

    @property
    def frame(self) -> pd.DataFrame:
        """The contributions as a table, a row for each step and a column for each feature."""
        names = None if self.names is None else list(self.names)
        return pd.DataFrame(self.contributions, columns=names).rename_axis("step")


def contributions_of(
    sequences: Sequences, scaled: Sequences, gradients: np.ndarray, told: np.ndarray
) -> list[Contributions]:
    """Return what each sequence's steps contributed.

    Args:
        sequences: as they came.
        scaled: as the networks saw them.
        gradients: of the scores by what they saw, (steps, features).
        told: what was told of each sequence.
    """
    products = gradients.astype(np.float64) * scaled.values
    names, keys = sequences.names, sequences.keys
    found = []
    for i in range(len(sequences)):
        there = slice(sequences.offsets[i], sequences.offsets[i + 1])
        key = None if keys is None else keys[i]
        found.append(Contributions(told[i], sequences[i], products[there], names, key))
    return found
