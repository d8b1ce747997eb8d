"""Rows of many series put where they stand on their calendar, with the steps between them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from statewise.sequences._grids import Grid as Grid
from statewise.sequences._grids import grid_of as grid_of
from statewise.sequences._grids import place
from statewise.sequences.panel import Panel


def placed(rows: Panel, grid: Grid | None = None) -> Panel:
    """Return a panel with a calendar, and with rows of missing values where it has more than came.

    Args:
        rows: of all series, in the order of their stamps, as `read_rows` gives them.
        grid: the calendar and all its stamps, where these are known of more series than there are
            here, see `grid_of`; None finds them.

    Raises:
        DataError: where a series is uneven, or the series go on in different steps; where one
            doesn't go on by the steps of a grid that was given.

    Example:
        >>> import pandas as pd
        >>> from statewise.sequences.panel_reading import read_rows
        >>> rows = read_rows(pd.DataFrame({"ds": [1, 2, 4], "y": [1.0, 2.0, 4.0]}))
        >>> placed(rows).values[:, 0]
        array([ 1.,  2., nan,  4.])
    """
    offsets = rows.offsets
    calendars, calendar_of, stamps, positions = place(rows.time, offsets, rows.keys, grid)
    counts = rows.lengths
    lengths = positions[offsets[1:] - 1] - positions[offsets[:-1]] + 1
    values, future, time = rows.values, rows.future, rows.time
    if (lengths != counts).any():
        values, future, time, offsets = _with_absent(
            values, future, stamps, positions, offsets, lengths
        )
    return replace(
        rows,
        offsets=offsets,
        values=values,
        time=time.rename(rows.columns.time),
        calendars=calendars,
        calendar_of=calendar_of,
        future=future,
    )


def joined(parts: Sequence[Panel]) -> Panel:
    """Return the series of several panels as one, all of them without a calendar yet.

    Args:
        parts: with the same columns, as `read_rows` gives them; at least one.

    Example:
        >>> import pandas as pd
        >>> from statewise.sequences.panel_reading import read_rows
        >>> one = read_rows(pd.DataFrame({"ds": [1, 2, 3], "y": [1.0, 2.0, 4.0]}))
        >>> both = joined([one, one])
        >>> both.offsets.tolist(), both.values[:, 0].tolist()
        ([0, 3, 6], [1.0, 2.0, 4.0, 1.0, 2.0, 4.0])
    """
    first, *others = parts
    if not others:
        return first
    return replace(
        first,
        keys=np.concatenate([part.keys for part in parts]),
        offsets=np.concatenate([[0], np.cumsum(np.concatenate([p.lengths for p in parts]))]),
        values=np.concatenate([part.values for part in parts]),
        time=first.time.append([part.time for part in others]),
        calendar_of=np.concatenate([part.calendar_of for part in parts]),
        future={n: np.concatenate([p.future[n] for p in parts]) for n in first.future},
        static={n: np.concatenate([p.static[n] for p in parts]) for n in first.static},
    )


def _with_absent(values, future, grid, positions, offsets, lengths):
    """Put in the rows that the calendar has and the table hasn't, with missing values."""
    begin = np.concatenate([[0], np.cumsum(lengths)])
    counts = np.diff(offsets)
    first = positions[offsets[:-1]]
    rows = positions + np.repeat(begin[:-1] - first, counts)
    full = np.full((begin[-1], values.shape[1]), np.nan)
    full[rows] = values
    stamps = grid.take(np.arange(begin[-1]) + np.repeat(first - begin[:-1], lengths))
    filled = {}
    for name, column in future.items():
        if column.dtype.kind != "f":
            # A category goes on until another one is said.
            source = np.zeros(begin[-1], int)
            source[rows] = np.arange(len(rows))
            filled[name] = column[np.maximum.accumulate(source)]
        else:
            filled[name] = np.full(begin[-1], np.nan)
            filled[name][rows] = column
    return full, filled, stamps, begin
