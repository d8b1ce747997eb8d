"""Rows of arrays by key, for pushes of thousands of streams: loops over them in C++."""

import numpy as np

from statewise.recurrence.native.extension import extension


def stack_rows(rows: list, width: int) -> np.ndarray | None:
    """Return arrays ``(width,)`` as one, float32 ``(rows, width)``.

    What is too large for float32 is infinite there.

    Args:
        rows: the arrays.
        width: how many numbers each must have.

    Returns:
        A new array; None where one of them isn't a plain NumPy array of float32 or float64, or of
        another shape.

    Raises:
        RuntimeError: if the native extension isn't available.

    >>> from statewise.recurrence.native import available
    >>> if available():
    ...     assert stack_rows([np.ones(2), np.zeros(2)], 2).tolist() == [[1, 1], [0, 0]]
    ...     assert stack_rows([np.ones(2), [0.0, 0.0]], 2) is None
    """
    return extension().stack_rows(rows, width)


def keys_are(mapping: dict, types: tuple[type, ...]) -> bool:
    """Return whether all keys are of one of these types, and of no class derived from them.

    Raises:
        RuntimeError: if the native extension isn't available.

    >>> from statewise.recurrence.native import available
    >>> if available():
    ...     assert keys_are({"north": 1, 7: 2}, (str, int))
    ...     assert not keys_are({True: 1}, (str, int))
    """
    return extension().keys_are(mapping, types)
