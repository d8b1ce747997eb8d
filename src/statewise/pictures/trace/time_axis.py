"""The time axis of a picture: every step of a short sequence, the two ends of a long one."""

from dataclasses import dataclass

import numpy as np

_ALL_SHOWN = 8  # steps; a longer sequence is shortened in the middle
_ENDS = 3  # steps shown at either end of a shortened one


@dataclass(frozen=True)
class TimeAxis:
    """The places at which an axis of ``steps`` time steps is drawn.

    The places are symmetric: place i from the left holds the same steps, counted from the start,
    as place i from the right, counted from the end.

    Attributes:
        steps: how many time steps there are; None for something that has no time axis.
        spans: first and last step (exclusive) of each place.

    >>> time_axis(3).spans
    ((0, 1), (1, 2), (2, 3))
    >>> time_axis(50).spans[2:5]
    ((2, 3), (3, 47), (47, 48))
    >>> len(time_axis(None))
    1
    """

    steps: int | None
    spans: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.spans)

    def numbers(self) -> np.ndarray:
        """Return the place of each time step, int (steps,)."""
        return np.repeat(np.arange(len(self)), [b - a for a, b in self.spans])


def time_axis(steps: int | None) -> TimeAxis:
    """Return the places of an axis of that many steps; one place where there is no time axis."""
    if steps is None:
        return TimeAxis(None, ((0, 1),))
    if steps <= _ALL_SHOWN:
        return TimeAxis(steps, tuple((i, i + 1) for i in range(steps)))
    starts = [*range(_ENDS + 1), *range(steps - _ENDS, steps)]
    stops = [*starts[1:], steps]
    return TimeAxis(steps, tuple(zip(starts, stops, strict=True)))
