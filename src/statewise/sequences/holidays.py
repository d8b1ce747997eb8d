"""Days without a row, put in where the week counts: positions are then those of the calendar.

Business days and opening hours leave holidays out, and a table may leave out what is missing. Where
a season of five or seven steps is looked for, counting the rows there are would shift every weekday
that follows.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from statewise.sequences.panel import Panel


def fits_week(panel: Panel, season: int) -> bool:
    """Whether a season counts steps of a calendar, not rows: see `Calendar.counts_absent`."""
    return panel.calendar.counts_absent(season)


def with_absent(panel: Panel) -> Panel:
    """Return a panel with a row for each step of its calendar, missing values where it had none.

    A known-future input of numbers is missing there too; a category goes on until another is said.

    Example:
        >>> from statewise.sequences import read_panel
        >>> days = pd.bdate_range("2024-04-22", "2024-05-03").drop("2024-05-01")
        >>> panel = read_panel(pd.DataFrame({"ds": days, "y": np.arange(9.0)}))
        >>> with_absent(panel).values[5:, 0]
        array([ 5.,  6., nan,  7.,  8.])
    """
    positions = positions_of(panel)
    if positions is None:
        return panel
    counts = positions[panel.offsets[1:] - 1] + 1
    if (counts == panel.lengths).all():
        return panel
    offsets = np.concatenate([[0], np.cumsum(counts)])
    rows = positions + np.repeat(offsets[:-1], panel.lengths)
    values = np.full((offsets[-1], panel.values.shape[1]), np.nan)
    values[rows] = panel.values
    source = np.zeros(offsets[-1], int)
    source[rows] = np.arange(len(rows))
    source = np.maximum.accumulate(source)
    future = {}
    for name, column in panel.future.items():
        future[name] = column[source]
        if column.dtype.kind == "f":
            future[name] = np.full(offsets[-1], np.nan)
            future[name][rows] = column
    return replace(
        panel,
        offsets=offsets,
        values=values,
        time=_stamps(panel, counts, rows),
        future=future,
    )


def positions_of(panel: Panel) -> np.ndarray | None:
    """Return the place of each row in its series' calendar; None where there is no telling."""
    if len(panel.calendars) == 1:
        # From the earliest stamp on all series stand on one grid, nearly always.
        first = panel.time[panel.offsets[:-1]].argmin()
        front = panel.time[[panel.offsets[first]]].append(panel.time)
        together = panel.calendar.positions(front)
        if together is not None:
            each = together[1:]
            return each - np.repeat(each[panel.offsets[:-1]], panel.lengths)
    found = []
    for i, calendar in enumerate(panel.calendar_of):
        own = panel.time[panel.offsets[i] : panel.offsets[i + 1]]
        found.append(panel.calendars[calendar].positions(own))
        if found[-1] is None:
            return None
    return np.concatenate(found)


def _stamps(panel: Panel, counts: np.ndarray, rows: np.ndarray) -> pd.Index:
    """Return the stamps of all steps: those there are as they stand, the others of the calendar."""
    firsts = panel.time[panel.offsets[:-1]]
    parts = [
        panel.calendars[calendar].stamps(first, count)
        for first, count, calendar in zip(firsts, counts, panel.calendar_of, strict=True)
    ]
    stamps = parts[0].append(parts[1:]) if len(parts) > 1 else parts[0]
    stamps = stamps.to_series(index=range(len(stamps)))
    stamps.iloc[rows] = panel.time.to_series(index=range(len(panel.time)))
    return pd.Index(stamps).rename(panel.time.name)
