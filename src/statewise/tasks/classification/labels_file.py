"""Classes as what JSON can hold, and back: of the same type."""

from typing import Any

import numpy as np

from statewise.sequences import DataError

_KINDS = "biufU"


def as_list(classes: np.ndarray) -> dict[str, Any]:
    """Return classes as plain values, and the type that they are of.

    Raises:
        DataError: where no file can hold them.

    >>> as_list(np.array(["a", "b"]))
    {'type': '<U1', 'values': ['a', 'b']}
    """
    values = classes.tolist()
    plain = all(isinstance(one, (bool, int, float, str)) for one in values)
    if not plain or classes.dtype.kind not in _KINDS + "O":
        raise DataError(
            f"the classes are of {classes.dtype} ({values[0]!r:.40}), which no file can hold: "
            "give labels as text or numbers"
        )
    return {"type": "object" if classes.dtype == object else classes.dtype.str, "values": values}


def from_list(told: dict[str, Any], count: int) -> np.ndarray:
    """Return what `as_list` was given.

    Raises:
        ValueError, TypeError, KeyError: where it's none of so many classes.

    >>> from_list({"type": "object", "values": ["a", "b"]}, 2)
    array(['a', 'b'], dtype=object)
    """
    dtype, values = np.dtype(told["type"]), told["values"]
    if dtype.kind not in _KINDS + "O" or not isinstance(values, list) or len(values) != count:
        raise ValueError(f"it has no {count} classes")
    if not all(isinstance(one, (bool, int, float, str)) for one in values):
        raise TypeError("its classes are no text and no numbers")
    return np.array(values, dtype)
