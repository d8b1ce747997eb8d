"""How well seasons forecast the validation part: by repetition, and by a small regression.

A regression learns from origins before the validation part, for all steps of the horizon at once,
what the last increment, the means of the latest values, the seasons before and the mean of a few of
them have to do with what comes. All is as seen from the last value, in units of each series' mean
step, as a network sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from statewise.sequences import Panel

_SHARE = 3  # one series in so many has to be long enough
_WINDOWS = 4000
_ORIGINS = 48  # of one series
_STEPS = 16  # of the horizon that are looked at
_NEAR = (4, 16)  # latest values whose means the regressions see, beside the last two
_SEASONS = 4  # latest seasons whose mean they see
_RIDGE = 1e-3
_NO_MORE = 1.02  # times the least error, up to which errors count as equal
_BOUND = 6.0  # times the mean distance, beyond which a window teaches no more


@dataclass(frozen=True, eq=False)
class SeasonValidation:
    """Windows of a panel, before its validation part and in it.

    Attributes:
        panel: by the steps of its calendar.
        horizon: steps that are forecast from each origin.
        held: the steps of the validation part of each series, (series,).
        before, within: the row of the last known step of each window, before the validation part
            and in it.
    """

    panel: Panel
    horizon: int
    held: np.ndarray
    before: np.ndarray
    within: np.ndarray

    @classmethod
    def of(cls, panel: Panel, horizon: int) -> "SeasonValidation":
        """Hold out a fifth of each series, or two horizons if that is more, but at most half."""
        lengths = panel.lengths
        held = np.maximum(np.minimum(np.maximum(2 * horizon, lengths // 5), lengths // 2), 1)
        horizon = min(horizon, max(1, int(np.median(held))))
        each = max(3, min(_ORIGINS, _WINDOWS // len(lengths)))
        first = panel.offsets[:-1]
        cut, stop = first + lengths - held, first + lengths
        return cls(
            panel,
            horizon,
            held,
            _origins(first, cut - horizon - 1, 2 * each),
            _origins(cut - 1, stop - horizon - 1, each),
        )

    def shows(self, season: int) -> bool:
        """Whether enough series are long enough to learn of a season before the validation part."""
        least = season + self.held + 2 * self.horizon
        return bool(_SHARE * (self.panel.lengths >= least).sum() >= len(self.panel))

    def ranked(self, seasons: Sequence[int]) -> tuple[int, ...]:
        """Return seasons, the one whose repetition errs least first.

        The others as they stand; so is the first of those that are hardly worse than the best.
        """
        if len(seasons) < 2:
            return tuple(seasons)
        errors = {one: self._repetition_error(one) for one in seasons}
        most = _NO_MORE * min(errors.values())
        best = next(one for one in seasons if errors[one] <= most)
        return (best, *(one for one in seasons if one != best))

    def error(self, seasons: Sequence[int]) -> float:
        """Return the error of a regression on seasons, in units of each series' mean step."""
        if not len(self.before) or not len(self.within):
            return np.inf
        x, y = self._table(self.before, seasons)
        if not len(y):
            return np.inf
        bound = _BOUND * np.abs(y).mean()
        x, y = np.clip(x, -bound, bound), np.clip(y, -bound, bound)
        products = x.T @ x
        ridge = _RIDGE * (np.trace(products) / len(products) + 1e-12)
        weights = np.linalg.solve(products + ridge * np.eye(len(products)), x.T @ y)
        x, y = self._table(self.within, seasons)
        return float(np.abs(y - x @ weights).mean()) if len(y) else np.inf

    @cached_property
    def _values(self) -> np.ndarray:
        """What is known, each series in units of its mean step from its first value, (rows,)."""
        values = self.panel.values[:, 0]
        known, rows = ~np.isnan(values), np.arange(len(values))
        latest = np.maximum.accumulate(np.where(known, rows, -1))
        following = np.minimum.accumulate(np.where(known, rows, len(rows))[::-1])[::-1]
        source = np.where(latest >= self._begin, latest, np.minimum(following, len(rows) - 1))
        filled = np.nan_to_num(values[source])
        moves = np.abs(np.diff(filled, append=filled[-1:]))
        moves[self.panel.offsets[1:] - 1] = 0
        sums = np.add.reduceat(moves, self.panel.offsets[:-1])
        unit = sums / np.maximum(self.panel.lengths - 1, 1)
        unit = np.repeat(np.where(unit > 0, unit, 1.0), self.panel.lengths)
        return (np.where(known, filled, np.nan) - filled[self._begin]) / unit

    @cached_property
    def _filled(self) -> np.ndarray:
        """The same, each that is missing as the last known one; at a beginning 0."""
        known, rows = ~np.isnan(self._values), np.arange(len(self._values))
        latest = np.maximum.accumulate(np.where(known, rows, -1))
        return np.where(latest >= self._begin, self._values[latest], 0.0)

    @cached_property
    def _begin(self) -> np.ndarray:
        """The row at which the series of each row begins, (rows,)."""
        return np.repeat(self.panel.offsets[:-1], self.panel.lengths)

    @cached_property
    def _total(self) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(self._filled)])

    @property
    def _ahead(self) -> np.ndarray:
        """The steps of the horizon that are looked at, from 1 on."""
        count = min(self.horizon, _STEPS)
        return np.unique(np.linspace(1, self.horizon, count).round().astype(int))

    def _truth(self, last: np.ndarray) -> np.ndarray:
        return self._values[last[:, None] + self._ahead]

    def _mean(self, last: np.ndarray, width: int) -> np.ndarray:
        """Return the mean of the latest values at rows, fewer at a beginning."""
        first = np.maximum(last - width + 1, self._begin[last])
        return (self._total[last + 1] - self._total[first]) / (last + 1 - first)

    def _repeated(self, last: np.ndarray, season: int, back: int = 0) -> np.ndarray:
        """Return the values a season before each step, NaN where there are none.

        Args:
            last: the rows of the last known steps, (windows,).
            season: its steps.
            back: how many seasons earlier still.

        Returns:
            (windows, steps).
        """
        rows = last[:, None] - (1 + back) * season + 1 + (self._ahead - 1) % season
        there = rows >= self._begin[last][:, None]
        return np.where(there, self._values[np.maximum(rows, 0)], np.nan)

    def _repetition_error(self, season: int) -> float:
        """Return the error of the seasonal naive forecast; the naive one stands in for it."""
        points = self._repeated(self.within, season)
        points = np.where(np.isnan(points), self._filled[self.within][:, None], points)
        errors = np.abs(points - self._truth(self.within))
        known = ~np.isnan(errors)
        return float(errors[known].mean()) if known.any() else np.inf

    def _table(self, last: np.ndarray, seasons: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return what a regression sees and what it is to say: (known, numbers) and (known,).

        All is as seen from the last value.
        """
        now, shape = self._filled[last][:, None], (len(last), len(self._ahead))
        before = self._filled[np.maximum(last - 1, self._begin[last])][:, None]
        columns = [np.ones((1, 1)), self._ahead[None] / self.horizon, now - before]
        columns += [self._mean(last, width)[:, None] - now for width in (*_NEAR, *seasons)]
        for season in seasons:
            backs = np.stack([self._repeated(last, season, back) for back in range(_SEASONS)])
            there = ~np.isnan(backs)
            mean = np.where(there, backs, 0).sum(0) / np.maximum(there.sum(0), 1)
            mean = np.where(there.any(0), mean, np.nan)
            columns += [np.nan_to_num(one - now) for one in (backs[0], mean)]
        y = self._truth(last) - now
        known = ~np.isnan(y)
        return np.stack([np.broadcast_to(one, shape) for one in columns], -1)[known], y[known]


def _origins(first: np.ndarray, last: np.ndarray, most: int) -> np.ndarray:
    """Return rows from ``first`` to ``last`` of each series, evenly taken, ``most`` at most."""
    there = last >= first
    first, last = first[there], last[there]
    if not len(first):
        return np.zeros(0, int)
    rows = first + np.linspace(0, 1, most)[:, None] * (last - first)
    return np.unique(rows.round().astype(int))
