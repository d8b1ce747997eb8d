"""Where the rows of many series stand on their calendars, found for all series at once."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.calendars import Calendar
from statewise.sequences.panel import format_keys
from statewise.sequences.stamp_words import describe_uneven, format_stamp
from statewise.sequences.tables import DataError

_LEAST = 3  # stamps that tell a calendar


class Places(NamedTuple):
    """Where rows stand.

    Attributes:
        calendars: the rules by which time goes on.
        calendar_of: for each series its place in ``calendars``.
        grid: stamps, those between which rows may be absent included.
        positions: for each row its place in ``grid``; a series' next step is the next place.
    """

    calendars: tuple[Calendar, ...]
    calendar_of: np.ndarray
    grid: pd.Index
    positions: np.ndarray


class Grid(NamedTuple):
    """A calendar that is known already.

    Attributes:
        calendar: the rule by which time goes on.
        stamps: all of its stamps, rising, from the first of any series to the last.
    """

    calendar: Calendar
    stamps: pd.Index


def grid_of(unique: pd.Index) -> Grid | None:
    """Return the calendar on which stamps of many series stand together; None where they have none.

    Args:
        unique: each stamp once, rising.
    """
    found = find_calendar(unique) if len(unique) >= _LEAST else None
    return None if found is None else Grid(*found)


def place(
    stamps: pd.Index, offsets: np.ndarray, keys: np.ndarray, grid: Grid | None = None
) -> Places:
    """Find the calendar of many series.

    Args:
        stamps: strictly increasing within each series, (rows,).
        offsets: where each series begins, (series + 1,).
        keys: of the series, for messages.
        grid: where it is known already: all series stand on it.

    Raises:
        DataError: where a series is uneven, or the series go on in different steps.
    """
    if grid is not None:
        return _on_grid(stamps, offsets, keys, grid)
    found = grid_of(stamps.unique().sort_values())
    if found is not None:
        positions = found.stamps.get_indexer(stamps)
        if (positions >= 0).all() and (_steps(positions, offsets) <= 1).all():
            return Places((found.calendar,), np.zeros(len(keys), int), found.stamps, positions)
    return _one_by_one(stamps, offsets, keys)


def _on_grid(stamps: pd.Index, offsets: np.ndarray, keys: np.ndarray, grid: Grid) -> Places:
    """Return the places of rows on a grid that is that of more series than these."""
    positions = grid.stamps.get_indexer(stamps)
    if (positions < 0).any():
        row = int((positions < 0).argmax())
        series = int(np.searchsorted(offsets, row, side="right")) - 1
        raise DataError(
            f"{format_stamp(stamps[row])} of series {format_keys(keys[series : series + 1])} is no "
            f"step of the calendar that all series have together, which is "
            f"{grid.calendar.phrase}"
        )
    wider = _steps(positions, offsets) > 1
    if wider.any():
        series = int(wider.argmax())
        raise DataError(
            f"the series have mixed frequencies: all together they are {grid.calendar.phrase}, but "
            f"{format_keys(keys[series : series + 1])} goes on in steps of several of these; "
            "forecast them apart"
        )
    return Places((grid.calendar,), np.zeros(len(keys), int), grid.stamps, positions)


def _steps(positions: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the greatest common divisor of each series' steps; 0 for one of fewer than 3 rows."""
    diffs = np.diff(positions, append=positions[-1])
    diffs[offsets[1:] - 1] = 0  # from one series to the next
    return np.where(np.diff(offsets) < _LEAST, 0, np.gcd.reduceat(np.abs(diffs), offsets[:-1]))


def _one_by_one(stamps: pd.Index, offsets: np.ndarray, keys: np.ndarray) -> Places:
    """Find a calendar for each series by itself: together they make no even grid."""
    found: dict[int, tuple[Calendar, pd.Index]] = {}
    for i, (start, stop) in enumerate(pairwise(offsets)):
        if stop - start < _LEAST:
            continue
        calendar_and_grid = find_calendar(stamps[start:stop])
        if calendar_and_grid is None:
            raise DataError(
                f"the time stamps of series {format_keys(keys[i : i + 1])} are uneven (from "
                f"{format_stamp(stamps[start])} to {format_stamp(stamps[stop - 1])}): "
                f"{describe_uneven(stamps[start:stop])}"
            )
        found[i] = calendar_and_grid
    if not found:
        raise DataError(
            f"no series has as many as {_LEAST} time steps: there is no telling how time goes on"
        )
    _check_same_step({i: calendar for i, (calendar, _) in found.items()}, keys)
    usual = next(iter(found.values()))[0]
    calendars: dict[Calendar, int] = {}
    calendar_of, grids, positions, begin = [], [], [], 0
    for i, (start, stop) in enumerate(pairwise(offsets)):
        own = stamps[start:stop]
        calendar, grid = found.get(i, (usual, own))
        calendar_of.append(calendars.setdefault(calendar, len(calendars)))
        positions.append(begin + grid.get_indexer(own))
        grids.append(grid)
        begin += len(grid)
    return Places(
        tuple(calendars),
        np.array(calendar_of),
        grids[0].append(grids[1:]),
        np.concatenate(positions),
    )


def _check_same_step(calendars: dict[int, Calendar], keys: np.ndarray) -> None:
    first, *others = calendars
    for i in others:
        one, other = calendars[first], calendars[i]
        if (one.unit, one.step) != (other.unit, other.step):
            raise DataError(
                f"the series have mixed frequencies: {format_keys(keys[first : first + 1])} is "
                f"{one.phrase}, {format_keys(keys[i : i + 1])} is {other.phrase}; "
                "forecast them apart"
            )
