"""What the simulators of this floor check about their arguments."""

from typing import Any

import numpy as np


def check_counts(**counts: Any) -> None:
    """Check that each of the named counts is a whole number of at least 1.

    Raises:
        TypeError: where one is no whole number.
        ValueError: where one is below 1.
    """
    for name, count in counts.items():
        if isinstance(count, (bool, np.bool_)) or not isinstance(count, (int, np.integer)):
            raise TypeError(f"{name} must be a whole number, but is {count!r}")
        if count < 1:
            raise ValueError(f"{name} must be at least 1, but is {count}")
