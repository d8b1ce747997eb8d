"""One series forecast by itself: small networks that see it made level by one of a few transforms.

What the networks see is the series transformed: its logarithm or not, its difference to the step
before, to the season before, to both, or none, then scaled to mean 0 and standard deviation 1.
Which transform, and how long is trained, is decided by validation (`selection`); then new networks
are trained on the whole training part, side by side, and the median of their forecasts is the
forecast.
"""

import warnings
from functools import partial
from typing import Any

import numpy as np

from statewise.sequences import DataError, Pipeline
from statewise.tasks.forecasting.intervals import Residuals, band_of_few, staleness
from statewise.tasks.forecasting.local_model.ensemble import side_by_side
from statewise.tasks.forecasting.local_model.selection import WIDTH, Settings, Validation, choose
from statewise.tasks.forecasting.local_model.training import (
    continue_from,
    cut_samples,
    train,
    transformed,
)
from statewise.tasks.forecasting.local_model.transforms import Candidate, candidates

LEAST_LOOKBACK = 8
_UNITS = 8
_MEMBERS = 8  # networks whose median is the forecast
_MOST_LOOKBACK = 256


class AloneEngine:
    """The fitted networks of one series.

    Attributes:
        values: what they were fitted on, (time,).
        candidate, chain: the chosen transform, and as it is fitted.
        model: the networks, side by side.
        lookback, units, epochs: what was taken.
        shape: (samples, time steps, features) of what was trained on.
        losses: of the last training, by epoch.
        errors: the least validation error of each candidate.
        curves: the validation error of each candidate by epoch.
        residuals: of the validation part, for intervals.
        validation: how the training part was cut.
    """

    def __init__(self, **parts: Any):
        self.__dict__.update(parts)

    @classmethod
    def fit(cls, values, *, horizon, lookback, cell, units, epochs, season, seed, tell):
        """Choose a transform and train on ``values`` (time,); None for what is to be chosen."""
        least = LEAST_LOOKBACK if lookback is None else lookback
        if len(values) < least + horizon:
            raise DataError(
                f"the series has {len(values)} time steps to learn from, but lookback {least} + "
                f"horizon {horizon} need at least {least + horizon}: take a shorter "
                "horizon or lookback, or a longer series"
            )
        units = units or _UNITS
        validation = Validation.cut(len(values), horizon=horizon, lookback=least)
        options = candidates(values, season=season, room=max(0, validation.first - least - 1))
        settings = Settings(
            cell=cell,
            units=units,
            lookback=_longest_lookback(len(values), season) if lookback is None else least,
            epochs=epochs,
            seed=seed,
        )
        choice = choose(values, options, validation, settings, partial(tell, "choosing"))
        chain = choice.candidate.fit(values)
        members = max(1, min(_MEMBERS, WIDTH // units))
        z = transformed([chain] * members, values)
        samples = cut_samples(z, lookback=settings.lookback, seed=seed)
        # Other initial weights than those that validation saw.
        model = side_by_side(cell, networks=members, units=units, seed=seed + 1)
        losses: list[float] = []

        def after_epoch(done, loss):
            losses.append(loss)
            tell("training", done, choice.epochs, loss)

        train(model, samples, epochs=choice.epochs, after_epoch=after_epoch)
        return cls(
            values=values,
            candidate=choice.candidate,
            chain=chain,
            model=model,
            cell=cell,
            lookback=samples.x.shape[1],
            units=units,
            epochs=choice.epochs,
            shape=(*samples.x.shape[:2], 1),  # all networks learn on the same steps
            losses=losses,
            errors={str(one): error for one, error in choice.errors.items()},
            curves={str(one): curve for one, curve in choice.curves.items()},
            residuals=Residuals.of(choice.residuals),
            validation=validation,
        )

    def points(self, values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
        """Return the forecasts (origins, horizon) from each origin.

        Args:
            values: the series, (time,), as long as the last origin at least.
            origins: the first step to forecast of each run.
            horizon: how many steps.
        """
        least = self.chain.steps_lost + 1
        if origins.min() < least:
            raise DataError(
                f"only {origins.min()} steps are known before the forecast, but the network needs "
                f"{least} at least"
            )
        members = continue_from(
            self.model,
            [self.chain] * self.model.output_shape[-1],
            self._with_logarithm(values[: origins.max()]),
            origins,
            horizon=horizon,
            lookback=min(self.lookback, origins.min() - self.chain.steps_lost),
        )
        return np.median(members, axis=0)

    def interval(
        self, points: np.ndarray, known: np.ndarray, level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of an interval around ``points`` (horizon,).

        The residuals are those of the logarithm where the transform takes it.

        Args:
            points: the forecast.
            known: whether the steps that it goes on from have a value, (time,).
            level: how many percent are to lie within.
        """
        held = len(self.values) - self.validation.first
        low, high = band_of_few(
            self.residuals, level, len(points), independent=held / self.validation.horizon
        )
        repeats, ends = max(self.candidate.lags, default=1), np.array([0, len(known)])
        stale = staleness(known, ends, season=repeats, horizon=len(points))[0]
        low, high = low * stale, high * stale
        if self.candidate.log:
            return points * np.exp(low), points * np.exp(high)
        return points + low, points + high

    def _with_logarithm(self, values: np.ndarray) -> np.ndarray:
        """Raise values that have no logarithm to the lowest one trained on, if one is needed."""
        low = values <= 0
        if not (self.candidate.log and low.any()):
            return values
        floor = np.nanmin(self.values)
        warnings.warn(
            f"{int(low.sum())} known values are not above 0, though all that were trained on are: "
            f"the network is shown {floor:g} in their place. Fit again on the longer series.",
            stacklevel=4,
        )
        return np.where(low, floor, values)

    def numbers(self, intervals: bool) -> int:
        """Return how many numbers a forecast holds at once for each step of a series."""
        return 6 * self.model.output_shape[-1]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what a file must keep: what JSON can hold, and arrays by name."""
        plain = {
            "log": self.candidate.log,
            "lags": list(self.candidate.lags),
            "chain": self.chain.get_state(),
            "networks": self.model.output_shape[-1],
            **{name: getattr(self, name) for name in _PLAIN},
            "validation": [self.validation.first, self.validation.horizon],
        }
        arrays = {f"weight_{i}": w for i, w in enumerate(self.model.get_weights())}
        arrays |= {"residuals": self.residuals.sorted, "origins": self.validation.origins}
        return plain, arrays

    @classmethod
    def from_state(
        cls, plain: dict[str, Any], arrays: dict[str, np.ndarray], values: np.ndarray
    ) -> "AloneEngine":
        """Return the engine whose ``state`` gave these."""
        model = side_by_side(plain["cell"], networks=plain["networks"], units=plain["units"])
        model.set_weights([arrays[f"weight_{i}"] for i in range(len(model.get_weights()))])
        first, horizon = plain["validation"]
        return cls(
            values=values,
            candidate=Candidate(plain["log"], tuple(plain["lags"])),
            chain=Pipeline.from_state(plain["chain"]),
            model=model,
            residuals=Residuals(arrays["residuals"]),
            validation=Validation(first, horizon, arrays["origins"]),
            **{name: plain[name] for name in _PLAIN}
            | {"shape": tuple(plain["shape"]), "curves": _pairs(plain["curves"])},
        )


_PLAIN = ("cell", "lookback", "units", "epochs", "shape", "losses", "errors", "curves")


def _longest_lookback(steps: int, season: int) -> int:
    """Return the whole of a short series, a few seasons of a long one."""
    return steps if steps <= _MOST_LOOKBACK else min(max(4 * season, 64), _MOST_LOOKBACK)


def _pairs(curves: dict[str, list]) -> dict[str, list[tuple[int, float]]]:
    """Return curves as JSON had them with tuples again."""
    return {name: [tuple(pair) for pair in curve] for name, curve in curves.items()}
