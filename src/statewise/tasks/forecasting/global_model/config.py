"""What is asked of a global network, what it may choose from, and how the panel is cut for that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from statewise.sequences import Panel
from statewise.tasks.forecasting.global_model.features import Arrays, Encoder
from statewise.tasks.forecasting.global_model.network import Plan
from statewise.tasks.forecasting.global_model.training import UPDATES, Schedule

LEAST_LOOKBACK = 8  # known steps before the first one to forecast, at least
MEMBERS = 2  # networks whose median is the forecast: a third brought nothing on validation parts
BATCH = 128  # windows of an update
_EPOCHS = 22
_RATE = 3e-3
_LONGEST_LOOP = 96  # steps over which the loop is closed in training
_MOST_WINDOWS = 2000  # of validation
_MOST_ORIGINS = 400  # of one series in validation

Tell = Callable[[str, int, int, float], None]


@dataclass(frozen=True)
class Request:
    """What is asked for, "auto" resolved where the panel has no say.

    Attributes:
        horizon: steps to forecast.
        season: steps in a season, 1 for none.
        lookback: known steps to warm up over.
        least: known steps before a forecast, at least.
        cell, units, layers, likelihood: see `Plan`.
        epochs: how long to train; None chooses that too.
        seed: of everything that is drawn.
        members: networks whose median is the forecast.
        logs, starts: the candidates; a log only where all values are above 0.
        options: further fields of `Plan`, for experiments.
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
    logs: tuple[bool, ...] = (True, False)
    starts: tuple[str, ...] = ("naive", "seasonal")
    options: tuple[tuple[str, Any], ...] = ()


class Candidate(NamedTuple):
    """One way to handle level and season.

    Attributes:
        log: whether the network sees the target's logarithm.
        start: the forecast it begins from.
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
        return ", ".join(words[:-1]) + " " + words[-1]


@dataclass(frozen=True)
class Cut:
    """How the panel is cut for validation.

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
    def of(cls, lengths: np.ndarray, horizon: int, least: int) -> "Cut":
        """Hold out a fifth of a usual series, or two horizons; no more than gives windows enough.

        >>> cut = Cut.of(np.array([100, 100, 15]), horizon=10, least=8)
        >>> cut.held, len(cut.first), set(cut.series.tolist())
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


def draw(rng, lengths: np.ndarray, begins, request: Request) -> tuple[np.ndarray, np.ndarray]:
    """Draw an epoch's windows: a series, each as likely as the next, and an origin within it."""
    loop = loop_of(request)
    room = lengths - loop - request.least + 1
    enough = np.flatnonzero(room > 0)
    least = np.full(len(lengths), request.least)
    if not len(enough):  # the longest ones, from the one origin that they have
        enough = np.flatnonzero(lengths == lengths.max())
        least, room = np.maximum(lengths - loop, 1), np.ones(len(lengths))
    series = enough[rng.integers(0, len(enough), (UPDATES, BATCH))]
    first = least[series] + (rng.random(series.shape) * room[series]).astype(int)
    rows = np.asarray(begins)[series] + first
    return rows.astype(np.int32), series.astype(np.int32)


def on_device(data: Arrays) -> Arrays:
    """Hand the arrays to the engine once."""
    return jax.tree.map(jax.device_put, data)


def starting_from(data: Arrays, candidate: Candidate) -> Arrays:
    """Return the arrays with the start of a candidate; the others are shared."""
    return data._replace(start=np.float32(candidate.start == "seasonal"))


def loop_of(request: Request) -> int:
    """Return over how many steps the loop is closed in training."""
    return min(request.horizon, _LONGEST_LOOP)


def schedule_of(request: Request) -> Schedule:
    """Return how the networks are trained."""
    return Schedule(
        _EPOCHS if request.epochs is None else request.epochs, BATCH, _RATE, loop_of(request)
    )


def holds_counts(request: Request) -> bool:
    """Whether the target holds counts."""
    return request.likelihood == "negative-binomial"


def candidates_of(panel: Panel, request: Request) -> list[Candidate]:
    """Return the candidates for a panel, the likeliest first."""
    target = panel.values[:, 0]
    logs = request.logs if np.nanmin(target) > 0 and not holds_counts(request) else (False,)
    starts = request.starts if request.season > 1 and not holds_counts(request) else ("naive",)
    return [Candidate(log, start) for log in logs for start in starts]


def plan_of(request: Request, panel: Panel, encoder: Encoder, data: Arrays) -> Plan:
    """Return what the networks are built of."""
    static = panel.columns.static
    return Plan(
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
        **dict(request.options),
    )
