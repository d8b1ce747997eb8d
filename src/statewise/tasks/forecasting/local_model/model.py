"""One short series forecast by itself: small networks that see it made level by a few transforms.

What the networks see is the series transformed: its logarithm or not, its difference to the step
before, to the season before, to both, or none, then scaled to mean 0 and standard deviation 1.
Which transform, and how long is trained, is decided by validation (`selection`); then new networks
are trained on the whole training part, side by side, and the median of their forecasts is the
forecast.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np

from statewise.models import Sequential
from statewise.sequences import DataError, Panel, Pipeline
from statewise.tasks.forecasting.engine import (
    LEAST_LOOKBACK,
    Arguments,
    Named,
    Plain,
    Summary,
    TrainingData,
)
from statewise.tasks.forecasting.exporting import Exported
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.intervals import Residuals, band_of_few
from statewise.tasks.forecasting.known_steps import stand_in
from statewise.tasks.forecasting.local_model import saved
from statewise.tasks.forecasting.local_model.ensemble import side_by_side
from statewise.tasks.forecasting.local_model.exported import exported_of
from statewise.tasks.forecasting.local_model.selection import (
    WIDTH,
    Settings,
    ValidationSplit,
    choose,
)
from statewise.tasks.forecasting.local_model.training import (
    continue_from,
    cut_samples,
    train,
    transformed,
)
from statewise.tasks.forecasting.local_model.transforms import TransformSpec, transform_specs
from statewise.tasks.forecasting.logarithms import with_logarithm
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.stale import staleness
from statewise.tasks.forecasting.training_data import on_season

_UNITS = 8
_MEMBERS = 8  # networks whose median is the forecast
_MOST_LOOKBACK = 256
_SHORTENED = 5  # a season that is found takes a fifth of the series at most


@dataclass(eq=False)
class LocalModel:
    """The fitted networks of one series.

    Attributes:
        data: what they were fitted on.
        values: the same as an array, what is missing filled in, (time,).
        spec, pipeline: the chosen transform, and as it is fitted.
        model: the networks, side by side.
        cell, lookback, units, epochs: what was taken.
        shape: (samples, time steps, features) of what was trained on.
        losses: of the last training, by epoch.
        errors: the least validation error of each candidate.
        curves: the validation error of each candidate by epoch.
        residuals: of the validation part, for intervals.
        split: of the training part, for validation.
    """

    data: TrainingData
    values: np.ndarray
    spec: TransformSpec
    pipeline: Pipeline
    model: Sequential
    cell: str
    lookback: int
    units: int
    epochs: int
    shape: tuple[int, int, int]
    losses: list[float]
    errors: dict[str, float]
    curves: dict[str, list[tuple[int, float]]]
    residuals: Residuals
    split: ValidationSplit

    @classmethod
    def fit(cls, panel: Panel, arguments: Arguments, progress: Progress) -> Self:
        """Choose a transform and train on the one series of a panel; see `Engine.fit`."""
        # A difference over a season shortens what all candidates learn from.
        longest = len(panel.values) // _SHORTENED
        data, tentative = on_season(panel, arguments, longest=longest)
        # A week that may be none says less about a holiday than the days around it.
        values = stand_in(data.panel.values[:, 0], 1 if tentative else data.shortest)
        horizon, seed = arguments.horizon, arguments.seed
        least = LEAST_LOOKBACK if arguments.lookback is None else arguments.lookback
        if len(values) < least + horizon:
            raise DataError(
                f"the series has {len(values)} time steps to learn from, but lookback {least} + "
                f"horizon {horizon} need at least {least + horizon}: take a shorter "
                "horizon or lookback, or a longer series"
            )
        split = ValidationSplit.of(len(values), horizon=horizon, lookback=least)
        most_lost = max(0, split.first - least - 1)
        settings = Settings(
            cell=arguments.cell,
            units=arguments.units or _UNITS,
            lookback=arguments.lookback
            or _longest_lookback(len(values), max(data.seasons, default=1)),
            epochs=arguments.epochs,
            seed=seed,
        )
        choice = choose(
            values,
            transform_specs(values, seasons=(data.season, *data.also), most_lost=most_lost),
            split,
            settings,
            partial(progress, "choosing"),
        )
        seasonal = any(lag > 1 for lag in choice.spec.lags)
        pipeline = choice.spec.fit(values)
        members = max(1, min(_MEMBERS, WIDTH // settings.units))
        z = transformed([pipeline] * members, values)
        samples = cut_samples(z, lookback=settings.lookback, seed=seed)
        # Other initial weights than those that validation saw.
        model = side_by_side(settings.cell, networks=members, units=settings.units, seed=seed + 1)
        losses: list[float] = []

        def after_epoch(done: int, loss: float) -> None:
            losses.append(loss)
            progress("training", done, choice.epochs, loss)

        train(model, samples, epochs=choice.epochs, after_epoch=after_epoch)
        count, steps, _ = samples.x.shape
        return cls(
            data=data.without_season() if tentative and not seasonal else data,
            values=values,
            spec=choice.spec,
            pipeline=pipeline,
            model=model,
            cell=settings.cell,
            lookback=steps,
            units=settings.units,
            epochs=choice.epochs,
            shape=(count, steps, 1),  # all networks learn on the same steps
            losses=losses,
            errors={str(one): error for one, error in choice.errors.items()},
            curves={str(one): curve for one, curve in choice.curves.items()},
            residuals=Residuals.of(choice.residuals),
            split=split,
        )

    def predict(self, panel: Panel, horizon: int, levels: list[float], future: Any) -> Forecast:
        """Forecast each series of a panel; see `Engine.predict`. There are no inputs."""
        series = [
            self._predict_one(panel.values[start:stop, 0], horizon, levels)
            for start, stop in zip(panel.offsets[:-1], panel.offsets[1:], strict=True)
        ]
        points = np.stack([one.points for one in series])
        bands = {}
        for level in levels:
            low, high = (np.stack([one.bands[level][end] for one in series]) for end in (0, 1))
            bands[level] = low, high
        return Forecast(points, bands)

    def predict_one_step(self, panel: Panel, values: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Forecast steps of one series from the true ones; see `Engine.predict_one_step`."""
        return self._points(values, origins, 1)[:, 0]

    def numbers(self, intervals: bool) -> int:
        """Return how many numbers a forecast holds at once for each step of a series."""
        return 6 * self.model.output_shape[-1]

    def summary(self) -> Summary:
        """Return what was chosen."""
        return Summary(
            units=self.units,
            epochs=self.epochs,
            lookback=self.lookback,
            transform=str(self.spec),
            validation_errors=self.errors,
            validation_curves=self.curves,
            training_shape=self.shape,
            losses=self.losses,
            cut={
                "series": 1,
                "steps": len(self.values),
                "held": len(self.values) - self.split.first,
                "windows": len(self.split.origins),
            },
        )

    def exported(self, levels: list[float]) -> Exported:
        """Return the networks for other runtimes; see `Engine.exported`."""
        return exported_of(self, levels)

    def band(self, level: float, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """Return how far below and above the points an interval reaches, (horizon,) each."""
        held = len(self.values) - self.split.first
        independent = held / self.split.horizon
        return band_of_few(self.residuals, level, horizon, independent=independent)

    def state(self) -> tuple[Plain, Named]:
        """Return what a file must keep; see `Engine.state`."""
        return saved.state_of(self)

    @classmethod
    def from_state(cls, plain: Plain, arrays: Named, data: TrainingData) -> Self:
        """Return the model whose ``state`` gave these; see `Engine.from_state`."""
        values = stand_in(data.panel.values[:, 0], data.shortest)
        return cls(data=data, values=values, **saved.parts_of(plain, arrays))

    def _predict_one(self, known: np.ndarray, horizon: int, levels: list[float]) -> Forecast:
        """Forecast one series (time,), NaN where a value is missing; (horizon,) each."""
        values = stand_in(known, self.data.shortest)
        points = self._points(values, np.array([len(values)]), horizon)[0]
        if self.spec.log:
            known = np.log(np.where(known <= 0, self.values.min(), known))
        repeats, ends = max(self.spec.lags, default=1), np.array([0, len(known)])
        stale = staleness(known, ends, season=repeats, horizon=horizon)[0]
        return Forecast(points, {level: self._interval(points, stale, level) for level in levels})

    def _points(self, values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
        """Return the forecasts (origins, horizon) from each origin.

        Args:
            values: the series, (time,), as long as the last origin at least.
            origins: the first step to forecast of each run.
            horizon: how many steps.
        """
        least = self.pipeline.steps_lost + 1
        if origins.min() < least:
            raise DataError(
                f"only {origins.min()} steps are known before the forecast, but the network needs "
                f"{least} at least"
            )
        values = values[: origins.max()]
        members = continue_from(
            self.model,
            [self.pipeline] * self.model.output_shape[-1],
            with_logarithm(values, self.values) if self.spec.log else values,
            origins,
            horizon=horizon,
            lookback=min(self.lookback, origins.min() - self.pipeline.steps_lost),
        )
        return np.median(members, axis=0)

    def _interval(
        self, points: np.ndarray, stale: np.ndarray, level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of an interval around ``points`` (horizon,).

        The residuals are those of the logarithm where the transform takes it.

        Args:
            points: the forecast.
            stale: by how much it is wider, (horizon,); see `staleness`.
            level: how many percent are to lie within.
        """
        low, high = (end * stale for end in self.band(level, len(points)))
        if self.spec.log:
            return points * np.exp(low), points * np.exp(high)
        return points + low, points + high


def _longest_lookback(steps: int, season: int) -> int:
    """Return the whole of a short series, a few seasons of a long one."""
    return steps if steps <= _MOST_LOOKBACK else min(max(4 * season, 64), _MOST_LOOKBACK)
