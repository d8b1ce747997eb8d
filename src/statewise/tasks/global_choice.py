"""The training of one candidate for the choice: its validation error, epoch by epoch."""

from typing import Any

import numpy as np

from statewise.tasks.conformal import Factors, Residuals
from statewise.tasks.global_arrays import mean_step
from statewise.tasks.global_forecasts import PATHS, least_width
from statewise.tasks.global_request import Cut, Request, draw, on_device, schedule_of
from statewise.tasks.global_training import Training, draw_paths, forecast

_BEHIND = 1.03  # a candidate that much worse than another one after as long a training gives up
_PATIENCE = 8  # epochs without an improvement
_CALIBRATED = 1000  # windows of validation that paths are drawn from


class Course:
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
        self.data = on_device(self.data, candidate)
        self.curve: list[float] = []
        self.best, self.kept = 0, None

    def run(self, others: list[list[float]], tell) -> "Course":
        """Train, look at the validation part after each epoch, and stop when it's in vain."""
        request = self.request
        schedule = schedule_of(request)
        data = self.data
        training = Training(self.plan, schedule, data, request.seed)
        rng = np.random.default_rng([request.seed, 0])
        lengths = np.maximum(self.panel.lengths - self.cut.held, 0)
        self._look(training.weights, data)
        for epoch in range(schedule.epochs):
            loss = training.epoch(*draw(rng, lengths, data.begins, request))
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
            paths=PATHS,
            seed=self.request.seed,
        )
        least = least_width(self.plan, self.data, scale[some], series)
        return {"residuals": residuals, "factors": Factors.of(paths, truth[some], least)}
