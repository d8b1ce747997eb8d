"""Checks of plain arguments: what they are, and whether they are large enough."""

from typing import Any

import numpy as np

from statewise._renamed import renamed_value

_RENAMED = {"refuse": "raise"}


def checked_count(name: str, value, least: int) -> int:
    """Return a whole number of time steps.

    Raises:
        TypeError: if it's none.
        ValueError: if it's below the least.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}={value!r}: expected a whole number of time steps.")
    if value < least:
        raise ValueError(f"{name}={value}: expected {least} or more time steps.")
    return int(value)


def checked_choice(name: str, value: str, choices: tuple[str, ...]) -> Any:
    """Return a word that is one of those that there are; an old one becomes its new one.

    Raises:
        ValueError: naming them.
    """
    value = renamed_value(name, value, _RENAMED, stacklevel=5)
    if value not in choices:
        raise ValueError(f"{name}={value!r}: expected {' or '.join(map(repr, choices))}.")
    return value
