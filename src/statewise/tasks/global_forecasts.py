"""Forecasts of many series by a global network: points, and intervals on request."""

from functools import cached_property

import numpy as np

from statewise.tasks.global_arrays import Arrays, Level
from statewise.tasks.global_network import Plan
from statewise.tasks.global_request import holds_counts, on_device, starting_from
from statewise.tasks.global_training import draw_paths, forecast

PATHS = 201  # draws through the closed loop, for each series


class Forecasts:
    """Forecasts of many series: points, and intervals on request.

    A network of counts says the median of its paths; any other one the medians of its next steps,
    each going on from the one before, around which its paths or validation's residuals lie.

    Attributes:
        z: what the closed loop says, on the network's scale, (series, horizon).
        stale: by how much intervals are wider, (series, horizon); see `staleness`.
        back: for each series as it was asked for its place in here.
    """

    def __init__(self, engine, data: Arrays, level: Level, first, stale, back):
        if engine.plan.gaps and data.observed is None:
            data = data._replace(observed=np.ones(data.values.shape, bool))
        self.engine, self.level, self.stale, self.back = engine, level, stale, back
        self.data = data = starting_from(on_device(data), engine.candidate)
        self.first, self.series = first, np.arange(len(first))
        each = [
            forecast(engine.plan, one, data, first, self.series, stale.shape[1])
            for one in engine.weights
        ]
        self.z = np.median([points for points, _ in each], axis=0)
        self.scale = each[0][1]

    @property
    def points(self) -> np.ndarray:
        """The forecasts in the series' own unit, (series, horizon)."""
        points = self.level.undo(self._middle, self.series)[self.back]
        return np.maximum(np.round(points), 0) if holds_counts(self.engine.request) else points

    @property
    def _middle(self) -> np.ndarray:
        return count_median(self.paths) if holds_counts(self.engine.request) else self.z

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper ends of an interval, (series, horizon) each.

        Args:
            level: how many percent of the true values are to lie within.
        """
        middle = self._middle
        if self.engine.factors is None:
            low, high = self.engine.residuals.around(level, self.z.shape[1])
            scale = self.scale[:, None]
            low, high = middle + low * scale, middle + high * scale
        else:
            least = least_width(self.engine.plan, self.data, self.scale, self.series)
            low, high = self.engine.factors.widened(self.paths, level, least, middle)
        low, high = middle + (low - middle) * self.stale, middle + (high - middle) * self.stale
        low, high = (self.level.undo(end, self.series)[self.back] for end in (low, high))
        return _counts_within(low, high) if holds_counts(self.engine.request) else (low, high)

    @cached_property
    def paths(self) -> np.ndarray:
        """Draws through the closed loop, as many of each network, (series, paths, horizon)."""
        engine, horizon = self.engine, self.stale.shape[1]
        each = -(-PATHS // len(engine.weights))
        return np.concatenate(
            [
                draw_paths(
                    engine.plan,
                    weights,
                    self.data,
                    self.first,
                    self.series,
                    horizon=horizon,
                    paths=each,
                    seed=engine.request.seed + i,
                )
                for i, weights in enumerate(engine.weights)
            ],
            axis=1,
        )


def least_width(plan: Plan, data: Arrays, scale: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Return the least half-width of an interval of paths, (windows, 1): half a count, or next to
    nothing."""
    if plan.likelihood == "negative-binomial":
        return 0.5 / data.unit[series, :1]
    return 1e-3 * scale[:, None]


def count_median(paths: np.ndarray) -> np.ndarray:
    """Return the median of paths of counts, one of them even where they are of an even number."""
    return np.quantile(paths, 0.5, axis=1, method="inverted_cdf").astype(np.float64)


def _counts_within(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest count within intervals; none is below 0."""
    slack = 1e-3 + 1e-6 * np.abs(high)  # what float32 leaves of a count
    return np.maximum(np.ceil(low - slack), 0) + 0.0, np.maximum(np.floor(high + slack), 0)
