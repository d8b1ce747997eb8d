"""The choice of transform and training length by validation at the end of the training part.

What will be asked of the forecaster is asked of every candidate: closed loop over the horizon,
from several origins in the last part of the training part, by networks that were trained on what
comes before. The candidates train side by side in one model, so this costs about one training.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from statewise.tasks.forecasting.local_model.ensemble import side_by_side
from statewise.tasks.forecasting.local_model.training import (
    continue_from,
    cut_samples,
    train,
    transformed,
)
from statewise.tasks.forecasting.local_model.transforms import TransformSpec

WIDTH = 256  # units of all networks together, in one model
_MEMBERS = 3  # networks for each candidate
_MOST_ORIGINS = 48
# Updates of the weights after which it is validated: what a network learns early
# decides most, so validations are dense there; the last one is the longest training there is.
_VALIDATED_AFTER = (10, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640)
_PATIENCE = 5  # validations without an improvement by any candidate
_TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class ValidationSplit:
    """How a training part of ``steps`` steps is split for validation.

    Attributes:
        first: the first step of the validation part.
        horizon: how many steps to forecast from each origin.
        origins: the first steps to forecast, (origins,).
    """

    first: int
    horizon: int
    origins: np.ndarray

    @classmethod
    def of(cls, steps: int, *, horizon: int, lookback: int) -> "ValidationSplit":
        """Validate on the last third, or on two horizons where that's more, but at most half.

        >>> split = ValidationSplit.of(120, horizon=24, lookback=8)
        >>> split.first, split.horizon, len(split.origins)
        (72, 24, 25)
        """
        length = min(max(2 * horizon, steps // 3), steps // 2, max(1, steps - lookback - 1))
        horizon = min(horizon, length)
        count = min(length - horizon + 1, _MOST_ORIGINS)
        origins = np.linspace(steps - length, steps - horizon, count).round().astype(int)
        return cls(steps - length, horizon, origins)


@dataclass(frozen=True)
class Choice:
    """What validation chose.

    Attributes:
        spec: the transform.
        epochs: how long to train.
        errors: the lowest mean absolute validation error of each candidate.
        residuals: of the chosen candidate, truth less forecast, of the logarithms where it takes
            them, (origins, horizon).
        curves: pairs of epochs done and validation error of each candidate.
    """

    spec: TransformSpec
    epochs: int
    errors: dict[TransformSpec, float]
    residuals: np.ndarray
    curves: dict[TransformSpec, list[tuple[int, float]]]


@dataclass(frozen=True)
class Settings:
    """What is given for every network, whatever validation chooses.

    Attributes:
        cell: "lstm", "gru" or "rnn".
        units: units of each network.
        lookback: transformed steps to train on at a time and to warm up over, at most.
        epochs: how long to train; None chooses that too.
        seed: of the initial weights and of the order of the samples.
    """

    cell: str
    units: int
    lookback: int
    epochs: int | None
    seed: int


def choose(
    values: np.ndarray,
    specs: list[TransformSpec],
    split: ValidationSplit,
    settings: Settings,
    after_epoch: Callable[[int, int, float], None],
) -> Choice:
    """Train all candidates up to the validation part, and choose the one that forecasts it best.

    Args:
        values: the training part, (time,).
        specs: the candidates.
        split: of the training part.
        settings: of the networks.
        after_epoch: called with the epochs done, the most there will be, and the loss.
    """
    members = max(1, min(_MEMBERS, WIDTH // (settings.units * len(specs))))
    at_once = max(1, WIDTH // (settings.units * members))
    groups = [specs[i : i + at_once] for i in range(0, len(specs), at_once)]
    found: dict[TransformSpec, _BestValidation] = {}
    curves: dict[TransformSpec, list[tuple[int, float]]] = {}
    for number, group in enumerate(groups):
        run = _ValidationRun(group, members, values, split, settings)

        def after_each(done: int, loss: float, number: int = number, run: Any = run) -> bool:
            after_epoch(number * run.most + done, len(groups) * run.most, loss)
            return run.after_epoch(done)

        train(run.model, run.samples, epochs=run.most, after_epoch=after_each)
        found |= run.best
        curves |= run.curves
    best = min(found, key=lambda one: found[one].error)
    errors = {one: each.error for one, each in found.items()}
    return Choice(best, found[best].epochs, errors, found[best].residuals, curves)


class _BestValidation(NamedTuple):
    """The best validation of a candidate so far."""

    error: float
    epochs: int
    residuals: np.ndarray


class _ValidationRun:
    """One group of candidates while it trains: its data, and the best error of each so far."""

    def __init__(
        self,
        group: list[TransformSpec],
        members: int,
        values: np.ndarray,
        split: ValidationSplit,
        settings: Settings,
    ):
        self.group, self.members, self.values, self.split = group, members, values, split
        fitted = [one.fit(values[: split.first]) for one in group]
        self.pipelines = [pipeline for pipeline in fitted for _ in range(members)]
        z = transformed(self.pipelines, values[: split.first])
        self.samples = cut_samples(z, lookback=settings.lookback, seed=settings.seed)
        self.model = side_by_side(
            settings.cell,
            networks=len(group) * members,
            units=settings.units,
            seed=settings.seed,
        )
        batches = self.samples.batches
        updates = _VALIDATED_AFTER if settings.epochs is None else (settings.epochs * batches,)
        self._validated = [-(-count // batches) for count in updates]  # in epochs
        self.most = self._validated[-1]
        self.truth = values[split.origins[:, None] + np.arange(split.horizon)]
        unknown = np.zeros_like(self.truth)
        self.best = {one: _BestValidation(np.inf, 1, unknown) for one in group}
        self.curves: dict[TransformSpec, list[tuple[int, float]]] = {one: [] for one in group}
        self._since_best = 0

    def after_epoch(self, done: int) -> bool:
        """Validate where it's time to, and return whether nothing better is to be expected."""
        if done in self._validated:
            self._validate(done)
        return self._since_best >= _PATIENCE

    def _validate(self, done: int) -> None:
        forecast = continue_from(
            self.model,
            self.pipelines,
            self.values,
            self.split.origins,
            horizon=self.split.horizon,
            lookback=self.samples.x.shape[1],
        )
        forecast = np.median(forecast.reshape(len(self.group), self.members, *self.truth.shape), 1)
        errors = np.abs(forecast - self.truth).mean(axis=(1, 2))
        least = min(best.error for best in self.best.values())
        for one, error, points in zip(self.group, errors.tolist(), forecast, strict=True):
            self.curves[one].append((done, error))
            if error < self.best[one].error:
                self.best[one] = _BestValidation(error, done, _residuals(one, self.truth, points))
        self._since_best = 0 if errors.min() < least else self._since_best + 1


def _residuals(spec: TransformSpec, truth: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.log(truth / np.maximum(points, _TINY)) if spec.log else truth - points
