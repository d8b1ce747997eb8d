"""Many series behind one face, wherever they lie: in memory, in a file, or made when asked for.

A ``Source`` knows the keys and lengths of its series, and reads a slice of one of them. It makes
no copy of what can be sliced where it is.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from statewise.sequences.arrays import check_count, without_mask


@dataclass(frozen=True, eq=False)
class Source:
    """Series that are read slice by slice.

    Attributes:
        word: what they are called in a message.
        keys: of each series: those of a mapping or table, else the positions 0, 1, 2...
        named: whether the keys are the user's own.
        lengths: the time steps of each series, (series,) int64, at least 1.
        features: of every series.
        dtype: one that the values of all series fit.
        in_memory: whether reading only looks at what is in memory already.
        names: the column of each feature; empty where they have no names.
        take: ``take(position, start, stop)`` returns these steps of a series, not yet checked.
        blocks: where series are stored together, the number of the block that each is in,
            (series,); None where it doesn't matter which are read one after the other.
        longer: whether slices of many chunks are read at once, since that's quicker.
    """

    word: str
    keys: list[Hashable]
    named: bool
    lengths: np.ndarray
    features: int
    dtype: np.dtype
    in_memory: bool
    names: tuple[str, ...]
    take: Callable[[int, int, int], Any]
    blocks: np.ndarray | None = None
    longer: bool = False

    def read(self, position: int, start: int, stop: int) -> np.ndarray:
        """Return the steps from ``start`` up to ``stop`` of one series, (time, features).

        Raises:
            TypeError: where the values don't fit ``dtype``.
            ValueError: where there are more or fewer than the source said.
        """
        values = np.asarray(without_mask(self.take(position, start, stop), self.word))
        if values.ndim == 1:
            values = values[:, np.newaxis]
        if values.shape != (stop - start, self.features):
            raise ValueError(
                f"{self.word} {self.keys[position]!r} gave an array {values.shape} for its steps "
                f"{start} to {stop}, but ({stop - start}, {self.features}) was expected"
            )
        if values.dtype != self.dtype and not np.can_cast(values.dtype, self.dtype, "same_kind"):
            raise TypeError(
                f"{self.word} {self.keys[position]!r} gave values of {values.dtype}, but the "
                f"first series has {self.dtype}; give all series one dtype"
            )
        return values

    def position(self, feature: Any) -> int:
        """Return the position of a feature, which is told by its column or counted.

        Raises:
            TypeError: where it is neither a name nor a whole number.
            ValueError: where there is no such feature.
        """
        if isinstance(feature, str):
            if feature not in self.names:
                known = f"the columns are {list(self.names)}" if self.names else "none has a name"
                raise ValueError(f"{self.word} has no feature {feature!r}: {known}")
            return self.names.index(feature)
        position = check_count(feature, "a feature", -self.features)
        if position >= self.features:
            raise ValueError(
                f"{self.word} has no feature {position}: there are {self.features}, "
                f"at the positions 0 to {self.features - 1}"
            )
        return position % self.features

    def in_order_of(self, other: "Source") -> "Source":
        """Return this source with its series in the order of the other's.

        Raises:
            ValueError: where keys or lengths differ; it names the first that do.
        """
        if len(self.keys) != len(other.keys):
            raise ValueError(
                f"{self.word} must have one item for each of the {len(other.keys)} series, "
                f"but has {len(self.keys)}"
            )
        places = {key: place for place, key in enumerate(self.keys)}
        for key, length in zip(other.keys, other.lengths, strict=True):
            if key not in places:
                raise ValueError(f"{self.word} has nothing by the key {key!r} of a series")
            if self.lengths[places[key]] != length:
                raise ValueError(
                    f"{self.word} {key!r} has {self.lengths[places[key]]} steps, but the series "
                    f"has {length}: give a target for each step"
                )
        order = [places[key] for key in other.keys]
        take = self.take
        return replace(
            self,
            keys=other.keys,
            lengths=other.lengths,
            take=lambda position, start, stop: take(order[position], start, stop),
        )
