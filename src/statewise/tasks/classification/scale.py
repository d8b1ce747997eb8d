"""Inputs and targets brought to a common scale, by what ``fit`` saw of them."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from statewise.tasks.classification.sequences import Sequences


@dataclass(frozen=True, eq=False)
class Scale:
    """How inputs, or targets, are brought to a common scale: by what ``fit`` saw of them."""

    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Self:
        """Measure mean and standard deviation over the first axis, in float64."""
        values = values.astype(np.float64, copy=False)
        shift, spread = values.mean(0), values.std(0)
        # What is constant has no spread to divide by, up to how exactly its mean is known.
        flat = spread <= 1e-12 * np.abs(shift)
        return cls(shift, np.where(flat, 1.0, spread))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return values on this scale, float32."""
        return ((values - self.shift) / self.scale).astype(np.float32)


def on_scale(sequences: Sequences, scale: Scale) -> Sequences:
    """Return sequences as networks see them.

    Raises:
        DataError: where values are too far from all that was learned from to be told in float32.
    """
    with np.errstate(over="ignore"):
        values = scale.apply(sequences.values)
    Sequences(values, sequences.offsets, sequences.names, sequences.keys).checked()
    return Sequences(values, sequences.offsets)
