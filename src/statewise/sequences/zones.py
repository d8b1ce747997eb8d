"""Time stamps with a zone: what the clock on the wall shows there, and back.

Days, weeks and months are even by that clock, although a day has 23 or 25 hours where the clock is
changed; hours are even as instants. An hour may never come in a zone, or come twice.
"""

from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd


def on_the_wall(stamps: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, int | None]:
    """Return what the clock shows at stamps a day or more apart, without a zone.

    Where that time never comes on a day, the stamp stands at a later one: it is set back to the
    time of day that it was meant to have, the usual one.

    Returns:
        The stamps, and the usual time of day in microseconds; None where no stamp was set back.

    Example:
        >>> days = pd.date_range("2024-03-30", periods=3)  # in Beirut changed at midnight
        >>> days = in_zone(days, "Asia/Beirut")
        >>> days.hour.tolist()
        [0, 1, 0]
        >>> on_the_wall(days)[0].hour.tolist()
        [0, 0, 0]
    """
    wall = stamps.tz_localize(None)
    days = wall.normalize()
    times, counts = np.unique((wall - days).to_numpy(), return_counts=True)
    if len(times) == 1:
        return wall, None
    usual = pd.Timedelta(times[counts.argmax()])
    meant = days + usual
    never = meant.tz_localize(stamps.tz, ambiguous=_first(meant), nonexistent="NaT").isna()
    if not never.any():
        return wall, None
    return pd.DatetimeIndex(np.where(never, meant, wall)), usual // pd.Timedelta(microseconds=1)


def in_zone(wall: pd.DatetimeIndex, zone: tzinfo | str) -> pd.DatetimeIndex:
    """Return stamps of a clock on the wall with their zone.

    A time that comes twice is taken for the first of the two; instead of one that never comes
    stands the first that does.
    """
    return wall.tz_localize(zone, ambiguous=_first(wall), nonexistent="shift_forward")


def comes(wall: pd.DatetimeIndex, zone: tzinfo | str) -> np.ndarray:
    """Whether times on the wall ever come in a zone, or the clock is set forward over them.

    Example:
        >>> comes(pd.date_range("2024-03-31 01:00", periods=3, freq="h"), "Europe/Berlin").tolist()
        [True, False, True]
    """
    return wall.tz_localize(zone, ambiguous=_first(wall), nonexistent="NaT").notna()


def in_place_of(grid: pd.DatetimeIndex, places: Any, stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return a grid in which stamps stand as they were given: the second of two equal hours, too.

    Args:
        grid: in a zone.
        places: of the stamps in the grid.
        stamps: in that zone.
    """
    instants = grid.as_unit("us").tz_convert(None).to_numpy().copy()
    instants[places] = stamps.as_unit("us").tz_convert(None).to_numpy()
    return pd.DatetimeIndex(instants, tz="UTC").tz_convert(grid.tz)


def in_zone_of(stamps: pd.Index, like: pd.Index) -> pd.Index:
    """Return stamps in the zone of others, where both have one."""
    zones = [getattr(index, "tz", None) for index in (stamps, like)]
    if None in zones or zones[0] == zones[1]:
        return stamps
    return stamps.tz_convert(zones[1])


def _first(wall: pd.DatetimeIndex) -> np.ndarray:
    return np.ones(len(wall), bool)  # summer time, which goes before
