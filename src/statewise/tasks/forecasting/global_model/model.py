"""One network for all series of a panel: what is chosen on the training part, and trained then.

The last steps of every series are the validation part. For each candidate (the target's logarithm
or not; beginning from the last value or from the season before) a network trains on windows drawn
from what comes before, and now and then forecasts the validation part in closed loop. The least
error decides for a candidate and for how long to train; if none beats the forecast it began from,
that stays the forecast. Then a few networks that differ in their initial weights train on windows
from everything, and the median of their forecasts is the forecast.
"""

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd

from statewise._callers import level_of_caller
from statewise.sequences import Panel
from statewise.sequences.panel import format_keys
from statewise.tasks.forecasting.engine import Arguments, Named, Plain, Summary, TrainingData
from statewise.tasks.forecasting.exporting import Exported
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.future_inputs import in_zone_of_fit, read_ahead
from statewise.tasks.forecasting.global_model import saved
from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.config import (
    BATCH,
    IncrementSpec,
    Request,
    ValidationSplit,
    architecture_of,
    holds_counts,
    on_device,
    request_of,
    specs_of,
)
from statewise.tasks.forecasting.global_model.exported import exported_of
from statewise.tasks.forecasting.global_model.features import (
    Arrays,
    Encoder,
    Level,
    lay_out,
    with_gaps,
)
from statewise.tasks.forecasting.global_model.ordering import order_of
from statewise.tasks.forecasting.global_model.prediction import PATHS, PanelForecast
from statewise.tasks.forecasting.global_model.selection import ValidationRun, train_for_choice
from statewise.tasks.forecasting.global_model.training import train_members
from statewise.tasks.forecasting.global_model.window_pool import Wider, train_on_wider
from statewise.tasks.forecasting.intervals import Factors, Residuals
from statewise.tasks.forecasting.logarithms import with_logarithm
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.stale import staleness
from statewise.tasks.forecasting.training_data import any_known, learnable


@dataclass(eq=False)
class GlobalModel:
    """A fitted global network.

    Attributes:
        data: what it was fitted on.
        request: what was asked for.
        spec: what validation chose.
        epochs: how long was trained.
        architecture: of the network.
        weights: of each member.
        encoder: of the inputs.
        residuals: of the validation part, for intervals.
        factors: by which the intervals of a likelihood are widened; None without one.
        errors: the least validation error of each candidate.
        curves: the validation error of each candidate by epoch, from 0 on.
        losses: the training loss of the last training, by epoch.
        split: how the panel was split for validation.
    """

    data: TrainingData
    request: Request
    spec: IncrementSpec
    epochs: int
    architecture: Architecture
    weights: list[dict[str, Any]]
    encoder: Encoder
    residuals: Residuals
    factors: Factors | None
    errors: dict[str, float]
    curves: dict[str, list[float]]
    losses: list[float]
    split: ValidationSplit

    @classmethod
    def fit(cls, panel: Panel, arguments: Arguments, progress: Progress) -> Self:
        """Choose on a panel, and train on it; see `Engine.fit`."""
        training, tentative = learnable(panel, arguments)
        return cls.learned(training, request_of(training, arguments, tentative), progress)

    @classmethod
    def learned(
        cls,
        training: TrainingData,
        request: Request,
        progress: Progress,
        wider: Wider | None = None,
    ) -> Self:
        """Choose on a panel, and train on it, or on a wider one.

        Args:
            training: the panel.
            request: what is asked for.
            progress: called after each epoch.
            wider: the panel of which that one is a sample; None where it is all.
        """
        panel = training.panel.select(order_of(training.panel.keys))
        encoder = Encoder.fit(panel) if wider is None else wider.encoder
        split = ValidationSplit.of(panel.lengths, request.horizon, request.least)
        options = specs_of(panel, request)
        if wider is not None and not wider.lowest > 0:
            options = [one for one in options if not one.log]
        layouts = {}
        for log in {one.log for one in options}:
            # Room for the steps to forecast: so ``predict`` can run the same compiled programs.
            data, level = lay_out(
                panel,
                encoder,
                log=log,
                counts=holds_counts(request),
                season=request.shortest,
                extra=request.horizon,
            )
            if wider is not None:  # where the sample has no gaps, the others may
                data = with_gaps(data, request.shortest)
            layouts[log] = on_device(data), level
        architecture = architecture_of(request, panel, encoder, next(iter(layouts.values()))[0])
        runs = {
            one: ValidationRun(panel, architecture, one, layouts[one.log], split, request)
            for one in options
        }
        train_for_choice(list(runs.values()), partial(progress, "choosing"))
        best = min(runs, key=lambda one: min(runs[one].curve))
        run = runs[best]
        epochs = run.best if request.epochs is None else request.epochs
        if wider is None:
            members = train_members(panel, architecture, run.data, request, epochs, progress)
        else:
            members = train_on_wider(wider, architecture, best, request, epochs, progress)
        return cls(
            data=training.without_season() if best.start == "blind" else training,
            request=request,
            spec=best,
            epochs=epochs,
            architecture=architecture,
            weights=[member.weights for member in members],
            encoder=encoder,
            **run.measured(),
            errors={str(one): min(c.curve) for one, c in runs.items()},
            curves={str(one): list(c.curve) for one, c in runs.items()},
            losses=members[0].losses,
            split=split,
        )

    def predict(self, panel: Panel, horizon: int, levels: list[float], future: Any) -> Forecast:
        """Forecast the steps after each series of a panel; see `Engine.predict`."""
        zone = self.data.panel.time
        ahead = read_ahead(future, panel, self.encoder, horizon, zone)
        forecasts = self._forecasts(in_zone_of_fit(panel, zone), horizon, ahead)
        bands = {level: forecasts.interval(level) for level in levels}
        return Forecast(forecasts.points, self._without_guesses(panel, bands))

    def _without_guesses(self, panel: Panel, bands: dict[float, Any]) -> dict[float, Any]:
        """Leave intervals open (NaN) of series of one value: how far they move isn't known."""
        single = ~any_known(panel, 2)
        if holds_counts(self.request) or not bands or not single.any():
            return bands
        warnings.warn(
            f"series {format_keys(panel.keys[single])} of new_data have one value alone, so there "
            "is no telling how far they move: their intervals are missing (NaN)",
            stacklevel=level_of_caller(),
        )
        return {
            level: tuple(np.where(single[:, None], np.nan, end) for end in ends)
            for level, ends in bands.items()
        }

    def numbers(self, intervals: bool) -> int:
        """Return how many numbers a forecast holds at once for each step of a series."""
        sampled = intervals and self.factors is not None
        return 4 * (self.architecture.channels + self.architecture.inputs) + (
            2 * PATHS if sampled else 0
        )

    def predict_one_step(self, panel: Panel, values: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Forecast steps of one series from the true ones; see `Engine.predict_one_step`.

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
        # What was known when the first of them that can be forecast was, decides about the scale.
        known = panel.until(origins[:1] if counts else np.maximum(origins[:1], still + 1))
        _, level = self._laid_out(known, extra=0)
        data, _ = self._laid_out(panel, extra=1, level=level)
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
        points = PanelForecast(
            self, data, level, data.begins + origins, stale, np.arange(len(origins))
        ).points[:, 0]
        return points if counts else np.where(origins <= still, stays, points)

    def summary(self) -> Summary:
        """Return what was chosen."""
        panel = self.data.panel
        return Summary(
            units=self.request.units,
            epochs=self.epochs,
            lookback=self.request.lookback,
            transform=str(self.spec),
            validation_errors=self.errors,
            validation_curves={name: list(enumerate(c)) for name, c in self.curves.items()},
            training_shape=(BATCH, self.request.lookback, self.architecture.seen),
            losses=self.losses,
            cut={
                "series": len(panel),
                "steps": len(panel.values),
                "held": self.split.held,
                "windows": len(self.split.first),
            },
        )

    def exported(self, levels: list[float]) -> Exported:
        """Return the networks for other runtimes; see `Engine.exported`."""
        return exported_of(self, levels)

    def state(self) -> tuple[Plain, Named]:
        """Return what a file must keep; see `Engine.state`."""
        return saved.state_of(self)

    @classmethod
    def from_state(cls, plain: Plain, arrays: Named, data: TrainingData) -> Self:
        """Return the model whose ``state`` gave these; see `Engine.from_state`."""
        return cls(data=data, **saved.parts_of(plain, arrays))

    def _forecasts(self, panel: Panel, horizon: int, ahead: np.ndarray | None) -> PanelForecast:
        """Return forecasts of each series, points and intervals on request.

        Args:
            panel: the known steps.
            horizon: how many steps.
            ahead: the inputs of those steps, (series * horizon, inputs); None without.
        """
        order = order_of(panel.keys)
        panel = self._with_logarithm(panel.select(order))
        if ahead is not None:
            ahead = ahead.reshape(len(order), horizon, -1)[order].reshape(ahead.shape)
        data, level = self._laid_out(panel, extra=horizon, ahead=ahead)
        repeats = self.request.season if self.spec.start == "seasonal" else 1
        known = np.log(panel.values[:, 0]) if self.spec.log else panel.values[:, 0]
        stale = staleness(known, panel.offsets, season=repeats, horizon=horizon)
        first = data.begins + panel.lengths
        return PanelForecast(self, data, level, first, stale, np.argsort(order))

    def _laid_out(self, panel: Panel, **options: Any) -> tuple[Arrays, Level]:
        """Bring a panel onto the network's scale, as that of `fit` was."""
        return lay_out(
            panel,
            self.encoder,
            log=self.spec.log,
            counts=holds_counts(self.request),
            season=self.request.shortest,
            **options,
        )

    def _with_logarithm(self, panel: Panel) -> Panel:
        """Raise values that have no logarithm to the lowest one trained on, if one is needed."""
        values = panel.values[:, 0]
        raised = with_logarithm(values, self.data.panel.values[:, 0]) if self.spec.log else values
        if raised is values:
            return panel
        return replace(panel, values=np.column_stack([raised, panel.values[:, 1:]]))
