"""Clocks on a wall: stamps without a zone in which an hour comes twice when summer time ends."""

import numpy as np
import pandas as pd

_HOUR = 3_600_000_000
# One zone for each way to change the clock, those of the most tables first.
_ZONES = (
    *("CET", "America/New_York", "Europe/London", "EET", "Australia/Sydney", "Pacific/Auckland"),
    *("Asia/Jerusalem", "America/Santiago", "America/Asuncion", "America/Havana"),
    *("Asia/Beirut", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Asia/Tehran"),
)


def find_zone(stamps: pd.DatetimeIndex) -> str | None:
    """Return a zone whose clock shows these stamps, where an hour comes twice in them.

    All hours that come twice must do so there, and none of the stamps may be one that never came.

    Args:
        stamps: without a zone, as they come in the file: sorted, newest first, one series after
            another, or all series at each time.

    Example:
        >>> hours = pd.date_range("2025-10-25", periods=60, freq="h", tz="CET").tz_localize(None)
        >>> find_zone(hours), find_zone(hours.unique())
        ('CET', None)
    """
    found = _second_hours(stamps)
    if found is None:
        return None
    order, second = found
    wall = stamps[order]
    for zone in _ZONES:
        if _fits(wall, second, zone):
            return zone
    return None


def in_wall_zone(stamps: pd.DatetimeIndex, zone: str) -> pd.DatetimeIndex:
    """Return the stamps of a clock in its zone, the hour that comes twice first in summer time."""
    order, second = _second_hours(stamps) or (np.arange(len(stamps)), np.zeros(len(stamps), bool))
    summer = np.ones(len(stamps), bool)
    summer[order] = ~_standing(stamps[order], second, zone)
    return stamps.tz_localize(zone, ambiguous=summer, nonexistent="NaT")


def _second_hours(stamps: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the order of time, and where in it the clock was just set back by an hour."""
    known = np.flatnonzero(stamps.notna())
    if len(known) < 3:
        return None
    wall = stamps[known].to_numpy().astype("M8[us]").astype(np.int64)
    steps = np.diff(wall)
    if np.median(steps) < 0 or (steps < 0).sum() > (steps > 0).sum():
        known, wall = known[::-1], wall[::-1]
    heads = _heads(wall)
    steps = np.diff(wall[heads])
    forward = steps[steps > 0]
    if not len(forward):
        return None
    step = int(np.median(forward))
    if not 0 < step <= _HOUR or (steps == step).mean() < 0.5:
        return None
    set_back = np.zeros(len(known), bool)
    set_back[heads[1:]] = steps == step - _HOUR
    return (known, set_back) if set_back.any() else None


def _heads(wall: np.ndarray) -> np.ndarray:
    """Return the rows that begin a time: all of them, or the first of each for many series.

    Where series stand side by side, each time comes as often as there are series; where twice as
    often as before and after, the clock was set back in between.
    """
    begins = np.flatnonzero(np.append(True, np.diff(wall) != 0))
    counts = np.diff(np.append(begins, len(wall)))
    if np.median(counts) < 2:
        return np.arange(len(wall))
    twice = np.zeros(len(counts), bool)
    twice[1:-1] = (counts[1:-1] == 2 * counts[:-2]) & (counts[1:-1] == 2 * counts[2:])
    return np.sort(np.append(begins, (begins + counts // 2)[twice]))


def _fits(wall: pd.DatetimeIndex, set_back: np.ndarray, zone: str) -> bool:
    """Tell whether every setting back is one of the zone, and every stamp was shown there."""
    late = wall.tz_localize(zone, ambiguous=np.zeros(len(wall), bool), nonexistent="NaT")
    if late.isna().any():
        return False
    early = wall.tz_localize(zone, ambiguous=np.ones(len(wall), bool), nonexistent="NaT")
    twice = early != late
    if not twice[set_back].all():
        return False
    summer = ~_standing(wall, set_back, zone)
    instants = wall.tz_localize(zone, ambiguous=summer, nonexistent="NaT").tz_convert(None)
    steps = np.diff(instants.to_numpy().astype("M8[us]").astype(np.int64))
    return bool((steps[set_back[1:]] > 0).all())


def _standing(wall: pd.DatetimeIndex, set_back: np.ndarray, zone: str) -> np.ndarray:
    """Tell which stamps come after the clock was set back, in the hour that comes twice."""
    late = wall.tz_localize(zone, ambiguous=np.zeros(len(wall), bool), nonexistent="NaT")
    early = wall.tz_localize(zone, ambiguous=np.ones(len(wall), bool), nonexistent="NaT")
    twice = np.asarray(early != late)
    begins = twice & ~np.append(False, twice[:-1])
    block = np.cumsum(begins)
    seen = np.cumsum(set_back & twice)
    before = np.zeros(block[-1] + 1, np.int64) if len(block) else np.zeros(1, np.int64)
    at = np.flatnonzero(begins)
    before[1:] = seen[at] - (set_back & twice)[at]
    return twice & (seen > before[block])
