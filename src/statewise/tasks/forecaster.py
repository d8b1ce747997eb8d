"""`Forecaster`: from one series to its forecast, every choice made on the training part."""

import inspect
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd

from statewise.sequences import DataError, TimeSeries, guess_season, read_series
from statewise.sequences._arrays import check_count
from statewise.tasks.candidates import candidates
from statewise.tasks.networks import CELLS, side_by_side
from statewise.tasks.rolling import continue_from, cut_samples, train, transformed
from statewise.tasks.selection import WIDTH, Settings, Validation, choose

_UNITS = 8
_MEMBERS = 8  # networks whose median is the forecast
_LEAST_LOOKBACK = 8
_MOST_LOOKBACK = 256

Progress = Callable[[str, int, int, float], None]


class Forecaster:
    """Forecasts one series by a recurrent network: warm-up over what is known, then closed loop.

    The network learns next-step prediction on the training part: at every step it tells the
    following one. A forecast runs it over the latest known steps and then feeds its outputs back.

    Trend and level. What the network sees is the series transformed: its logarithm or not, its
    difference to the step before, to the season before, to both, or none, then scaled to mean 0
    and standard deviation 1. So a growing series, or one whose swings grow, doesn't drive the
    network out of the range it was trained in. Which transform is taken, and how long is trained,
    is decided by validation: networks for all of them train on the first part of the training part
    and forecast the rest in closed loop from many origins; the least mean absolute error wins.
    Then new networks are trained on the whole training part. Several small networks that differ in
    their initial weights train side by side, and the median of their forecasts is the forecast.

    Nothing but the series given to ``fit`` is looked at: neither for scaling nor for any choice.

    Args:
        horizon: how many steps will be forecast; also what validation asks for.
        lookback: how many (transformed) steps the network learns on at a time and warms up over;
            "auto" takes the whole training part, or for long ones a window of up to 256 steps.
        cell: "lstm", "gru" or "rnn".
        units: units of a network; "auto" takes 8.
        epochs: how long to train, in passes over the training part; "auto" chooses by validation.
        season: steps in a season, 1 for none; "auto" takes what the calendar of the series
            proposes and its values confirm. An array without time stamps has no calendar.
        seed: of everything that is drawn. The same seed gives the same forecast.

    Attributes (after ``fit``):
        season_, lookback_, epochs_: what was taken for the arguments of these names.
        transform_: the chosen transform, in words.
        validation_errors_: mean absolute validation error by transform, in words.
        training_shape_: (samples, time steps, features) of what the network was trained on.
        losses_: the loss after each epoch of the last training.

    >>> series = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 9)
    >>> forecaster = Forecaster(horizon=4, season=4, epochs=2)
    >>> forecaster.fit(series).predict().shape
    (4,)
    """

    def __init__(
        self,
        *,
        horizon: int,
        lookback: int | str = "auto",
        cell: str = "lstm",
        units: int | str = "auto",
        epochs: int | str = "auto",
        season: int | str = "auto",
        seed: int = 0,
    ):
        self.horizon = horizon
        self.lookback = lookback
        self.cell = cell
        self.units = units
        self.epochs = epochs
        self.season = season
        self.seed = seed

    def fit(self, series: Any, *, progress: Progress | None = None) -> Self:
        """Choose a transform and train on ``series``.

        Args:
            series: the training part: a `TimeSeries`, a pandas Series (with time stamps as its
                index, or without), or an array (time,).
            progress: called after each epoch with what goes on ("choosing" or "training"), the
                epochs done, the most there will be, and the loss.

        Returns:
            The forecaster itself.

        Raises:
            DataError: where the series can't be learned from: missing values, infinities, uneven
                time stamps, fewer steps than lookback + horizon.
            TypeError: where an argument is of a wrong type.
            ValueError: where an argument is out of range.
        """
        _check(self)
        known = as_time_series(series)
        values = known.values[:, 0]
        season = guess_season(known.frequency, values) if self.season == "auto" else self.season
        least = _LEAST_LOOKBACK if self.lookback == "auto" else self.lookback
        if len(values) < least + self.horizon:
            raise DataError(
                f"the series has {len(values)} time steps to learn from, but lookback {least} + "
                f"horizon {self.horizon} need at least {least + self.horizon}: take a shorter "
                "horizon or lookback, or a longer series"
            )
        units = _UNITS if self.units == "auto" else self.units
        validation = Validation.cut(len(values), horizon=self.horizon, lookback=least)
        options = candidates(values, season=season, room=max(0, validation.first - least - 1))
        settings = Settings(
            cell=self.cell,
            units=units,
            lookback=_longest_lookback(len(values), season) if self.lookback == "auto" else least,
            epochs=None if self.epochs == "auto" else self.epochs,
            seed=self.seed,
        )
        tell = progress or (lambda *_: None)
        choice = choose(values, options, validation, settings, partial(tell, "choosing"))

        self._known, self._array, self._candidate = known, _is_array(series), choice.candidate
        self._chain = choice.candidate.fit(values)
        members = max(1, min(_MEMBERS, WIDTH // units))
        z = transformed([self._chain] * members, values)
        samples = cut_samples(z, lookback=settings.lookback, seed=self.seed)
        # Other initial weights than those that validation saw.
        self.model_ = side_by_side(self.cell, networks=members, units=units, seed=self.seed + 1)
        self.losses_ = []

        def after_epoch(done, loss):
            self.losses_.append(loss)
            tell("training", done, choice.epochs, loss)

        train(self.model_, samples, epochs=choice.epochs, after_epoch=after_epoch)
        self.season_, self.units_, self.epochs_ = season, units, choice.epochs
        self.lookback_ = samples.x.shape[1]
        self.training_shape_ = (*samples.x.shape[:2], 1)  # all networks learn on the same steps
        self.transform_ = str(choice.candidate)
        self.validation_errors_ = {str(one): error for one, error in choice.errors.items()}
        return self

    def predict(self, horizon: int | None = None, *, known: Any = None) -> np.ndarray | pd.Series:
        """Forecast the steps after the series, in closed loop.

        Args:
            horizon: how many steps; None for the forecaster's own horizon.
            known: the series as it is known by now, of the kind that ``fit`` took, where steps
                have arrived since. Nothing is learned from them. None for the series of ``fit``.

        Returns:
            (horizon,) float64: an array where ``fit`` was given one, else a pandas Series with the
            time stamps of the future.

        Raises:
            ValueError: before ``fit``, for a horizon below 1, or where too few steps are known.
        """
        self._check_fitted()
        horizon = self.horizon if horizon is None else check_count(horizon, "horizon")
        series, array = self._known, self._array
        if known is not None:
            series, array = as_time_series(known), _is_array(known)
        values = series.values[:, 0]
        forecast = self._continue(values, np.array([len(values)]), horizon)[0]
        if array:
            return forecast
        return pd.Series(forecast, index=series.future_stamps(horizon), name=series.names[0])

    def predict_one_step(self, series: Any, *, first: int) -> np.ndarray:
        """Forecast each step from ``first`` on one step ahead, the true steps before it given.

        Args:
            series: of the kind that ``fit`` took, (time,). Nothing is learned from it.
            first: the first step to forecast.

        Returns:
            (time - first,) float64.

        Raises:
            ValueError: before ``fit``, where ``first`` isn't a step of the series, or too few steps
                are known before it.
        """
        self._check_fitted()
        values = as_time_series(series).values[:, 0]
        first = check_count(first, "first")
        if first >= len(values):
            raise ValueError(f"first={first}: the series has the steps 0 to {len(values) - 1} only")
        return self._continue(values, np.arange(first, len(values)), 1)[:, 0]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments, as scikit-learn's ``get_params`` does."""
        return {name: getattr(self, name) for name in _ARGUMENTS}

    def set_params(self, **params: Any) -> Self:
        """Change arguments, as scikit-learn's ``set_params`` does, and return the forecaster.

        Raises:
            ValueError: for a name that is no argument.
        """
        for name, value in params.items():
            if name not in _ARGUMENTS:
                raise ValueError(
                    f"Forecaster has no argument {name!r}; it has {', '.join(_ARGUMENTS)}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"Forecaster({given})"

    def _continue(self, values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
        """Return the forecasts (origins, horizon) from each origin."""
        least = self._chain.steps_lost + 1
        if origins.min() < least:
            raise DataError(
                f"only {origins.min()} steps are known before the forecast, but the network needs "
                f"{least} at least"
            )
        members = continue_from(
            self.model_,
            [self._chain] * self.model_.output_shape[-1],
            self._with_logarithm(values[: origins.max()]),
            origins,
            horizon=horizon,
            lookback=min(self.lookback_, origins.min() - self._chain.steps_lost),
        )
        return np.median(members, axis=0)

    def _with_logarithm(self, values: np.ndarray) -> np.ndarray:
        """Raise values that have no logarithm to the lowest one trained on, if one is needed."""
        low = values <= 0
        if not (self._candidate.log and low.any()):
            return values
        floor = self._known.values[:, 0].min()
        warnings.warn(
            f"{int(low.sum())} known values are not above 0, though all that were trained on are: "
            f"the network is shown {floor:g} in their place. Fit again on the longer series.",
            stacklevel=4,
        )
        return np.where(low, floor, values)

    def _check_fitted(self) -> None:
        if not hasattr(self, "model_"):
            raise ValueError("this Forecaster is not fitted yet: call fit(series) first")


_ARGUMENTS = tuple(inspect.signature(Forecaster).parameters)


def _check(forecaster: Forecaster) -> None:
    """Refuse arguments that make no sense."""
    check_count(forecaster.horizon, "horizon")
    check_count(forecaster.seed, "seed", 0)
    for name, least in (("lookback", 2), ("units", 1), ("epochs", 1), ("season", 1)):
        value = getattr(forecaster, name)
        if isinstance(value, str):
            if value != "auto":
                raise ValueError(f'{name} must be a whole number or "auto", but is {value!r}')
        else:
            check_count(value, name, least)
    if forecaster.cell not in CELLS:
        raise ValueError(f"cell must be one of {', '.join(CELLS)}, but is {forecaster.cell!r}")


def as_time_series(series: Any) -> TimeSeries:
    """Return what ``fit`` and ``predict`` take as one series with a calendar.

    Raises:
        DataError: where it isn't one even series of finite numbers.
    """
    if not isinstance(series, TimeSeries):
        series = read_series(pd.Series(series) if _is_array(series) else series)
    if series.values.shape[1] != 1:
        raise DataError(
            f"a Forecaster takes one series of one feature; this one has {series.values.shape[1]}: "
            f"{', '.join(series.names)}"
        )
    return series


def _is_array(series: Any) -> bool:
    return not isinstance(series, (TimeSeries, pd.Series, pd.DataFrame))


def _longest_lookback(steps: int, season: int) -> int:
    """Return the whole of a short series, a few seasons of a long one."""
    return steps if steps <= _MOST_LOOKBACK else min(max(4 * season, 64), _MOST_LOOKBACK)
