"""One series with its calendar."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from statewise.sequences.arrays import check_count
from statewise.sequences.calendars import Calendar


@dataclass(frozen=True, eq=False)
class TimeSeries:
    """One series with its calendar.

    Attributes:
        values: (time, features) float64, finite, the target first.
        time: a time stamp, or a number, for each step.
        names: the column of each feature, the target first.
        calendar: the rule by which time goes on.
        note: what was done about missing values, empty where nothing was.
        known: (time,) bool, False where a value was filled in; None where all are the table's.
    """

    values: np.ndarray
    time: pd.Index
    names: tuple[str, ...]
    calendar: Calendar
    note: str = ""
    known: np.ndarray | None = None

    def __len__(self) -> int:
        """The number of time steps."""
        return len(self.values)

    @property
    def frequency(self) -> str:
        """The nearest alias of pandas, such as MS, D or 30min; "number" for numbered steps."""
        return self.calendar.frequency

    @property
    def phrase(self) -> str:
        """What a person calls the frequency: monthly, daily, every 30 minutes, numbered."""
        return self.calendar.phrase

    def future_stamps(self, count: int) -> pd.Index:
        """Return the time of the ``count`` steps after the last one.

        Raises:
            ValueError: where the count is below 1.
        """
        return self.calendar.after(self.time[-1], check_count(count, "count"))

    def until(self, stop: int) -> "TimeSeries":
        """Return the first ``stop`` steps, as one who knows nothing later would have them.

        A value filled in at their very end was interpolated towards a later one: the last known
        value takes its place.

        Raises:
            ValueError: where ``stop`` isn't between 1 and the number of steps.

        Example:
            >>> from statewise.sequences import read_series
            >>> frame = pd.DataFrame({"y": [1.0, 2.0, None, 4.0, 5.0]})
            >>> series = read_series(frame, missing="fill")
            >>> series.values[:, 0], series.until(3).values[:, 0]
            (array([1., 2., 3., 4., 5.]), array([1., 2., 2.]))
        """
        if not 1 <= stop <= len(self):
            raise ValueError(f"stop={stop}: it must be between 1 and {len(self)}, the time steps")
        known = None if self.known is None else self.known[:stop]
        values = self.without_hindsight(stop).values[:stop]
        return replace(self, values=values, time=self.time[:stop], known=known)

    def without_hindsight(self, first: int) -> "TimeSeries":
        """Return the series as it would be had every step from ``first`` on just arrived.

        An interpolated value tells of later ones. From ``first`` on, and right before it, the last
        known value takes its place.

        Example:
            >>> from statewise.sequences import read_series
            >>> frame = pd.DataFrame({"y": [1.0, None, 3.0, None, None, 6.0]})
            >>> read_series(frame, missing="fill").without_hindsight(4).values[:, 0]
            array([1., 2., 3., 3., 3., 6.])
        """
        if self.known is None:
            return self
        before = np.flatnonzero(self.known[:first])
        first = before[-1] + 1 if len(before) else first
        steps = np.arange(len(self))
        source = np.maximum.accumulate(np.where(self.known | (steps < first), steps, 0))
        return replace(self, values=self.values[source])
