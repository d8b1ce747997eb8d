"""The guard of the logarithm: series that were above 0 in ``fit`` may not stay there."""

import warnings

import numpy as np

from statewise._callers import level_of_caller


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
        stacklevel=level_of_caller(),
    )
    return np.where(low, floor, values)
