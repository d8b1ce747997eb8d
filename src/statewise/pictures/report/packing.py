"""The numbers of many series made small: two bytes for each value.

The values of a series, those of all its forecasts and the ends of its intervals are told as whole
numbers between the lowest and the highest of them: finer than any screen can show, and exact to
1/65,000 of that range. So a thousand series take about a megabyte.
"""

import base64
from typing import NamedTuple

import numpy as np
import pandas as pd

from statewise.sequences.stamp_words import format_stamp

_MISSING = 65535
_TOP = 65534
_REACH = 5  # ends of intervals farther off than so many ranges of the values are drawn there


class Packed(NamedTuple):
    """Numbers as text.

    Attributes:
        text: base64 of little-endian 16-bit numbers, one series after the other.
        low: the value of 0 for each series.
        high: the value of 65534.
    """

    text: str
    low: list[float]
    high: list[float]


def pack(series: list[tuple[np.ndarray, np.ndarray]]) -> Packed:
    """Pack series.

    Args:
        series: for each the values that set its range, and the ends of intervals, which may be far
            off; flat arrays, NaN where a value is missing.

    >>> packed = pack([(np.array([1.0, np.nan, 3.0]), np.array([2.0]))])
    >>> np.frombuffer(base64.b64decode(packed.text), "<u2"), packed.low, packed.high
    (array([    0, 65535, 65534, 32767], dtype=uint16), [1.0], [3.0])
    """
    codes, lows, highs = [], [], []
    for values, ends in series:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        reach = _REACH * ((high - low) or abs(high) or 1.0)
        ends = np.clip(ends, low - reach, high + reach)
        known = ends[np.isfinite(ends)]
        if len(known):
            low, high = min(low, float(known.min())), max(high, float(known.max()))
        whole = np.concatenate([values, ends])
        there = np.isfinite(whole)
        width = (high - low) or 1.0
        code = np.full(len(whole), _MISSING, "<u2")
        code[there] = np.round((whole[there] - low) / width * _TOP)
        codes.append(code)
        # Eight digits are finer than the numbers themselves.
        lows.append(float(f"{low:.8g}"))
        highs.append(float(f"{low + width:.8g}"))
    text = base64.b64encode(np.concatenate(codes).tobytes()).decode("ascii")
    return Packed(text, lows, highs)


def stamps_of(series: list[pd.Index]) -> dict:
    """Return the stamps of all series as texts, each once, and for each series where it stands.

    Returns:
        "texts", in the order of time, and "at": for each series its first place, or a list of
        places where it leaves some out.

    >>> stamps_of([pd.Index([1, 2, 3]), pd.Index([2, 3]), pd.Index([1, 3])])
    {'texts': ['1', '2', '3'], 'at': [0, 1, [0, 2]]}
    """
    joined = series[0].append(series[1:]) if len(series) > 1 else series[0]
    unique = joined.unique().sort_values()
    places = unique.get_indexer(joined)
    at, begin = [], 0
    for stamps in series:
        own = places[begin : begin + len(stamps)]
        begin += len(stamps)
        even = (np.diff(own) == 1).all()
        at.append(int(own[0]) if even else own.tolist())
    return {"texts": [format_stamp(stamp) for stamp in unique], "at": at}
