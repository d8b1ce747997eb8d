"""Missing values bridged by the season: what stood at the same step of the latest season known.

The last known value says little about a missing Tuesday after a Monday; the Tuesday before says
more. Nothing here looks ahead: a value is bridged by earlier ones alone.
"""

import numpy as np


def latest_known(known: np.ndarray, offsets: np.ndarray, season: int) -> np.ndarray:
    """Return for each row the latest known one that lies whole seasons before, or itself.

    Args:
        known: whether a row has a value, (rows,).
        offsets: where each series begins, (series + 1,).
        season: steps in a season, 1 for none.

    Returns:
        (rows,) int; -1 where no season before has a value.

    Example:
        >>> latest_known(np.array([1, 1, 0, 0, 1, 0], bool), np.array([0, 6]), season=2)
        array([0, 1, 0, 1, 4, 1])
    """
    rows = np.arange(len(known))
    begin = np.repeat(offsets[:-1], np.diff(offsets))
    phase = (rows - begin) % season
    order = np.lexsort((rows, phase, begin)) if season > 1 else rows
    group = np.flatnonzero(
        np.append(True, (np.diff(begin[order]) != 0) | (np.diff(phase[order]) != 0))
    )
    first = np.repeat(group, np.diff(np.append(group, len(rows))))
    latest = np.maximum.accumulate(np.where(known[order], rows, -1))  # places in the order
    source = np.empty(len(rows), np.int64)
    source[order] = np.where(latest >= first, order[np.maximum(latest, 0)], -1)
    return source


def bridged(values: np.ndarray, known: np.ndarray, offsets: np.ndarray, season: int) -> np.ndarray:
    """Return values in which missing ones stand as the latest season has them.

    They are moved by as much as the series has moved from season to season, on average over the
    known ones of the season that ends there. Where no season before is known, what was given stays.

    Args:
        values: (rows,) float, anything where they aren't known.
        known: whether they are, (rows,).
        offsets: where each series begins, (series + 1,).
        season: steps in a season.

    Example:
        >>> week = np.array([10.0, 20, 30, 40, 50, 80, 60])
        >>> values = np.concatenate([week, 1 + week, 2 + week])
        >>> gone = np.isin(np.arange(21), [15, 16])
        >>> bridged(np.where(gone, 0, values), ~gone, np.array([0, 21]), season=7)[14:18]
        array([12., 22., 32., 42.])
    """
    if known.all() or season < 2:
        return values
    source = latest_known(known, offsets, season)
    rows = np.arange(len(values))
    begin = np.repeat(offsets[:-1], np.diff(offsets))
    # What each known value moved by since the season known before it, for one season.
    before = np.where(rows - season >= begin, source[np.maximum(rows - season, 0)], -1)
    pair = known & (before >= 0)
    seasons = np.where(pair, (rows - before) // season, 1)
    move = np.where(pair, (values - values[before]) / seasons, 0.0)
    start = np.maximum(rows - season + 1, begin)
    count = _sums(pair.astype(np.float64), start)
    mean = _sums(move, start) / np.maximum(count, 1)
    there = ~known & (source >= 0)
    back = (rows - source) // season
    return np.where(there, values[source] + back * mean, values)


def _sums(values: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the sum of the rows from ``start`` on up to each row, itself included."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total[1:] - total[start]
