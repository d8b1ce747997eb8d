"""What forecasts behind `Forecaster`: one protocol, which the local and the global model follow."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from statewise.sequences import Panel
from statewise.tasks.forecasting.exporting import Exported
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.progress import Progress

LEAST_LOOKBACK = 8  # known steps before the first one to forecast, at least

Plain = dict[str, Any]  # what JSON can hold, by name
Named = dict[str, np.ndarray]  # arrays by name


@dataclass(frozen=True)
class Arguments:
    """The arguments of `Forecaster` and of its ``fit``, checked; None for what is to be chosen.

    Attributes:
        horizon, lookback, cell, units, layers, epochs, seed: see `Forecaster`.
        season: the steps of one, or of several; None to choose.
        likelihood: None for points.
        short, missing: see `Forecaster.fit`.
    """

    horizon: int
    lookback: int | None
    cell: str
    units: int | None
    layers: int
    likelihood: str | None
    season: int | tuple[int, ...] | None
    epochs: int | None
    seed: int
    short: str = "raise"
    missing: str = "mask"


def least_known(lookback: int | None) -> int:
    """Return how many known steps a series of a panel must have before the first to forecast.

    Args:
        lookback: as it was asked for; None where it is to be chosen.
    """
    return LEAST_LOOKBACK if lookback is None else min(LEAST_LOOKBACK, lookback)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What an engine learned from, and goes on from.

    Attributes:
        panel: the known steps, by the steps of their calendar where the season counts those.
        season: steps in a season, 1 for none; of several the one that repeats itself best.
        notes: what was done about missing values and short series, in words.
        left_out: the keys of those that were too short.
        also: the steps of other seasons that are looked at.
        counted: the steps of the seasons by which the panel is laid out, where they aren't those
            that are looked at: some were tried, and turned out to be none.
    """

    panel: Panel
    season: int
    notes: list[str]
    left_out: list[Any]
    also: tuple[int, ...] = ()
    counted: tuple[int, ...] = ()

    def without_season(self) -> "TrainingData":
        """Return the same, laid out as it is, once its seasons have turned out to be none."""
        return replace(self, season=1, also=(), counted=self.seasons)

    @property
    def seasons(self) -> tuple[int, ...]:
        """All seasons that are looked at, rising; empty where there is none.

        >>> TrainingData(None, 168, [], [], also=(24,)).seasons
        (24, 168)
        """
        return tuple(sorted({self.season, *self.also} - {1}))

    @property
    def laid_out_by(self) -> tuple[int, ...]:
        """The seasons that decide whether days without a row are steps."""
        return self.counted or self.seasons

    @property
    def shortest(self) -> int:
        """The shortest season, by which missing values are filled in; 1 where there is none."""
        return min(self.seasons, default=1)


@dataclass(frozen=True)
class Summary:
    """What was chosen, and how the training went; see the attributes of `Forecaster`."""

    units: int
    epochs: int
    lookback: int
    transform: str
    validation_errors: dict[str, float]
    validation_curves: dict[str, list[tuple[int, float]]]
    training_shape: tuple[int, int, int]
    losses: list[float]
    cut: dict[str, int]


class Engine(Protocol):
    """A fitted model of series.

    Attributes:
        data: what it learned from.
    """

    data: TrainingData

    @classmethod
    def fit(cls, panel: Panel, arguments: Arguments, progress: Progress) -> Self:
        """Choose what is to be chosen on a panel, and train on it.

        Raises:
            DataError: where it can't be learned from.
        """

    def predict(self, panel: Panel, horizon: int, levels: list[float], future: Any) -> Forecast:
        """Forecast the steps after each series in closed loop.

        Args:
            panel: the known steps, by the steps of their calendar.
            horizon: how many steps.
            levels: of the intervals, in percent.
            future: a frame of the inputs that are known for those steps; None without.

        Returns:
            Points and ends of intervals, (series, horizon) each.

        Raises:
            DataError: where too few steps are known, or inputs are missing.
        """

    def predict_one_step(self, panel: Panel, values: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Forecast steps of one series, each from the true ones before it, (origins,) float64.

        Args:
            panel: the series, by the steps of its calendar.
            values: the same with each missing value filled in by earlier ones, (time,).
            origins: the steps to forecast, rising.
        """

    def numbers(self, intervals: bool) -> int:
        """Return how many numbers a forecast holds at once for each step of a series."""

    def summary(self) -> Summary:
        """Return what was chosen."""

    def exported(self, levels: list[float]) -> Exported:
        """Return the networks for other runtimes, and how values are prepared for them.

        Args:
            levels: of the intervals that are told of, in percent; of a likelihood, whose paths are
                drawn, none are.

        Raises:
            ValueError: where that can't be told by a few numbers.
        """

    def state(self) -> tuple[Plain, Named]:
        """Return what a file must keep, ``data`` aside: what JSON can hold, and arrays."""

    @classmethod
    def from_state(cls, plain: Plain, arrays: Named, data: TrainingData) -> Self:
        """Return the engine whose ``state`` gave these.

        Raises:
            KeyError, TypeError, ValueError: where it gave no such thing, or the arrays don't hold
                what the rest claims.
        """
