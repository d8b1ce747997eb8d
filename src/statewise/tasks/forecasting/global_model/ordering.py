"""One order of a panel's series, whatever order they came in: windows and paths are drawn in it."""

import re
from typing import Any

import numpy as np


def order_of(keys: np.ndarray) -> np.ndarray:
    """Return the places of keys in the order in which a network learns from their series.

    Numbers come first, then text, as a person sorts it. What is drawn at random depends on where a
    series stands, so without an order of their own a table sorted otherwise would be forecast
    otherwise.

    >>> order_of(np.array(["W10", "W9", 3], object)).tolist()
    [2, 1, 0]
    """
    return np.array(sorted(range(len(keys)), key=lambda i: _rank(keys[i])), int)


def _rank(key: Any) -> tuple:
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, (int, float)):
        return 0, key, ""
    text = str(key)
    parts = re.split(r"([0-9]+)", text)
    natural = tuple(int(p) if i % 2 else p for i, p in enumerate(parts))
    return 1 if isinstance(key, str) else 2, natural, text
