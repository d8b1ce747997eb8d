"""What a command takes where its options don't say."""

from typing import Any

import numpy as np

from statewise.sequences import Panel, TimeSeries
from statewise.sequences.season import season_lengths
from statewise.tasks import Forecaster

LEVEL = (80.0,)  # of the intervals of one series
LEVELS = (80.0, 95.0)  # of those in a report, and for panels
_CHOOSABLE = ("season", "lookback", "cell", "units", "layers", "likelihood", "epochs", "seed")


def forecaster_for(
    data: Panel | TimeSeries, horizon: int | None, options: dict[str, Any], windows: int = 1
) -> Forecaster:
    """Return a forecaster with these options.

    Args:
        data: what it will learn from.
        horizon: None to take what the calendar proposes.
        options: of the command; None for the forecaster's own.
        windows: how many times so many steps are to be forecast.
    """
    given = {name: options[name] for name in _CHOOSABLE if options.get(name) is not None}
    if horizon is None:
        if isinstance(data, Panel):
            frequency, steps = data.calendar.frequency, int(np.median(data.lengths))
        else:
            frequency, steps = data.frequency, len(data)
        # All windows together may take a third of the series.
        most = 6 * (steps // max(6, 3 * windows))
        horizon = default_horizon(frequency, most, given.get("season"))
    return Forecaster(horizon=horizon, **given)


def default_horizon(frequency: str, steps: int, season: int | tuple[int, ...] | None) -> int:
    """Return two seasons, if that is not too much of a series.

    The calendar alone decides, not the values: those at the end are about to be held out.
    """
    if season is None:
        lengths = list(season_lengths(frequency))
    else:
        lengths = [season] if isinstance(season, int) else sorted(season)
    first = lengths[0] if lengths else 1
    return max(1, min(2 * first if first > 1 else 12, steps // 6))
