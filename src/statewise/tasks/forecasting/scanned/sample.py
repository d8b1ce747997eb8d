"""Some series of a panel that passes by, each as likely as the next; their rows have a bound."""

import numpy as np

from statewise.sequences import Panel
from statewise.sequences.placing import joined


class SeriesSample:
    """Series drawn without knowing how many will come.

    Each is given a number at random, and those with the lowest ones stay, as many as there is room
    for (bottom-k sampling, a form of the reservoir: J. S. Vitter, "Random sampling with a
    reservoir", ACM Trans. Math. Softw. 11, 1985). How long a series is doesn't count.

    Args:
        rows: how many rows the sample has at most, but for its one series where that is longer.
        series: how many series it has at most.
        seed: of the numbers.

    >>> from statewise.sequences.panel_reading import read_rows
    >>> import pandas as pd
    >>> rows = read_rows(pd.DataFrame({"unique_id": np.repeat(range(9), 4), "ds": 0, "y": 1.0})
    ...                  .assign(ds=np.tile(range(4), 9)))
    >>> sample = SeriesSample(rows=12, series=9, seed=0)
    >>> sample.add(rows)
    >>> len(sample.taken()), len(sample.taken().values)
    (3, 12)
    """

    def __init__(self, *, rows: int, series: int, seed: int):
        self._rows, self._series = rows, series
        self._rng = np.random.default_rng([seed, 0x5A])  # not those that draw windows
        self._parts: list[Panel] = []
        self._numbers = np.empty(0)
        self._bound = np.inf

    def add(self, panel: Panel) -> None:
        """Let some more series pass by."""
        numbers = self._rng.random(len(panel))
        taken = np.flatnonzero(numbers < self._bound)
        if not len(taken):
            return
        self._parts.append(panel.select(taken))
        self._numbers = np.concatenate([self._numbers, numbers[taken]])
        rows = sum(len(part.values) for part in self._parts)
        if rows > 2 * self._rows or len(self._numbers) > 2 * self._series:
            self._forget()

    def taken(self) -> Panel:
        """Return the series of the sample, in the order in which they came by."""
        self._forget()
        return self._parts[0]

    def _forget(self) -> None:
        """Keep as many as there is room for."""
        panel = joined(self._parts)
        order = np.argsort(self._numbers, kind="stable")
        fits = np.cumsum(panel.lengths[order]) <= self._rows
        count = max(1, min(self._series, int(fits.sum())))
        if count < len(order):
            self._bound = self._numbers[order[count]]
        kept = np.sort(order[:count])
        self._parts, self._numbers = [panel.select(kept)], self._numbers[kept]
