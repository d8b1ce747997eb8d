"""What is known of series, step by step of their calendar, and what stands in for what isn't."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from statewise.sequences import Panel, TimeSeries
from statewise.sequences.bridging import bridged
from statewise.sequences.holidays import fits_week, with_absent


def counts_calendar(panel: Panel, seasons: Sequence[int]) -> bool:
    """Whether one of the seasons counts steps of the calendar, not rows."""
    return any(fits_week(panel, season) for season in seasons)


def on_calendar(panel: Panel, seasons: Sequence[int]) -> Panel:
    """Return the panel by the steps of its calendar, where one of the seasons counts those.

    Days without a row are steps then: holidays of business days, rows that were left out.
    """
    return with_absent(panel) if counts_calendar(panel, seasons) else panel


def absent_note(rows: int, steps: int) -> list[str]:
    """Say how many steps of the calendar have no row; nothing where all have."""
    if rows == steps:
        return []
    return [
        f"{steps - rows} of {steps} steps of the calendar have no row, such as holidays: they "
        "count as steps of the season, without a value"
    ]


def stand_in(values: np.ndarray, season: int, given: np.ndarray | None = None) -> np.ndarray:
    """Return one series in which missing values stand as the latest season known has them.

    Where no season before is known, what is ``given`` stands; without it, a line between the
    neighbours, at an end the nearest of them.

    >>> stand_in(np.array([1.0, 5, 2, 1, np.nan, 2, 1]), season=3)
    array([1., 5., 2., 1., 5., 2., 1.])
    >>> stand_in(np.array([1.0, np.nan, 3, np.nan]), season=1)
    array([1., 2., 3., 3.])
    """
    known = ~np.isnan(values)
    if known.all():
        return values
    if given is None:
        steps = np.arange(len(values))
        given = np.interp(steps, steps[known], values[known])
    filled = np.where(known, values, given)
    return bridged(filled, known, np.array([0, len(values)]), season)


def as_it_came(series: TimeSeries, panel: Panel, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Return one series by the steps of its calendar as it was known while it came in.

    Args:
        series: as given.
        panel: the same, by the steps of its calendar.
        season: steps in a season.

    Returns:
        Its values, (steps,), each that is missing filled in by earlier ones; and the places of the
        series' own steps.
    """
    rows = places_of(panel, series)
    given = np.full(len(panel.values), np.nan)
    given[rows] = series.values[:, 0]
    given = pd.Series(given).ffill().to_numpy()
    return stand_in(panel.values[:, 0], season, given), rows


def places_of(panel: Panel, series: TimeSeries) -> np.ndarray:
    """Return where a series' own steps are among those of its calendar, (time,)."""
    if len(panel.values) == len(series):
        return np.arange(len(series))
    return np.flatnonzero(panel.time.isin(series.time))
