"""Forecasts of many series by a global network: points, and intervals on request."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.closed_loops import draw_paths, forecast
from statewise.tasks.forecasting.global_model.config import holds_counts, on_device, starting_from
from statewise.tasks.forecasting.global_model.features import Arrays, Level

if TYPE_CHECKING:
    from statewise.tasks.forecasting.global_model.model import GlobalModel

PATHS = 201  # draws through the closed loop, for each series


class PanelForecast:
    """Forecasts of many series: points, and intervals on request.

    A point is the median of the next step, that of counts the mean, each going on from the one
    before. Around the points lie validation's residuals, or paths moved so that their median is it.

    Attributes:
        z: what the closed loop says, on the network's scale, (series, horizon).
        stale: by how much intervals are wider, (series, horizon); see `staleness`.
        back: for each series as it was asked for its place in here.
    """

    def __init__(
        self,
        model: "GlobalModel",
        data: Arrays,
        level: Level,
        first: np.ndarray,
        stale: np.ndarray,
        back: np.ndarray,
    ):
        if model.architecture.gaps and data.observed is None:
            data = data._replace(observed=np.ones(data.values.shape, bool))
        self.model, self.level, self.stale, self.back = model, level, stale, back
        self.data = data = starting_from(on_device(data), model.spec, model.request)
        self.first, self.series = first, np.arange(len(first))
        each = [
            forecast(model.architecture, one, data, first, self.series, stale.shape[1])
            for one in model.weights
        ]
        self.z = np.median([points for points, _ in each], axis=0)
        self.scale = each[0][1]

    @property
    def points(self) -> np.ndarray:
        """The forecasts in the series' own unit, (series, horizon)."""
        return self.level.undo(self.z, self.series)[self.back]

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper ends of an interval, (series, horizon) each.

        It holds the point, and any narrower interval.

        Args:
            level: how many percent of the true values are to lie within.
        """
        if self.model.factors is None:
            low, high = self.model.residuals.around(level, self.z.shape[1])
            scale = self.scale[:, None]
            low, high = self.z + low * scale, self.z + high * scale
        else:
            least = least_width(self.model.architecture, self.data, self.scale, self.series)
            low, high = self.model.factors.widened(self.paths, level, least, self.z)
        low, high = (self.z + (end - self.z) * self.stale for end in (low, high))
        low, high = (self.level.undo(end, self.series)[self.back] for end in (low, high))
        if not holds_counts(self.model.request):
            return low, high
        return _counts_within(low, high, self.points)

    @cached_property
    def paths(self) -> np.ndarray:
        """Draws through the closed loop, as many of each network, (series, paths, horizon)."""
        model, horizon = self.model, self.stale.shape[1]
        each = -(-PATHS // len(model.weights))
        return np.concatenate(
            [
                draw_paths(
                    model.architecture,
                    weights,
                    self.data,
                    self.first,
                    self.series,
                    horizon=horizon,
                    paths=each,
                    seed=model.request.seed + i,
                )
                for i, weights in enumerate(model.weights)
            ],
            axis=1,
        )


def least_width(
    architecture: Architecture, data: Arrays, scale: np.ndarray, series: np.ndarray
) -> np.ndarray:
    """Return the least half-width of an interval of paths, (windows, 1): half a count, or next to
    nothing."""
    if architecture.likelihood == "negative-binomial":
        return 0.5 / data.unit[series, :1]
    return 1e-3 * scale[:, None]


def _counts_within(
    low: np.ndarray, high: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest count within intervals, those around the point included."""
    slack = 1e-3 + 1e-6 * np.abs(high)  # what float32 leaves of a count
    low = np.minimum(np.ceil(low - slack), np.floor(points))
    high = np.maximum(np.floor(high + slack), np.ceil(points))
    return np.maximum(low, 0) + 0.0, np.maximum(high, 0)
