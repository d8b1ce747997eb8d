"""The choice of transform and training length by validation at the end of the training part.

What will be asked of the forecaster is asked of every candidate: closed loop over the horizon,
from several origins in the last part of the training part, by networks that were trained on what
comes before. The candidates train side by side in one model, so this costs about one training.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from statewise.tasks.forecasting.local_model.ensemble import side_by_side
from statewise.tasks.forecasting.local_model.training import (
    continue_from,
    cut_samples,
    train,
    transformed,
)
from statewise.tasks.forecasting.local_model.transforms import Candidate

WIDTH = 256  # units of all networks together, in one model
_MEMBERS = 3  # networks for each candidate
_MOST_ORIGINS = 48
# Updates of the weights after which the validation error is looked at: what a network learns early
# decides most, so the looks are dense there; the last one is the longest training there is.
_LOOKS = (10, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640)
_PATIENCE = 5  # looks without an improvement by any candidate
_TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Validation:
    """How a training part of ``steps`` steps is cut for validation.

    Attributes:
        first: the first step of the validation part.
        horizon: how many steps to forecast from each origin.
        origins: the first steps to forecast, (origins,).
    """

    first: int
    horizon: int
    origins: np.ndarray

    @classmethod
    def cut(cls, steps: int, *, horizon: int, lookback: int) -> "Validation":
        """Validate on the last third, or on two horizons where that's more, but at most half.

        >>> cut = Validation.cut(120, horizon=24, lookback=8)
        >>> cut.first, cut.horizon, len(cut.origins)
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
        candidate: the transform.
        epochs: how long to train.
        errors: the lowest mean absolute validation error of each candidate.
        residuals: of the chosen candidate, truth less forecast, of the logarithms where it takes
            them, (origins, horizon).
        curves: pairs of epochs done and validation error of each candidate.
    """

    candidate: Candidate
    epochs: int
    errors: dict[Candidate, float]
    residuals: np.ndarray
    curves: dict[Candidate, list[tuple[int, float]]]


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
    options: list[Candidate],
    validation: Validation,
    settings: Settings,
    after_epoch: Callable[[int, int, float], None],
) -> Choice:
    """Train all candidates up to the validation part, and choose the one that forecasts it best.

    Args:
        values: the training part, (time,).
        options: the candidates.
        validation: how it is cut.
        settings: of the networks.
        after_epoch: called with the epochs done, the most there will be, and the loss.
    """
    units, seed = settings.units, settings.seed
    members = max(1, min(_MEMBERS, WIDTH // (units * len(options))))
    at_once = max(1, WIDTH // (units * members))
    groups = [options[i : i + at_once] for i in range(0, len(options), at_once)]
    found: dict[Candidate, _Best] = {}
    curves: dict[Candidate, list[tuple[int, float]]] = {}
    for number, group in enumerate(groups):
        course = _Course(group, members, values, validation, settings)
        looks = _LOOKS if settings.epochs is None else (settings.epochs * course.samples.batches,)
        looks = [-(-updates // course.samples.batches) for updates in looks]  # in epochs
        model = side_by_side(settings.cell, networks=len(group) * members, units=units, seed=seed)

        def look(done, loss, number=number, looks=looks, course=course, model=model):
            after_epoch(number * looks[-1] + done, len(groups) * looks[-1], loss)
            if done in looks:
                course.look(model, done)
            return course.looks_since_best >= _PATIENCE

        train(model, course.samples, epochs=looks[-1], after_epoch=look)
        found |= course.best
        curves |= course.curves
    best = min(found, key=lambda one: found[one].error)
    errors = {one: each.error for one, each in found.items()}
    return Choice(best, found[best].epochs, errors, found[best].residuals, curves)


class _Best(NamedTuple):
    """The best look at a candidate so far."""

    error: float
    epochs: int
    residuals: np.ndarray


class _Course:
    """One group of candidates while it trains: its data, and the best error of each so far."""

    def __init__(self, group, members, values, validation, settings):
        self.group, self.members, self.values, self.validation = group, members, values, validation
        fitted = [one.fit(values[: validation.first]) for one in group]
        self.chains = [chain for chain in fitted for _ in range(members)]
        z = transformed(self.chains, values[: validation.first])
        self.samples = cut_samples(z, lookback=settings.lookback, seed=settings.seed)
        ahead = np.arange(validation.horizon)
        self.truth = values[validation.origins[:, None] + ahead]  # (origins, horizon)
        unknown = np.zeros_like(self.truth)
        self.best = {one: _Best(np.inf, 1, unknown) for one in group}
        self.curves: dict[Candidate, list[tuple[int, float]]] = {one: [] for one in group}
        self.looks_since_best = 0

    def look(self, model, done: int) -> None:
        forecast = continue_from(
            model,
            self.chains,
            self.values,
            self.validation.origins,
            horizon=self.validation.horizon,
            lookback=self.samples.x.shape[1],
        )
        forecast = np.median(forecast.reshape(len(self.group), self.members, *self.truth.shape), 1)
        errors = np.abs(forecast - self.truth).mean(axis=(1, 2))
        least = min(best.error for best in self.best.values())
        for one, error, points in zip(self.group, errors.tolist(), forecast, strict=True):
            self.curves[one].append((done, error))
            if error < self.best[one].error:
                self.best[one] = _Best(error, done, _residuals(one, self.truth, points))
        self.looks_since_best = 0 if errors.min() < least else self.looks_since_best + 1


def _residuals(candidate: Candidate, truth: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.log(truth / np.maximum(points, _TINY)) if candidate.log else truth - points
