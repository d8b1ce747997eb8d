"""What is asked of a global network, its candidates, and how the panel is split for validation."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from statewise.sequences import Panel
from statewise.tasks.forecasting.engine import LEAST_LOOKBACK, Arguments, TrainingData, least_known
from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.features import Arrays, Encoder

MEMBERS = 2  # networks whose median is the forecast: a third brought nothing on validation parts
UPDATES = 25  # in an epoch
BATCH = 128  # windows of an update
_EPOCHS = 22
_UNITS = 32
_MOST_LOOKBACK = 192
_RATE = 3e-3
_LONGEST_LOOP = 96  # steps over which the loop is closed in training
_MOST_WINDOWS = 2000  # of validation
_MOST_ORIGINS = 400  # of one series in validation


@dataclass(frozen=True)
class Request:
    """What is asked for, "auto" resolved where the panel has no say.

    Attributes:
        horizon: steps to forecast.
        season: steps in a season, 1 for none; of several the one that repeats itself best.
        lookback: known steps to warm up over.
        least: known steps before a forecast, at least.
        cell, units, layers, likelihood: see `Plan`.
        epochs: how long to train; None chooses that too.
        seed: of everything that is drawn.
        members: networks whose median is the forecast.
        also: the steps of other seasons.
        tentative: whether candidates that don't look at the season are to be trained, too.
    """

    horizon: int
    season: int
    lookback: int
    least: int
    cell: str
    units: int
    layers: int
    likelihood: str
    epochs: int | None
    seed: int
    members: int = MEMBERS
    also: tuple[int, ...] = ()
    tentative: bool = False

    @property
    def shortest(self) -> int:
        """The shortest season, by which missing values are filled in; 1 where there is none."""
        return min(self.season, *self.also) if self.also else self.season


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes:
        epochs: of ``UPDATES`` updates each, over which the learning rate falls to 0.
        batch: windows of an update.
        rate: the learning rate at the start.
        horizon: steps over which the loop is closed in training.
    """

    epochs: int
    batch: int
    rate: float
    horizon: int


def request_of(training: TrainingData, arguments: Arguments, tentative: bool = False) -> Request:
    """Return what is asked for, "auto" resolved where the panel has no say.

    Args:
        training: the panel to learn from.
        arguments: of the forecaster.
        tentative: whether its seasons are, see `seasons`.
    """
    horizon, lookback = arguments.horizon, arguments.lookback
    if lookback is None:
        usual = int(np.median(training.panel.lengths))
        most = max(LEAST_LOOKBACK, min(_MOST_LOOKBACK, usual - 2 * horizon))
        # Longer seasons are seen as they were a season before, at each step.
        lookback = min(max(training.shortest, 2 * horizon, 24), most)
    return Request(
        horizon=horizon,
        season=training.season,
        lookback=lookback,
        least=least_known(arguments.lookback),
        cell=arguments.cell,
        units=arguments.units or _UNITS,
        layers=arguments.layers,
        likelihood=arguments.likelihood or "none",
        epochs=arguments.epochs,
        seed=arguments.seed,
        also=training.also,
        tentative=tentative,
    )


class IncrementSpec(NamedTuple):
    """One way to handle level and season.

    Attributes:
        log: whether the network sees the target's logarithm.
        start: the forecast it begins from, "naive" or "seasonal"; "blind" begins from the naive
            one, too, and doesn't look at the season.
    """

    log: bool
    start: str

    def __str__(self) -> str:
        """Say it in words."""
        words = ["logarithm"] if self.log else []
        words.append("increments")
        words.append(
            "from the season before" if self.start == "seasonal" else "from the last value"
        )
        without = ", no season" if self.start == "blind" else ""
        return ", ".join(words[:-1]) + " " + words[-1] + without


@dataclass(frozen=True)
class ValidationSplit:
    """How the panel is split for validation.

    Attributes:
        held: the last steps of each series, that validation alone looks at.
        horizon: steps that are forecast from each origin.
        first: the step of each window's first forecast, counted from the series' beginning.
        series: the place of each window's series.
    """

    held: int
    horizon: int
    first: np.ndarray
    series: np.ndarray

    @classmethod
    def of(cls, lengths: np.ndarray, horizon: int, least: int) -> "ValidationSplit":
        """Hold out a fifth of a usual series, or two horizons; no more than gives windows enough.

        >>> split = ValidationSplit.of(np.array([100, 100, 15]), horizon=10, least=8)
        >>> split.held, len(split.first), set(split.series.tolist())
        (20, 22, {0, 1})
        """
        usual = int(np.median(lengths))
        most = min(_MOST_ORIGINS, max(3, _MOST_WINDOWS // len(lengths)))
        held = min(
            max(usual // 5, min(2 * horizon, usual // 3)), horizon + max(2 * horizon, 6 * most)
        )
        held = max(1, min(held, usual - least - horizon))
        horizon = min(horizon, held)
        count = min(held - horizon + 1, most)
        back = np.linspace(held, horizon, count).round().astype(int)
        enough = np.flatnonzero(lengths >= held + least)
        if not len(enough):
            enough = np.flatnonzero(lengths == lengths.max())
        if len(enough) * count > _MOST_WINDOWS:  # every so manieth series will do
            most = max(1, _MOST_WINDOWS // count)
            enough = enough[np.linspace(0, len(enough) - 1, most).round().astype(int)]
        first = np.maximum(lengths[enough, None] - back, 1)
        return cls(held, horizon, first.ravel(), np.repeat(enough, count))


def on_device(data: Arrays) -> Arrays:
    """Hand the arrays to the engine once."""
    return jax.tree.map(jax.device_put, data)


def starting_from(data: Arrays, spec: IncrementSpec, request: Request) -> Arrays:
    """Return the arrays with the start of a candidate; the others are shared."""
    # All candidates run the same program: where one is blind, it's a number that says so.
    sees = np.float32(spec.start != "blind") if request.tentative else None
    return data._replace(start=np.float32(spec.start == "seasonal"), sees=sees)


def schedule_of(request: Request) -> Schedule:
    """Return how the networks are trained."""
    epochs = _EPOCHS if request.epochs is None else request.epochs
    return Schedule(epochs, BATCH, _RATE, min(request.horizon, _LONGEST_LOOP))


def holds_counts(request: Request) -> bool:
    """Whether the target holds counts."""
    return request.likelihood == "negative-binomial"


def specs_of(panel: Panel, request: Request) -> list[IncrementSpec]:
    """Return the candidates for a panel, the likeliest first."""
    target = panel.values[:, 0]
    counts = holds_counts(request)
    logs = (True, False) if np.nanmin(target) > 0 and not counts else (False,)
    starts = ("naive", "seasonal") if request.season > 1 and not counts else ("naive",)
    if request.tentative:
        starts = (*starts, "blind")
    return [IncrementSpec(log, start) for log in logs for start in starts]


def architecture_of(request: Request, panel: Panel, encoder: Encoder, data: Arrays) -> Architecture:
    """Return what the networks are built of."""
    static = panel.columns.static
    return Architecture(
        cell=request.cell,
        units=request.units,
        layers=request.layers,
        channels=panel.values.shape[1],
        inputs=data.inputs.shape[1],
        categories=tuple(encoder.counts[n] for n in static if n in encoder.counts),
        season=request.season,
        lookback=request.lookback,
        likelihood=request.likelihood,
        gaps=data.observed is not None,
        also=request.also,
    )
