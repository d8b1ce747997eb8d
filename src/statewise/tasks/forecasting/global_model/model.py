"""One network for all series of a panel: what is chosen on the training part, and trained then.

The last steps of every series are the validation part. For each candidate (the target's logarithm
or not; beginning from the last value or from the season before) a network trains on windows drawn
from what comes before, and now and then forecasts the validation part in closed loop. The least
error decides for a candidate and for how long to train; if none beats the forecast it began from,
that stays the forecast. Then a few networks that differ in their initial weights train on windows
from everything, and the median of their forecasts is the forecast.
"""

import warnings
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import jax
import numpy as np
import pandas as pd

from statewise.sequences import Panel
from statewise.tasks.forecasting.global_model.config import (
    BATCH,
    Candidate,
    Cut,
    Request,
    Tell,
    candidates_of,
    holds_counts,
    on_device,
    plan_of,
)
from statewise.tasks.forecasting.global_model.features import Arrays, Encoder, Level, lay_out
from statewise.tasks.forecasting.global_model.members import Learner, in_threads
from statewise.tasks.forecasting.global_model.network import Plan, initial_weights
from statewise.tasks.forecasting.global_model.ordering import order_of
from statewise.tasks.forecasting.global_model.prediction import PATHS, Forecasts
from statewise.tasks.forecasting.global_model.selection import Course, train_for_choice
from statewise.tasks.forecasting.intervals import Factors, Residuals, staleness


class GlobalEngine:
    """A fitted global network.

    Attributes:
        panel: what it was fitted on, in the order of `order_of`.
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

    batch = BATCH

    def __init__(self, **parts: Any):
        self.__dict__.update(parts)

    @classmethod
    def fit(cls, panel: Panel, request: Request, tell: Tell) -> "GlobalEngine":
        """Choose on the training part, and train."""
        panel = panel.select(order_of(panel.keys))
        encoder = Encoder.fit(panel)
        cut = Cut.of(panel.lengths, request.horizon, request.least)
        options = candidates_of(panel, request)
        layouts = {}
        for log in {one.log for one in options}:
            # Room for the steps to forecast: so ``predict`` can run the same compiled programs.
            data, level = lay_out(
                panel,
                encoder,
                log=log,
                counts=holds_counts(request),
                season=request.season,
                room=request.horizon,
            )
            layouts[log] = on_device(data), level
        plan = plan_of(request, panel, encoder, next(iter(layouts.values()))[0])
        courses = {one: Course(panel, plan, one, layouts[one.log], cut, request) for one in options}
        train_for_choice(list(courses.values()), partial(tell, "choosing"))
        best = min(courses, key=lambda one: min(courses[one].curve))
        course = courses[best]
        epochs = course.best if request.epochs is None else request.epochs
        # Other initial weights and windows than those that validation saw.
        members = [
            Learner(plan, course.data, panel.lengths, request, 1 + i)
            for i in range(request.members)
        ]
        for epoch in range(epochs):
            losses = in_threads([member.epoch for member in members])
            tell("training", epoch + 1, epochs, float(np.mean(losses)))
        return cls(
            panel=panel,
            request=request,
            candidate=best,
            epochs=epochs,
            plan=plan,
            weights=[member.weights for member in members],
            encoder=encoder,
            **course.measured(),
            errors={str(one): min(c.curve) for one, c in courses.items()},
            curves={str(one): list(c.curve) for one, c in courses.items()},
            losses=members[0].losses,
            cut=cut,
        )

    def predict(self, panel: Panel, horizon: int, ahead: np.ndarray | None = None) -> "Forecasts":
        """Forecast the steps after each series.

        Args:
            panel: the known steps.
            horizon: how many steps.
            ahead: the inputs of those steps, (series * horizon, inputs).
        """
        order = order_of(panel.keys)
        panel = self._with_logarithm(panel.select(order))
        if ahead is not None:
            ahead = ahead.reshape(len(order), horizon, -1)[order].reshape(ahead.shape)
        data, level = self._laid_out(panel, room=horizon, ahead=ahead)
        repeats = self.request.season if self.candidate.start == "seasonal" else 1
        known = ~np.isnan(panel.values[:, 0])
        stale = staleness(known, panel.offsets, season=repeats, horizon=horizon)
        first = data.begins + panel.lengths
        return Forecasts(self, data, level, first, stale, np.argsort(order))

    def numbers(self, intervals: bool) -> int:
        """Return how many numbers a forecast holds at once for each step of a series."""
        sampled = intervals and self.factors is not None
        return 4 * (self.plan.channels + self.plan.inputs) + (2 * PATHS if sampled else 0)

    def predict_from(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Forecast steps of one series, each from the true ones before it, (origins,) float64.

        Each origin makes a series of its own, known up to there; they share the values. Where the
        series hasn't moved yet, there is no telling how it will: its value stays.
        """
        panel = self._with_logarithm(panel)
        target = pd.Series(panel.values[:, 0]).ffill().bfill().to_numpy()
        counts = holds_counts(self.request)
        still = len(target) if counts else int(np.argmax(np.append(target, np.nan) != target[0]))
        stays = target[origins - 1]
        if not counts and origins[-1] <= still:
            return stays
        # What was known when the first of them that can be told was, decides about the scale.
        known = panel.until(origins[:1] if counts else np.maximum(origins[:1], still + 1))
        _, level = self._laid_out(known, room=0)
        data, _ = self._laid_out(panel, room=1, level=level)
        moves = np.abs(np.diff(data.values[: origins[-1]], axis=0, prepend=data.values[:1]))
        floors = np.cumsum(moves, axis=0)[origins - 1] / np.maximum(origins - 1, 1)[:, None]
        each = np.zeros(len(origins), int)
        data = data._replace(
            begins=data.begins[each],
            unit=data.unit[each],
            categories=data.categories[each],
            floor=np.where(floors > 0, floors, 1).astype(np.float32),
        )
        level = replace(level, shift=level.shift[each], scale=level.scale[each])
        stale = np.ones((len(origins), 1))
        points = Forecasts(
            self, data, level, data.begins + origins, stale, np.arange(len(origins))
        ).points[:, 0]
        return points if counts else np.where(origins <= still, stays, points)

    def _laid_out(self, panel: Panel, **options: Any) -> tuple[Arrays, Level]:
        """Bring a panel onto the network's scale, as that of `fit` was."""
        return lay_out(
            panel,
            self.encoder,
            log=self.candidate.log,
            counts=holds_counts(self.request),
            season=self.request.season,
            **options,
        )

    def _with_logarithm(self, panel: Panel) -> Panel:
        """Raise values that have no logarithm to the lowest one trained on, if one is needed."""
        low = panel.values[:, 0] <= 0
        if not (self.candidate.log and low.any()):
            return panel
        values, floor = panel.values.copy(), np.nanmin(self.panel.values[:, 0])
        values[low, 0] = floor
        warnings.warn(
            f"{int(low.sum())} known values are not above 0, though all that were trained on are: "
            f"the network is shown {floor:g} in their place. Fit again on the longer series.",
            stacklevel=4,
        )
        return replace(panel, values=values)

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
