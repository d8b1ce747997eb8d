"""Which of several columns of times is the time of a table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.reading.time_names import rank_of
from statewise.sequences.reading.times import times_of
from statewise.sequences.tables import DataError, listed


def first_of(
    frame: pd.DataFrame, names: Sequence[str], dayfirst: bool | None
) -> tuple[str, list[str]]:
    """Return the one of several columns of times that is the time, and what to say about it.

    Raises:
        DataError: where nothing decides between them.
    """
    if len(names) == 1:
        return names[0], []
    ranks = {name: rank_of(name) for name in names}
    best = [name for name in names if ranks[name] == min(ranks.values())]
    stamps = {name: times_of(frame[name], dayfirst=dayfirst).stamps for name in best}
    if len(best) > 1:
        best = _finest(best, stamps)
    if len(best) > 1:
        even = [name for name in best if _goes_evenly(stamps[name])]
        best = even or best
    if len(best) > 1 and not _keep_apart(best, stamps):
        raise DataError(
            f"there are {len(best)} columns of dates ({listed(best)}): name one as time (--time)"
        )
    others = [name for name in names if name != best[0]]
    return best[0], [f"the time is {best[0]!r}, not {listed(map(repr, others))}"]


def _finest(names: Sequence[str], stamps: dict[str, pd.Index]) -> list[str]:
    """Leave out a column that follows from another, as the month does from the day."""
    codes = {name: pd.factorize(stamps[name])[0].astype(np.int64) for name in names}
    counts = {name: len(np.unique(codes[name])) for name in names}
    left = []
    for name in names:
        follows = any(
            counts[other] > counts[name]
            and len(np.unique(codes[other] * (counts[name] + 1) + codes[name])) == counts[other]
            for other in names
        )
        if not follows:
            left.append(name)
    return left


def _goes_evenly(stamps: pd.Index) -> bool:
    known = stamps[stamps.notna()].unique().sort_values()
    return len(known) > 2 and find_calendar(known) is not None


def _keep_apart(names: Sequence[str], stamps: dict[str, pd.Index]) -> bool:
    """Tell columns that stand at the same distance throughout, as a beginning and an end do."""
    first = stamps[names[0]]
    for name in names[1:]:
        other = stamps[name]
        if not isinstance(first, pd.DatetimeIndex) or not isinstance(other, pd.DatetimeIndex):
            return False
        if (first.tz is None) != (other.tz is None):
            return False
        distance = (other - first).dropna()
        if not len(distance) or (distance == distance[0]).mean() < 0.95:
            return False
    return True
