"""The training of the candidates for the choice: their validation errors, epoch by epoch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from statewise.tasks.forecasting.global_model.config import (
    Cut,
    Request,
    schedule_of,
    starting_from,
)
from statewise.tasks.forecasting.global_model.features import mean_step
from statewise.tasks.forecasting.global_model.members import Learner, in_threads
from statewise.tasks.forecasting.global_model.prediction import PATHS, least_width
from statewise.tasks.forecasting.global_model.training import draw_paths, forecast
from statewise.tasks.forecasting.intervals import Factors, Residuals

_BEHIND = 1.03  # a candidate that much worse than another one after as long a training gives up
_PATIENCE = 8  # epochs without an improvement
_CALIBRATED = 1000  # windows of validation that paths are drawn from


def train_for_choice(courses: list["Course"], tell: Callable[[int, int, float], None]) -> None:
    """Train the candidates side by side, epoch by epoch, each until it's in vain.

    Args:
        courses: of the candidates.
        tell: called after each epoch, with their number, the most there will be, and the mean loss.
    """
    first, *others = running = courses
    most = schedule_of(first.request).epochs
    for done in range(1, most + 1):
        if done == 1:  # the first one compiles for all
            losses = [first.epoch(), *in_threads([course.epoch for course in others])]
        else:
            losses = in_threads([course.epoch for course in running])
        tell(done, most, float(np.mean(losses)))
        running = [course for course in running if not course.in_vain(courses)]
        if not running:
            return


class Course:
    """A candidate's training for the choice: its validation error by epoch, from 0 on."""

    def __init__(self, panel, plan, candidate, layout, cut: Cut, request: Request):
        self.panel, self.plan, self.cut, self.request = panel, plan, cut, request
        self.data, self.level = layout
        self.rows = np.asarray(self.data.begins)[cut.series] + cut.first
        ahead = self.rows[:, None] + np.arange(cut.horizon)
        own = panel.offsets[cut.series, None] + cut.first[:, None] + np.arange(cut.horizon)
        self.truth = panel.values[own, 0]
        self.truth_z = np.asarray(self.data.values)[ahead, 0]
        self.unit = mean_step(panel)[cut.series, None]
        self.data = starting_from(self.data, candidate)
        lengths = np.maximum(panel.lengths - cut.held, 0)
        self._learner = Learner(plan, self.data, lengths, request, 0)
        self.curve: list[float] = []
        self.best, self.kept = 0, None

    def epoch(self) -> float:
        """Train for an epoch, look at the validation part, and return the loss."""
        if self.curve:
            loss = self._learner.epoch()
        else:  # side by side, the two programs compile in little more than the time of one
            untrained = self._learner.weights
            _, loss = in_threads([lambda: self._look(untrained), self._learner.epoch])
        self._look(self._learner.weights)
        return loss

    def in_vain(self, courses: list["Course"]) -> bool:
        """Whether nothing better is to be expected, or another candidate is well ahead."""
        done = len(self.curve) - 1
        if self.request.epochs is None and done - self.best >= _PATIENCE:
            return True
        others = [course.curve[: done + 1] for course in courses if course is not self]
        behind = [self.curve[self.best] > _BEHIND * min(other) for other in others]
        return done >= 4 and any(behind)

    def _look(self, weights: dict) -> None:
        z, _ = self._points(weights)
        errors = np.abs(self.level.undo(z, self.cut.series) - self.truth) / self.unit
        self.curve.append(float(np.nanmean(errors)))
        if np.argmin(self.curve) == len(self.curve) - 1 or self.request.epochs is not None:
            self.best, self.kept = len(self.curve) - 1, weights

    def _points(self, weights) -> tuple[np.ndarray, np.ndarray]:
        cut = self.cut
        return forecast(self.plan, weights, self.data, self.rows, cut.series, cut.horizon)

    def measured(self) -> dict[str, Any]:
        """Return what the network missed by at its best, for intervals."""
        z, scale = self._points(self.kept)
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
            paths=PATHS,
            seed=self.request.seed,
        )
        least = least_width(self.plan, self.data, scale[some], series)
        factors = Factors.of(paths, truth[some], least, z[some])
        return {"residuals": residuals, "factors": factors}
