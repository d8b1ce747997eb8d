"""Time stamps written as whole numbers (20240131, years, epochs) or as text, and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

_UNITS = ("s", "ms", "us", "ns")
_NUMBERS = ("year", "yyyymm", "yyyymmdd", *_UNITS)
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d", "%Y-%m")
_TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M")
_TEXTS = tuple(date + time for date in _DATES for time in _TIMES)
WAYS = ("", *_NUMBERS, *_TEXTS)


def number_way(number: Any, stamp: Any) -> str:
    """Return in which way a whole number was read as a stamp; "" where it was none, or unknown.

    >>> number_way(20240131, pd.Timestamp("2024-01-31"))
    'yyyymmdd'
    """
    if not isinstance(number, (int, np.integer)) or not isinstance(stamp, pd.Timestamp):
        return ""
    one = pd.DatetimeIndex([stamp])
    return next((way for way in _NUMBERS if written(one, way)[0] == number), "")


def text_way(texts: Sequence[Any], stamps: pd.Index) -> str:
    """Return in which way text was read as stamps; "" where there is no telling.

    Args:
        texts: some of them.
        stamps: those that were read, all of them.

    >>> text_way(["03.02.2024"], pd.DatetimeIndex(["2024-02-03", "2024-02-04"]))
    '%d.%m.%Y'
    """
    if not isinstance(stamps, pd.DatetimeIndex) or stamps.tz is not None or not len(texts):
        return ""
    return next((way for way in _TEXTS if _was_written(texts, stamps, way)), "")


def written(stamps: pd.Index, way: str) -> pd.Index:
    """Return stamps as they would be written.

    >>> written(pd.date_range("2024-01-31", periods=2), "yyyymmdd").tolist()
    [20240131, 20240201]
    """
    if not isinstance(stamps, pd.DatetimeIndex) or not way:
        return stamps
    if way in _TEXTS:
        texts = stamps.strftime(way)
        there = pd.to_datetime(texts, format=way, errors="coerce") == stamps
        return texts if there.all() else stamps  # a time of day that the way leaves out
    if way in _UNITS:
        instants = stamps.tz_convert(None) if stamps.tz is not None else stamps
        counts = instants.to_numpy().astype("datetime64[us]").astype(np.int64)
        if way == "ns":
            return pd.Index(counts * 1000)
        return pd.Index(counts // {"s": 1_000_000, "ms": 1000, "us": 1}[way])
    number = np.asarray(stamps.year, np.int64)
    for name, part in (("mm", stamps.month), ("dd", stamps.day)):
        if name in way:
            number = number * 100 + np.asarray(part, np.int64)
    return pd.Index(number)


def _was_written(texts: Sequence[Any], stamps: pd.DatetimeIndex, way: str) -> bool:
    """Whether all of these texts are some of the stamps, written in a way."""
    try:
        read = pd.DatetimeIndex([datetime.strptime(text, way) for text in texts])
    except (ValueError, TypeError):
        return False
    return bool((read.strftime(way) == np.array(texts, object)).all() and read.isin(stamps).all())
