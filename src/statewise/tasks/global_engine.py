"""One network for all series of a panel: what is chosen on the training part, and trained then.

The last steps of every series are the validation part. For each candidate (the target's logarithm
or not; beginning from the last value or from the season before) a network trains on windows drawn
from what comes before, and now and then forecasts the validation part in closed loop. The least
error decides for a candidate and for how long to train; if none beats the forecast it began from,
that stays the forecast. Then a few networks that differ in their initial weights train on windows
from everything, and the median of their forecasts is the forecast.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax
import numpy as np

from statewise.sequences import Panel
from statewise.tasks.conformal import Factors, Residuals
from statewise.tasks.global_arrays import Arrays, Encoder, lay_out, mean_step
from statewise.tasks.global_network import Plan, initial_weights
from statewise.tasks.global_training import (
    UPDATES,
    Schedule,
    Training,
    draw_paths,
    forecast,
)

LEAST_LOOKBACK = 8  # known steps before the first one to forecast, at least
_MEMBERS = 3  # networks whose median is the forecast
_EPOCHS = 24
_BATCH = 128
_RATE = 3e-3
_LONGEST_LOOP = 96  # steps over which the loop is closed in training
_MOST_WINDOWS = 2000  # of validation
_MOST_ORIGINS = 400  # of one series in validation
_BEHIND = 1.03  # a candidate that much worse than another one after as long a training gives up
_PATHS = 201  # draws through the closed loop, for each series
_CALIBRATED = 1000  # windows of validation that paths are drawn from
_PATIENCE = 8  # epochs without an improvement

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
    members: int = _MEMBERS
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
        (33, 48, {0, 1})
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


class GlobalEngine:
    """A fitted global network.

    Attributes:
        panel: what it was fitted on.
        request: what was asked for.
        candidate: what validation chose.
        epochs: how long was trained.
        plan: of the network.
        weights: of each member.
        encoder: of the inputs.
        residuals: of the validation part, for intervals.
        factors: by which the intervals of a likelihood are widened; None without one.
        errors: the least validation error of each candidate.
        curves: the validation error of each candidate by epoch, from 0 on.
        losses: the training loss of the last training, by epoch.
        cut: how the panel was cut for validation.
    """

    batch = _BATCH  # windows of an update

    def __init__(self, **parts: Any):
        self.__dict__.update(parts)

    @classmethod
    def fit(cls, panel: Panel, request: Request, tell: Tell) -> "GlobalEngine":
        """Choose on the training part, and train."""
        encoder = Encoder.fit(panel)
        cut = Cut.of(panel.lengths, request.horizon, request.least)
        options = _candidates(panel, request)
        layouts = {
            # Room for the steps to forecast: so ``predict`` can run the same compiled programs.
            log: lay_out(panel, encoder, log=log, counts=_counts(request), room=request.horizon)
            for log in {one.log for one in options}
        }
        plan = _plan(request, panel, encoder, next(iter(layouts.values()))[0])
        found: dict[Candidate, _Course] = {}
        for i, one in enumerate(options):
            course = _Course(panel, plan, one, layouts[one.log], cut, request)
            found[one] = course.run(
                [other.curve for other in found.values()],
                lambda done, most, loss, i=i: tell(
                    "choosing", i * most + done, len(options) * most, loss
                ),
            )
        best = min(found, key=lambda one: min(found[one].curve))
        course = found[best]
        epochs = course.best if request.epochs is None else request.epochs
        data = _on_device(layouts[best.log][0], best)
        weights, losses = [], []
        for member in range(request.members):
            # Other initial weights and windows than those that validation saw.
            training = Training(plan, _schedule(request), data, request.seed + 1 + member)
            rng = np.random.default_rng([request.seed, 1 + member])
            for epoch in range(epochs):
                loss = training.epoch(*_draw(rng, panel.lengths, data.begins, request))
                tell("training", member * epochs + epoch + 1, request.members * epochs, loss)
                if member == 0:
                    losses.append(loss)
            weights.append(training.weights)
        return cls(
            panel=panel,
            request=request,
            candidate=best,
            epochs=epochs,
            plan=plan,
            weights=weights,
            encoder=encoder,
            **course.measured(),
            errors={str(one): min(c.curve) for one, c in found.items()},
            curves={str(one): list(c.curve) for one, c in found.items()},
            losses=losses,
            cut=cut,
        )

    def predict(self, panel: Panel, horizon: int, ahead: np.ndarray | None = None) -> "Forecasts":
        """Forecast the steps after each series.

        Args:
            panel: the known steps.
            horizon: how many steps.
            ahead: the inputs of those steps, (series * horizon, inputs).
        """
        data, level = lay_out(
            panel,
            self.encoder,
            log=self.candidate.log,
            counts=_counts(self.request),
            room=horizon,
            ahead=ahead,
        )
        return Forecasts(self, data, level, data.begins + panel.lengths, horizon)

    def predict_from(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Forecast steps of one series, each from the true ones before it, (origins,) float64.

        Each origin makes a series of its own, known up to there; they share the values.
        """
        known = panel.until(origins[:1])  # what is known to all of them decides about the scale
        _, level = lay_out(
            known, self.encoder, log=self.candidate.log, counts=_counts(self.request), room=0
        )
        data, _ = lay_out(
            panel,
            self.encoder,
            log=self.candidate.log,
            counts=_counts(self.request),
            room=1,
            level=level,
        )
        moves = np.abs(np.diff(data.values[: origins[-1]], axis=0))
        floors = np.cumsum(moves, axis=0)[origins - 2] / (origins - 1)[:, None]
        each = np.zeros(len(origins), int)
        data = data._replace(
            begins=data.begins[each],
            unit=data.unit[each],
            categories=data.categories[each],
            floor=floors.astype(np.float32),
        )
        level = replace(level, shift=level.shift[each], scale=level.scale[each])
        return Forecasts(self, data, level, data.begins + origins, 1).points[:, 0]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what a file must keep: what JSON can hold, and arrays by name."""
        plain = {
            "request": asdict(self.request),
            "candidate": list(self.candidate),
            "plan": asdict(self.plan),
            "encoder": asdict(self.encoder),
            "members": len(self.weights),
            "held": self.cut.held,
            "validated": self.cut.horizon,
            **{name: getattr(self, name) for name in _PLAIN},
        }
        arrays = {
            f"weight_{i}_{j}": np.asarray(leaf)
            for i, weights in enumerate(self.weights)
            for j, leaf in enumerate(jax.tree.leaves(weights))
        }
        arrays |= {
            "residuals": self.residuals.sorted,
            "first": self.cut.first,
            "series": self.cut.series,
        }
        if self.factors is not None:
            arrays["factors"] = self.factors.values
        return plain, arrays

    @classmethod
    def from_state(
        cls, plain: dict[str, Any], arrays: dict[str, np.ndarray], panel: Panel
    ) -> "GlobalEngine":
        """Return the engine whose ``state`` gave these."""
        plan = Plan(**_tuples(plain["plan"]))
        structure = jax.tree.structure(initial_weights(plan, 0))
        weights = [
            jax.tree.unflatten(
                structure,
                [jax.numpy.asarray(arrays[f"weight_{i}_{j}"]) for j in range(structure.num_leaves)],
            )
            for i in range(plain["members"])
        ]
        factors = arrays.get("factors")
        return cls(
            panel=panel,
            request=Request(**_tuples(plain["request"])),
            candidate=Candidate(*plain["candidate"]),
            plan=plan,
            weights=weights,
            encoder=Encoder(**plain["encoder"]),
            residuals=Residuals(arrays["residuals"]),
            factors=None if factors is None else Factors(factors),
            cut=Cut(plain["held"], plain["validated"], arrays["first"], arrays["series"]),
            **{name: plain[name] for name in _PLAIN},
        )


_PLAIN = ("epochs", "errors", "curves", "losses")


def _tuples(given: dict[str, Any]) -> dict[str, Any]:
    """Return what JSON made lists of as tuples again."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}


class Forecasts:
    """Forecasts of many series: points, and intervals on request.

    Attributes:
        z: points on the network's scale, (series, horizon).
    """

    def __init__(self, engine: GlobalEngine, data: Arrays, level, first, horizon: int):
        if engine.plan.gaps and data.observed is None:
            data = data._replace(observed=np.ones(data.values.shape, bool))
        self.engine, self.level = engine, level
        self.data = data = _on_device(data, engine.candidate)
        self.first, self.series = first, np.arange(len(first))
        each = [
            forecast(engine.plan, one, data, first, self.series, horizon) for one in engine.weights
        ]
        self.z = np.median([points for points, _ in each], axis=0)
        self.scale = each[0][1]

    @property
    def points(self) -> np.ndarray:
        """The forecasts in the series' own unit, (series, horizon)."""
        return self.level.undo(self.z, self.series)

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper ends of an interval, (series, horizon) each.

        Args:
            level: how many percent of the true values are to lie within.
        """
        if self.engine.factors is None:
            low, high = self.engine.residuals.band(level, self.z.shape[1])
            scale = self.scale[:, None]
            low, high = self.z + low * scale, self.z + high * scale
        else:
            least = _least_width(self.engine.plan, self.data, self.scale, self.series)
            low, high = self.engine.factors.widened(self.paths, level, least)
        return self.level.undo(low, self.series), self.level.undo(high, self.series)

    @cached_property
    def paths(self) -> np.ndarray:
        """Draws through the closed loop, as many of each network, (series, paths, horizon)."""
        engine, horizon = self.engine, self.z.shape[1]
        each = -(-_PATHS // len(engine.weights))
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


def _least_width(plan: Plan, data: Arrays, scale: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Return the least half-width of an interval of paths, (windows, 1): half a count, or next to
    nothing."""
    if plan.likelihood == "negative-binomial":
        return 0.5 / data.unit[series, :1]
    return 1e-3 * scale[:, None]


class _Course:
    """A candidate's training for the choice: its validation error by epoch, from 0 on."""

    def __init__(self, panel, plan, candidate, layout, cut: Cut, request: Request):
        self.panel, self.plan, self.cut, self.request = panel, plan, cut, request
        self.data, self.level = layout
        self.rows = self.data.begins[cut.series] + cut.first
        ahead = self.rows[:, None] + np.arange(cut.horizon)
        own = panel.offsets[cut.series, None] + cut.first[:, None] + np.arange(cut.horizon)
        self.truth = panel.values[own, 0]
        self.truth_z = self.data.values[ahead, 0]
        self.unit = mean_step(panel)[cut.series, None]
        self.data = _on_device(self.data, candidate)
        self.curve: list[float] = []
        self.best, self.kept = 0, None

    def run(self, others: list[list[float]], tell) -> "_Course":
        """Train, look at the validation part after each epoch, and stop when it's in vain."""
        request = self.request
        schedule = _schedule(request)
        data = self.data
        training = Training(self.plan, schedule, data, request.seed)
        rng = np.random.default_rng([request.seed, 0])
        lengths = np.maximum(self.panel.lengths - self.cut.held, 0)
        self._look(training.weights, data)
        for epoch in range(schedule.epochs):
            loss = training.epoch(*_draw(rng, lengths, data.begins, request))
            self._look(training.weights, data)
            tell(epoch + 1, schedule.epochs, loss)
            done = epoch + 1
            if request.epochs is None and done - self.best >= _PATIENCE:
                break
            if done >= 4 and any(
                self.curve[self.best] > _BEHIND * min(other[: done + 1]) for other in others
            ):
                break
        return self

    def _look(self, weights, data) -> None:
        z, _ = self._points(weights, data)
        errors = np.abs(self.level.undo(z, self.cut.series) - self.truth) / self.unit
        self.curve.append(float(np.nanmean(errors)))
        if np.argmin(self.curve) == len(self.curve) - 1 or self.request.epochs is not None:
            self.best, self.kept = len(self.curve) - 1, weights

    def _points(self, weights, data) -> tuple[np.ndarray, np.ndarray]:
        cut = self.cut
        return forecast(self.plan, weights, data, self.rows, cut.series, cut.horizon)

    def measured(self) -> dict[str, Any]:
        """Return what the network missed by at its best, for intervals."""
        z, scale = self._points(self.kept, self.data)
        truth = np.where(np.isnan(self.truth), np.nan, self.truth_z)
        residuals = Residuals.of((truth - z) / scale[:, None])
        if self.plan.likelihood == "none":
            return {"residuals": residuals, "factors": None}
        some = np.linspace(0, len(z) - 1, min(len(z), _CALIBRATED)).round().astype(int)
        rows, series = self.rows[some], self.cut.series[some]
        paths = draw_paths(
            self.plan,
            self.kept,
            self.data,
            rows,
            series,
            horizon=self.cut.horizon,
            paths=_PATHS,
            seed=self.request.seed,
        )
        least = _least_width(self.plan, self.data, scale[some], series)
        return {"residuals": residuals, "factors": Factors.of(paths, truth[some], least)}


def _draw(rng, lengths: np.ndarray, begins, request: Request) -> tuple[np.ndarray, np.ndarray]:
    """Draw an epoch's windows: a series, each as likely as the next, and an origin within it."""
    loop = _loop(request)
    room = lengths - loop - request.least + 1
    enough = np.flatnonzero(room > 0)
    if not len(enough):
        room = np.maximum(lengths - loop, 1)
        enough = np.flatnonzero(room == room.max())
    series = enough[rng.integers(0, len(enough), (UPDATES, _BATCH))]
    least = np.minimum(request.least, np.maximum(lengths[series] - loop, 1))
    first = least + (rng.random(series.shape) * room[series]).astype(int)
    rows = np.asarray(begins)[series] + first
    return rows.astype(np.int32), series.astype(np.int32)


def _on_device(data: Arrays, candidate: Candidate) -> Arrays:
    start = np.float32(candidate.start == "seasonal")
    return jax.tree.map(jax.numpy.asarray, data._replace(start=start))


def _loop(request: Request) -> int:
    return min(request.horizon, _LONGEST_LOOP)


def _schedule(request: Request) -> Schedule:
    return Schedule(
        _EPOCHS if request.epochs is None else request.epochs, _BATCH, _RATE, _loop(request)
    )


def _counts(request: Request) -> bool:
    return request.likelihood == "negative-binomial"


def _candidates(panel: Panel, request: Request) -> list[Candidate]:
    target = panel.values[:, 0]
    logs = request.logs if np.nanmin(target) > 0 and not _counts(request) else (False,)
    starts = request.starts if request.season > 1 and not _counts(request) else ("naive",)
    return [Candidate(log, start) for log in logs for start in starts]


def _plan(request: Request, panel: Panel, encoder: Encoder, data: Arrays) -> Plan:
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
