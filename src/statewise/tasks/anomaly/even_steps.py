"""Rows of a series laid on even steps of time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from statewise.tasks.anomaly.data import Given


class Steps(NamedTuple):
    """The rows of a series on even steps.

    Attributes:
        values: (steps, features); NaN where no row is, or a value is missing.
        places: which step each row is.
        disordered: rows whose time doesn't come after that of the row before.
    """

    values: np.ndarray
    places: np.ndarray
    disordered: int


def seconds_between(given: Sequence[Given]) -> float:
    """Return the usual time between two rows: seconds, or numbers; 0.0 where there are none."""
    found = [_differences(one.time) for one in given if one.time is not None and len(one.time) > 1]
    every = np.abs(np.concatenate(found)) if found else np.zeros(0)
    every = every[every > 0]
    return float(np.median(every)) if every.size else 0.0


def on_steps(given: Given, between: float, season: int) -> Steps:
    """Lay the rows of a series on even steps, so that what is absent doesn't shift the season.

    Args:
        given: the series.
        between: usual time between two rows; 0 where rows are steps.
        season: steps; a longer gap than two seasons is shortened by whole ones.
    """
    count = len(given.values)
    if given.time is None or not between or count < 2:
        return Steps(given.values, np.arange(count), 0)
    apart = _differences(given.time)
    gaps = np.maximum(np.rint(apart / between), 1.0)
    most = 2.0 * max(season, 32)
    whole = max(season, 1)
    gaps = np.where(gaps > most, (gaps - most) % whole + most, gaps)
    places = np.concatenate([[0], np.cumsum(gaps.astype(np.int64))])
    values = np.full((places[-1] + 1, given.values.shape[1]), np.nan)
    values[places] = given.values
    return Steps(values, places, int((apart <= 0).sum()))


def in_seconds(time: pd.Index) -> np.ndarray:
    """Return stamps as seconds, numbers as they are; whole seconds stay exact."""
    if isinstance(time, pd.DatetimeIndex):
        utc = time.tz_convert(None) if time.tz is not None else time
        return utc.to_numpy().astype("datetime64[us]").astype(np.int64) / 1e6
    return time.to_numpy(np.float64)


def _differences(time: pd.Index) -> np.ndarray:
    return np.diff(in_seconds(time))
