"""Time stamps and spans in words, as short as they are; and what to do about uneven ones."""

from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences.calendar_search import usual_step


def describe_uneven(stamps: pd.Index) -> str:
    """Say what to do about uneven stamps: they may be even by the clock of a zone they don't have.

    Example:
        >>> describe_uneven(pd.Index([1, 2, 4]))
        'bring them to even steps first'
    """
    if isinstance(stamps, pd.DatetimeIndex) and stamps.tz is not None and len(stamps) > 2:
        hours = np.diff(stamps.tz_convert(None).to_numpy()) / np.timedelta64(1, "h")
        off = np.abs(hours - 24 * np.round(hours / 24))
        if (hours >= 23).all() and (off <= 1).all():
            return (
                "if they are even by the clock of a zone with summer time, give them that zone "
                'first, for example by dt.tz_convert("Europe/Berlin")'
            )
    step = usual_step(stamps) if isinstance(stamps, pd.DatetimeIndex) else None
    if step is not None:
        return f'bring them to even steps by every="{step}" (--every {step})'
    return "bring them to even steps first"


def format_stamp(stamp: Any) -> str:
    """Write a time stamp as short as it is: a date where it has no time of day."""
    if not isinstance(stamp, pd.Timestamp):
        return f"{stamp:g}" if isinstance(stamp, float) else str(stamp)
    # Not date(), which Python has up to the year 9999 only.
    day = f"{stamp.year:04}-{stamp.month:02}-{stamp.day:02}"
    return day if stamp == stamp.normalize() else str(stamp)


def format_stamps(stamps: pd.Index) -> np.ndarray:
    """Write a column of stamps all in one way: as dates where none has a time of day.

    Example:
        >>> format_stamps(pd.date_range("2024-01-31 23:00", periods=2, freq="h")).tolist()
        ['2024-01-31 23:00:00', '2024-02-01 00:00:00']
    """
    codes, unique = pd.factorize(stamps)
    dated = isinstance(unique, pd.DatetimeIndex)
    whole = dated and bool((unique == unique.normalize()).all())
    said = [str(stamp) if dated and not whole else format_stamp(stamp) for stamp in unique]
    return np.array(said, object)[codes]


def format_span(span: Any) -> str:
    """Write the time between two stamps as short as it is: whole days where it is that."""
    if not isinstance(span, pd.Timedelta):
        return f"{span:g}"
    if span % pd.Timedelta(days=1):
        return str(span)
    return f"{span.days} day" + ("s" if span.days != 1 else "")
