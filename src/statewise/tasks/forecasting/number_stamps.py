"""Time stamps written as whole numbers (20240131, years, seconds from 1970 on), and back."""

from typing import Any

import numpy as np
import pandas as pd

_UNITS = ("s", "ms", "us", "ns")
WAYS = ("", "year", "yyyymm", "yyyymmdd", *_UNITS)


def way_of(number: Any, stamp: Any) -> str:
    """Return in which way a whole number was read as a stamp; "" where it was none, or unknown.

    >>> way_of(20240131, pd.Timestamp("2024-01-31")), way_of(1706659200, pd.Timestamp("2024-01-31"))
    ('yyyymmdd', 's')
    """
    if not isinstance(number, (int, np.integer)) or not isinstance(stamp, pd.Timestamp):
        return ""
    one = pd.DatetimeIndex([stamp])
    return next((way for way in WAYS[1:] if numbers_of(one, way)[0] == number), "")


def numbers_of(stamps: pd.Index, way: str) -> pd.Index:
    """Return stamps as the numbers that they would be written as.

    >>> numbers_of(pd.date_range("2024-01-31", periods=2), "yyyymmdd").tolist()
    [20240131, 20240201]
    """
    if not isinstance(stamps, pd.DatetimeIndex) or not way:
        return stamps
    if way in _UNITS:
        instants = stamps.tz_convert(None) if stamps.tz is not None else stamps
        counts = instants.to_numpy().astype("datetime64[us]").astype(np.int64)
        if way == "ns":
            return pd.Index(counts * 1000)
        return pd.Index(counts // {"s": 1_000_000, "ms": 1000, "us": 1}[way])
    parts = (("year", stamps.year), ("mm", stamps.month), ("dd", stamps.day))
    number = np.zeros(len(stamps), np.int64)
    for name, part in parts:
        if name in way or name == "year":
            number = number * (1 if name == "year" else 100) + np.asarray(part, np.int64)
    return pd.Index(number)
