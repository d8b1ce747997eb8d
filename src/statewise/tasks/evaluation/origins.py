"""Where a backtest cuts each series, what is known there, and what came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from statewise.sequences import DataError, Panel
from statewise.sequences.holidays import positions_of
from statewise.sequences.panel import format_keys
from statewise.tasks.forecasting.known_steps import counts_calendar

_LEAST_KNOWN = 3  # steps before the first origin; the forecaster asks for more


@dataclass(frozen=True, eq=False)
class Origins:
    """The rolling origins of a panel.

    Attributes:
        panel: the series that are long enough.
        first: the first step to forecast of each window, (series, windows), in the order of time.
        horizon: steps to forecast from each.
    """

    panel: Panel
    first: np.ndarray
    horizon: int

    @property
    def windows(self) -> int:
        """The number of origins of a series."""
        return self.first.shape[1]

    def known(self, window: int) -> Panel:
        """Return what is known at an origin: the steps before it, and no others."""
        return self.panel.until(self.first[:, window])

    def rows(self) -> np.ndarray:
        """Return the rows of the steps to forecast, (series, windows, horizon)."""
        begin = self.panel.offsets[:-1, None] + self.first
        return begin[..., None] + np.arange(self.horizon)

    def truth(self) -> np.ndarray:
        """Return what came, (series, windows, horizon); NaN where the table has no value."""
        return self.panel.values[self.rows(), 0]

    def ahead(self, window: int, seasons: Sequence[int]) -> np.ndarray:
        """Return how many steps lie between the last known and those to forecast.

        (series, horizon) int: 0, 1, 2 and so on; more where one of the seasons counts steps of the
        calendar and some, such as holidays, have no row.
        """
        plain = np.tile(np.arange(self.horizon), (len(self.panel), 1))
        if not counts_calendar(self.panel, seasons):
            return plain
        places = positions_of(self.panel)
        if places is None:
            return plain
        rows = self.rows()[:, window]
        return places[rows] - places[rows[:, :1] - 1] - 1

    def future(self, window: int, ahead: np.ndarray, known: Panel) -> pd.DataFrame | None:
        """Return the inputs that are known for the steps to forecast; None where there are none.

        A step without a row has those of the row before it.

        Args:
            window: of the origins.
            ahead: where the rows lie among the steps, see `ahead`.
            known: what is known at the origin.
        """
        panel = self.panel
        if not panel.columns.future:
            return None
        steps = int(ahead.max()) + 1
        latest = (ahead[:, None] <= np.arange(steps)[:, None]).sum(2) - 1  # (series, steps)
        rows = np.take_along_axis(self.rows()[:, window], np.maximum(latest, 0), 1).ravel()
        stamps = panel.time[rows] if steps == self.horizon else known.future_stamps(steps)
        frame = {
            panel.columns.key: np.repeat(panel.keys, steps),
            panel.columns.time: stamps,
        }
        return pd.DataFrame(frame | {name: all_[rows] for name, all_ in panel.future.items()})

    def select(self, which: np.ndarray) -> "Origins":
        """Return those of the series at the places ``which``."""
        return Origins(self.panel.select(which), self.first[which], self.horizon)


def rolling_origins(panel: Panel, *, windows: int, horizon: int) -> tuple[Origins, list]:
    """Cut the last ``windows * horizon`` steps of each series into windows.

    Returns:
        The origins, and the keys of the series that are too short for them.

    Raises:
        DataError: where all of them are.

    >>> from statewise.sequences import read_wide
    >>> panel = read_wide(pd.DataFrame({"a": np.arange(20.0)}))
    >>> origins, _ = rolling_origins(panel, windows=2, horizon=3)
    >>> origins.first, origins.truth()[0, 0]
    (array([[14, 17]]), array([14., 15., 16.]))
    """
    held = windows * horizon
    enough = panel.lengths >= held + _LEAST_KNOWN
    if not enough.any():
        longest = panel.lengths.max()
        raise DataError(
            f"the longest series has {longest} time steps, so {windows} windows of {horizon} steps "
            f"({held} in all) can't be held out: take fewer windows, or a shorter horizon"
        )
    left_out = panel.keys[~enough].tolist()
    if left_out:
        panel = panel.select(np.flatnonzero(enough))
    first = panel.lengths[:, None] - held + horizon * np.arange(windows)
    return Origins(panel, first, horizon), left_out


def left_out_note(keys: list, count: int) -> str:
    """Say which series a backtest goes on without."""
    return (
        f"{len(keys)} of {count} series have too few time steps before the first window and are "
        f"left out: {format_keys(keys)}"
    )
