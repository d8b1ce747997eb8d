"""What a user may hand over as a series, turned into arrays (time, features).

The other modules of this floor read their input through here, so that a series means the same
thing in all of them.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

NUMBER_KINDS = "biuf"


def without_mask(values: Any, name: str = "series") -> Any:
    """Return values whose masked ones are missing: NaN, which is what they mean.

    What lies under a mask is no value (-999, often), and NumPy's ``asarray`` would take it for
    one. Lists of masked arrays are looked through; anything else is returned as it is.

    Raises:
        TypeError: where integers or bools are masked: they have nothing that stands for missing.

    >>> without_mask(np.ma.masked_equal([1.0, -999.0], -999.0))
    array([ 1., nan])
    """
    if isinstance(values, np.ma.MaskedArray):
        if values.mask is np.ma.nomask or not values.mask.any():
            return values.data
        if values.dtype.kind in "biu":
            raise TypeError(
                f"{name} is a masked array of {values.dtype} with {np.ma.count_masked(values)} "
                "masked values, but only floats can be missing: convert it by astype(float)"
            )
        return values.filled(np.nan) if values.dtype.kind == "f" else values.data
    if isinstance(values, (list, tuple)):
        kinds = set(map(type, values))  # lists of numbers may be long
        if any(issubclass(kind, np.ma.core.MaskedConstant) for kind in kinds):
            return [np.nan if one is np.ma.masked else one for one in values]
        if any(issubclass(kind, (list, tuple, np.ma.MaskedArray)) for kind in kinds):
            return [without_mask(one, name) for one in values]
    return values


def as_numbers(values: Any, name: str = "series") -> np.ndarray:
    """Return ``values`` as an array of numbers, without a copy where it is one already.

    Raises:
        TypeError: where the values are not real numbers, or masked integers.
    """
    try:
        array = np.asarray(without_mask(values, name))
    except (ValueError, OverflowError) as error:  # nested lists of different lengths
        raise TypeError(f"{name} can't be read as one array of numbers: {error}") from None
    if array.dtype.kind not in NUMBER_KINDS:
        raise TypeError(f"{name} must hold real numbers, but {describe_kind(array.dtype)}")
    return array


def describe_kind(dtype: Any) -> str:
    """Say of which type values are that are no real numbers, and what to do.

    >>> describe_kind(np.dtype(complex))
    'its dtype is complex128; take .real and .imag as features of their own'
    """
    way = "convert it first, for example with astype(float)"
    if dtype.kind == "c":  # which would lose a part without a word
        way = "take .real and .imag as features of their own"
    return f"its dtype is {dtype}; {way}"


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
