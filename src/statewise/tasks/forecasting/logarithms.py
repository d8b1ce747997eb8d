"""The guard of the logarithm: series that were above 0 in ``fit`` may not stay there."""

import sys
import warnings

import numpy as np


def with_logarithm(values: np.ndarray, trained_on: np.ndarray) -> np.ndarray:
    """Raise values that have no logarithm to the lowest one trained on, and warn of it.

    Args:
        values: as known now, NaN where one is missing.
        trained_on: those of ``fit``, all above 0.

    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     with_logarithm(np.array([3.0, -1.0]), np.array([4.0, 2.0]))
    array([3., 2.])
    """
    low = values <= 0
    if not low.any():
        return values
    floor = np.nanmin(trained_on)
    warnings.warn(
        f"{int(low.sum())} known values are not above 0, though all that were trained on are: "
        f"the network is shown {floor:g} in their place. Fit again on the longer series.",
        stacklevel=_level_of_the_caller(),
    )
    return np.where(low, floor, values)


def _level_of_the_caller() -> int:
    """Return the ``stacklevel`` for `with_logarithm` of the first frame outside statewise."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("statewise."):
        level, frame = level + 1, frame.f_back
    return level
