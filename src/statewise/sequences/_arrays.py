"""What a user may hand over as a series, turned into arrays (time, features).

The other modules of this floor read their input through here, so that a series means the same
thing in all of them.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

NUMBER_KINDS = "biuf"


def as_numbers(values: Any, name: str = "series") -> np.ndarray:
    """Return ``values`` as an array of numbers, without a copy where it is one already.

    Raises:
        TypeError: where the values are not real numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:  # nested lists of different lengths
        raise TypeError(f"{name} can't be read as one array of numbers: {error}") from None
    if array.dtype.kind not in NUMBER_KINDS:
        raise TypeError(
            f"{name} must hold real numbers, but its dtype is {array.dtype}; "
            "convert it first, for example with astype(float)"
        )
    return array


def as_series(series: Any, name: str = "series") -> np.ndarray:
    """Return one series as (time, features); one dimension means one feature.

    Raises:
        TypeError: where it doesn't hold real numbers.
        ValueError: where it has no time axis, or more than two axes.
    """
    array = as_numbers(series, name)
    if array.ndim == 1:
        return array[:, np.newaxis]
    if array.ndim == 2:
        return array
    raise ValueError(
        f"{name} must have the shape (time,) or (time, features), but has the shape {array.shape}"
    )


def is_many(series: Any) -> bool:
    """Tell whether ``series`` stands for several series.

    Several series are a mapping, an array (series, time, features), or a list or tuple whose
    items are sequences themselves; a list of plain numbers is one series.
    """
    if isinstance(series, Mapping):
        return True
    if isinstance(series, (list, tuple)):
        return len(series) > 0 and np.ndim(series[0]) > 0
    return np.ndim(series) == 3


def as_panel(series: Any) -> dict[Hashable, np.ndarray]:
    """Return one or several series as key -> (time, features).

    The keys are those of a mapping, else the positions 0, 1, 2...

    Raises:
        TypeError: where a series doesn't hold real numbers.
        ValueError: where there is none, one has a wrong shape, or their features differ.
    """
    if isinstance(series, Mapping):
        panel = {key: as_series(one, f"series {key!r}") for key, one in series.items()}
    elif is_many(series):
        panel = {key: as_series(one, f"series {key}") for key, one in enumerate(series)}
    else:
        panel = {0: as_series(series)}
    if not panel:
        raise ValueError("series is empty: give at least one series")
    features = {key: array.shape[1] for key, array in panel.items()}
    first = next(iter(features))
    for key, count in features.items():
        if count != features[first]:
            raise ValueError(
                f"all series must have the same features, but series {first!r} has "
                f"{features[first]} and series {key!r} has {count}"
            )
    return panel


def check_count(value: Any, name: str, minimum: int = 1) -> int:
    """Return ``value`` as an int of at least ``minimum``.

    Raises:
        TypeError: where it is no whole number.
        ValueError: where it is too small.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, but is {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, but is {value}")
    return int(value)
