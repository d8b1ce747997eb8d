"""Checks of plain arguments: what they are, and whether they are large enough."""

import numpy as np


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


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a word that is none of those that there are.

    Raises:
        ValueError: naming them.
    """
    if value not in choices:
        raise ValueError(f"{name}={value!r}: expected {' or '.join(map(repr, choices))}.")
