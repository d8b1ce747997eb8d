"""The training of the candidates for the choice: their validation errors, epoch by epoch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from statewise.sequences import Panel
from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.closed_loops import draw_paths, forecast
from statewise.tasks.forecasting.global_model.config import (
    IncrementSpec,
    Request,
    ValidationSplit,
    schedule_of,
    starting_from,
)
from statewise.tasks.forecasting.global_model.features import Arrays, Level
from statewise.tasks.forecasting.global_model.measures import mean_step
from statewise.tasks.forecasting.global_model.prediction import PATHS, least_width
from statewise.tasks.forecasting.global_model.programs import in_threads
from statewise.tasks.forecasting.global_model.training import TrainingRun
from statewise.tasks.forecasting.intervals import Factors, Residuals

_BEHIND = 1.03  # a candidate that much worse than another one after as long a training gives up
_PATIENCE = 8  # epochs without an improvement
_CALIBRATED = 1000  # windows of validation that paths are drawn from


def train_for_choice(
    runs: list["ValidationRun"], progress: Callable[[int, int, float], None]
) -> None:
    """Train the candidates side by side, epoch by epoch, each until it's in vain.

    Args:
        runs: of the candidates.
        progress: called after each epoch, with their number, the most there will be, and the mean
            loss.
    """
    first, *others = running = runs
    most = schedule_of(first.request).epochs
    for done in range(1, most + 1):
        if done == 1:  # the first one compiles for all
            losses = [first.epoch(), *in_threads([run.epoch for run in others])]
        else:
            losses = in_threads([run.epoch for run in running])
        progress(done, most, float(np.mean(losses)))
        running = [run for run in running if not run.in_vain(runs)]
        if not running:
            return


class ValidationRun:
    """A candidate's training for the choice: its validation error by epoch, from 0 on."""

    def __init__(
        self,
        panel: Panel,
        architecture: Architecture,
        spec: IncrementSpec,
        layout: tuple[Arrays, Level],
        split: ValidationSplit,
        request: Request,
    ):
        self.panel, self.architecture, self.request = panel, architecture, request
        self.split, (self.data, self.level) = split, layout
        self.rows = np.asarray(self.data.begins)[split.series] + split.first
        ahead = self.rows[:, None] + np.arange(split.horizon)
        own = panel.offsets[split.series, None] + split.first[:, None] + np.arange(split.horizon)
        self.truth = panel.values[own, 0]
        self.truth_z = np.asarray(self.data.values)[ahead, 0]
        self.unit = mean_step(panel)[split.series, None]
        self.data = starting_from(self.data, spec, request)
        lengths = np.maximum(panel.lengths - split.held, 0)
        self._training_run = TrainingRun(architecture, self.data, lengths, request, 0)
        self.curve: list[float] = []
        self.best, self.kept = 0, self._training_run.weights

    def epoch(self) -> float:
        """Train for an epoch, validate, and return the loss."""
        if self.curve:
            loss = self._training_run.epoch()
        else:  # side by side, the two programs compile in little more than the time of one
            untrained = self._training_run.weights
            both = [lambda: self._validate(untrained), self._training_run.epoch]
            _, loss = in_threads(both)
        self._validate(self._training_run.weights)
        return loss

    def in_vain(self, runs: list["ValidationRun"]) -> bool:
        """Whether nothing better is to be expected, or another candidate is well ahead."""
        done = len(self.curve) - 1
        if self.request.epochs is None and done - self.best >= _PATIENCE:
            return True
        others = [run.curve[: done + 1] for run in runs if run is not self]
        behind = [self.curve[self.best] > _BEHIND * min(other) for other in others]
        return done >= 4 and any(behind)

    def _validate(self, weights: dict[str, Any]) -> float:
        """Forecast the validation part, and return the error."""
        z, _ = self._points(weights)
        errors = np.abs(self.level.undo(z, self.split.series) - self.truth) / self.unit
        self.curve.append(float(np.nanmean(errors)))
        if np.argmin(self.curve) == len(self.curve) - 1 or self.request.epochs is not None:
            self.best, self.kept = len(self.curve) - 1, weights
        return self.curve[-1]

    def _points(self, weights: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        split = self.split
        return forecast(
            self.architecture, weights, self.data, self.rows, split.series, split.horizon
        )

    def measured(self) -> dict[str, Any]:
        """Return what the network missed by at its best, for intervals."""
        z, scale = self._points(self.kept)
        truth = np.where(np.isnan(self.truth), np.nan, self.truth_z)
        residuals = Residuals.of((truth - z) / scale[:, None])
        if self.architecture.likelihood == "none":
            return {"residuals": residuals, "factors": None}
        some = np.linspace(0, len(z) - 1, min(len(z), _CALIBRATED)).round().astype(int)
        rows, series = self.rows[some], self.split.series[some]
        paths = draw_paths(
            self.architecture,
            self.kept,
            self.data,
            rows,
            series,
            horizon=self.split.horizon,
            paths=PATHS,
            seed=self.request.seed,
        )
        least = least_width(self.architecture, self.data, scale[some], series)
        factors = Factors.of(paths, truth[some], least, z[some])
        return {"residuals": residuals, "factors": factors}
