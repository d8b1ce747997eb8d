"""What one series looks like: from when to when, how large, its seasons, what stands out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from statewise.sequences.outliers import find_outliers
from statewise.sequences.panel import Panel
from statewise.sequences.shown_seasons import shown_seasons
from statewise.sequences.time_series import TimeSeries

_FAR = 4.0  # times the distance between the quartiles


@dataclass(frozen=True, eq=False)
class SeriesFacts:
    """What one series looks like.

    Attributes:
        name: its key, or its column.
        time: (steps,); a stamp or a number for each step of its calendar.
        values: (steps,); NaN where one is missing.
        missing: how many are; steps without a row are among them.
        low: the lowest value; NaN where there is none.
        middle: the median.
        high: the highest.
        seasons: steps in those that the calendar offers and the values show.
        outliers: positions of the steps that stand out, the farthest first.
    """

    name: str
    time: pd.Index
    values: np.ndarray
    missing: int
    low: float
    middle: float
    high: float
    seasons: tuple[int, ...]
    outliers: np.ndarray

    def __len__(self) -> int:
        """The number of steps."""
        return len(self.values)

    @property
    def constant(self) -> bool:
        """Whether all values are the same."""
        return self.low == self.high


def facts_of(name: str, time: pd.Index, values: np.ndarray, frequency: str) -> SeriesFacts:
    """Return what a series looks like.

    Args:
        name: of the series.
        time: (steps,).
        values: (steps,); NaN where one is missing.
        frequency: pandas' alias, as in ``TimeSeries.frequency``.

    Example:
        >>> from statewise import datasets
        >>> table = datasets.airline()
        >>> facts = facts_of("air", pd.Index(table["month"]), table["passengers"].to_numpy(), "MS")
        >>> facts.low, facts.middle, facts.high, facts.seasons, len(facts.outliers)
        (104.0, 265.5, 622.0, (12,), 0)
    """
    values = np.asarray(values, np.float64)
    known = values[~np.isnan(values)]
    low, middle, high = (
        (known.min(), np.median(known), known.max()) if len(known) else (np.nan,) * 3
    )
    seasons = tuple(shown_seasons(frequency, _within_reach(values))) if low < high else ()
    return SeriesFacts(
        name=name,
        time=time,
        values=values,
        missing=len(values) - len(known),
        low=float(low),
        middle=float(middle),
        high=float(high),
        seasons=seasons,
        outliers=find_outliers(values, seasons[0] if seasons else 1),
    )


def _within_reach(values: np.ndarray) -> np.ndarray:
    """Bring values that are far from all others nearer: one alone would hide a season."""
    quarter, more = np.nanquantile(values, [0.25, 0.75])
    far = _FAR * (more - quarter)
    return np.clip(values, quarter - far, more + far) if far > 0 else values


def each_series(data: TimeSeries | Panel) -> Iterator[tuple[str, pd.Index, np.ndarray, str]]:
    """Yield the arguments of `facts_of` for one series, or for each of a panel.

    What was filled in is missing.

    Example:
        >>> from statewise.sequences import read_series
        >>> series = read_series(pd.DataFrame({"y": [1.0, None, 3.0]}), missing="fill")
        >>> [(name, values.tolist()) for name, _, values, _ in each_series(series)]
        [('y', [1.0, nan, 3.0])]
    """
    if isinstance(data, TimeSeries):
        values = data.values[:, 0]
        if data.known is not None:
            values = np.where(data.known, values, np.nan)
        yield str(data.names[0]), data.time, values, data.frequency
        return
    for place, (begin, end) in enumerate(zip(data.offsets[:-1], data.offsets[1:], strict=True)):
        calendar = data.calendars[data.calendar_of[place]]
        yield (
            str(data.keys[place]),
            data.time[begin:end],
            data.values[begin:end, 0],
            calendar.frequency,
        )
