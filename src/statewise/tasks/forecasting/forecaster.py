"""`Forecaster`: from one series, or a panel of them, to its forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Self

import numpy as np

from statewise._renamed import say_renamed
from statewise._runtime.forks import check_not_forked
from statewise.sequences import Columns, DataError, Panel
from statewise.sequences.arrays import check_count
from statewise.sequences.panel import say_keys
from statewise.tasks.forecasting.adapters import Intake, as_time_series, form_of, give_back, take_in
from statewise.tasks.forecasting.future_inputs import in_zone_of_fit, read_ahead
from statewise.tasks.forecasting.global_model.config import LEAST_LOOKBACK, Request
from statewise.tasks.forecasting.global_model.model import GlobalEngine
from statewise.tasks.forecasting.known_steps import (
    as_it_came,
    known_of,
    on_calendar,
    say_absent,
    stand_in,
)
from statewise.tasks.forecasting.local_model.model import AloneEngine
from statewise.tasks.forecasting.parameters import (
    any_known,
    arguments_of,
    check,
    check_counts,
    check_size,
    given,
    levels_of,
    named,
    season_of,
)
from statewise.tasks.forecasting.progress import Progress, teller
from statewise.tasks.forecasting.serialization import files as storage

_UNITS = 32
_LONG = 1000  # steps from which on one series makes a panel of its own
_MOST_LOOKBACK = 192


class Forecaster:
    """Forecasts series by recurrent networks: warm-up over what is known, then closed loop.

    One short series is forecast by small networks of its own; many series, a long one, and one
    with inputs or a likelihood by one network for all. See `docs/forecasting.md` for both. In
    both, how level, trend and season are handled, and how long is trained, is decided by
    validation on the last part of what ``fit`` is given; nothing else is looked at, neither for
    scaling nor for any choice.

    Args:
        horizon: how many steps will be forecast; also what validation asks for.
        lookback: how many known steps the network warms up over; "auto" takes the whole of a short
            series, a few seasons of others.
        cell: "lstm", "gru" or "rnn".
        units: units of a recurrent layer; "auto" takes 8 for one short series, 32 for a panel.
        layers: recurrent layers.
        likelihood: None for points, with intervals from validation's residuals; "gaussian",
            "student-t", "negative-binomial" (counts) or "quantiles" for a distribution of the next
            step, sampled through the closed loop; "auto" is None.
        season: steps in a season, 1 for none; "auto" takes what the calendar proposes and the
            values confirm. An array without time stamps has no calendar.
        epochs: how long to train, for one series in passes over it, for a panel in 25 batches of
            windows drawn from it; "auto" chooses by validation.
        seed: of everything that is drawn. The same seed gives the same forecast.

    Attributes (after ``fit``):
        season_, lookback_, epochs_, units_: what was taken for the arguments of these names.
        transform_: how level and season are handled, in words.
        validation_errors_: validation error by transform, in words: the mean absolute error, for
            panels in units of each series' mean absolute step.
        validation_curves_: for each transform pairs of epochs done and validation error.
        training_shape_: (samples, time steps, features) of what was trained on; for a panel those
            of a batch of windows.
        losses_: the loss after each epoch of the last training.
        columns_: which columns of the table held what.
        keys_: the keys of the series that were learned from.
        left_out_: the keys of those that were too short.
        notes_: what was done about missing values and short series, in words.
        cut_: how the data were cut for validation: the numbers of "series" and "steps", the steps
            "held" at the end of each, and the "windows" forecast there.

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
        layers: int = 1,
        likelihood: str | None = "auto",
        season: int | str = "auto",
        epochs: int | str = "auto",
        seed: int = 0,
    ):
        self.horizon = horizon
        self.lookback = lookback
        self.cell = cell
        self.units = units
        self.layers = layers
        self.likelihood = likelihood
        self.season = season
        self.epochs = epochs
        self.seed = seed

    def fit(
        self,
        data: Any,
        *,
        names: Columns | Mapping[str, Any] | None = None,
        short: str = "raise",
        missing: str = "mask",
        progress: Progress | bool | None = None,
    ) -> Self:
        """Choose on ``data``, and train on it.

        Args:
            data: the known steps. A long frame of pandas, polars or Arrow with the columns
                unique_id, ds and y, or others by ``names``; a wide one with a column for each
                series; a `TimeSeries`, a pandas Series, an array (time,) or (time, series).
            names: which columns of a long frame hold what, as `Columns` or a mapping.
            short: what to do where a key has too few steps: "raise", or "drop" goes on without it.
            missing: what to do about missing values of a panel: "mask" leaves them out of the
                loss, shows the network the last known value and that it is one, and in the season
                after that of the latest season that has one; "raise".
            progress: called after each epoch with what goes on ("choosing" or "training"), the
                epochs done, the most there will be, and the loss; True shows a bar.

        Returns:
            The forecaster itself.

        Raises:
            DataError: where the data can't be learned from: see `read_panel` and `read_series`;
                where series have fewer steps than lookback + horizon.
            TypeError: where an argument is of a wrong type.
            ValueError: where an argument is out of range.
        """
        check_not_forked()
        check(self)
        for name, value, words in (
            ("short", short, ("raise", "drop")),
            ("missing", missing, ("mask", "raise")),
        ):
            if value not in words:
                raise ValueError(f"{name} must be one of {', '.join(words)}, but is {value!r}")
        taken = take_in(data, names)
        tell = teller(progress)
        self.notes_, self.left_out_ = [], []
        if self._alone(taken):
            self._fit_alone(taken, tell)
        else:
            panel = self._long_enough(known_of(taken), short)
            self._note_missing(panel, missing)
            self._fit_global(panel, tell)
        self._form = taken.form
        self.columns_ = taken.panel.columns
        self.keys_ = self._panel.keys
        return self

    def predict(
        self,
        horizon: int | None = None,
        *,
        new_data: Any = None,
        level: float | Sequence[float] | None = None,
        future: Any = None,
    ) -> Any:
        """Forecast the steps after each series, in closed loop.

        Args:
            horizon: how many steps; None for the forecaster's own horizon.
            new_data: the series as they are known by now, in the form that ``fit`` took: longer
                than they were, or others altogether. Nothing is learned from them. None for those
                of ``fit``.
            level: how many percent of the true values intervals are to cover, such as [80, 95].
            future: a frame with the columns of key and time, and the inputs known for the future,
                for each step to forecast; needed where ``fit`` was given such inputs.

        Returns:
            For a long frame one of the same library, with the columns of key and time, "model",
            and for each level "model-lo-80", "model-hi-80". For a wide one the same, a column for
            each series and each end of its intervals. For a pandas Series one with the time stamps
            of the future, a frame with ``level``. For an array (horizon,) or (horizon, series)
            float64, a pandas frame with ``level``.

        Raises:
            TypeError: where the horizon or a level is no number.
            ValueError: before ``fit``, for a horizon below 1 or one that there is no room for, a
                level that isn't between 1 and 100, or where too few steps are known.
            DataError: where ``new_data`` or ``future`` can't be read; where inputs are missing for
                a step (it names the first); for a category that ``fit`` didn't see.
        """
        check_not_forked()
        self._check_fitted()
        horizon = self.horizon if horizon is None else check_count(horizon, "horizon")
        levels = levels_of(level)
        form, panel = self._form, self._panel
        if new_data is not None:
            taken = take_in(new_data, self._names(new_data))
            form, panel = taken.form, on_calendar(known_of(taken), self.season_)
            empty = ~any_known(panel, 1)
            if empty.any():
                raise DataError(f"series {say_keys(panel.keys[empty])} of new_data have no value")
            check_counts(panel, self.likelihood)
        check_size(horizon, panel, self._engine.numbers(bool(levels)))
        if future is not None and not panel.columns.future:
            raise ValueError(
                "future was given, but fit was told of no inputs that are known for the future: "
                "name them there, as future in names"
            )
        if isinstance(self._engine, AloneEngine):
            points, bands = self._predict_alone(panel, horizon, levels)
        else:
            zone = self._panel.time
            ahead = read_ahead(future, panel, self._engine.encoder, horizon, zone)
            forecasts = self._engine.predict(in_zone_of_fit(panel, zone), horizon, ahead)
            points = forecasts.points
            bands = named(levels, forecasts.interval)
        return give_back(form, panel, points, bands)

    def predict_one_step(self, series: Any, *, first: int) -> np.ndarray:
        """Forecast each step of one series from ``first`` on, the true steps before it given.

        Args:
            series: one series, of the kind that ``fit`` took, (time,). Nothing is learned from it.
            first: the first step to forecast.

        Returns:
            (time - first,) float64.

        Raises:
            ValueError: before ``fit``, where ``first`` isn't a step of the series, or too few steps
                are known before it.
        """
        check_not_forked()
        self._check_fitted()
        series = as_time_series(series)
        first = check_count(first, "first")
        if first >= len(series):
            raise ValueError(f"first={first}: the series has the steps 0 to {len(series) - 1} only")
        panel = on_calendar(known_of(take_in(series)), self.season_)
        values, rows = as_it_came(series, panel, self.season_)
        if isinstance(self._engine, AloneEngine):
            return self._engine.points(values, rows[first:], 1)[:, 0]
        return self._engine.predict_from(panel, rows[first:])

    def save(self, path: Any) -> None:
        """Save the fitted forecaster as one file, the steps it goes on from included.

        Args:
            path: of the file; an existing one is replaced.

        Raises:
            ValueError: before ``fit``.
            OSError: where the file can't be written.
        """
        self._check_fitted()
        plain, arrays = self._engine.state()
        shown = {
            "params": self.get_params(),
            "engine": "alone" if isinstance(self._engine, AloneEngine) else "global",
            "form": asdict(self._form),
            "season": self.season_,
            "notes": self.notes_,
            "left_out": self.left_out_,
        }
        storage.write(path, {**shown, "parts": plain}, arrays, self._panel)

    @classmethod
    def load(cls, path: Any) -> Self:
        """Return the forecaster that `save` wrote: its forecasts are the same to the bit.

        Args:
            path: of the file.

        Raises:
            DataError: where it is no file of a forecaster, or of another format.
            FileNotFoundError: where there is none.
        """
        check_not_forked()
        plain, arrays, panel = storage.read(path)
        with storage.damage_told(path):
            return cls._of(plain, arrays, panel)

    @classmethod
    def _of(cls, plain: dict[str, Any], arrays: dict[str, np.ndarray], panel: Panel) -> Self:
        """Make a forecaster of what a file had."""
        self = cls(**plain["params"])
        check(self)
        self._form, self._panel = form_of(plain["form"]), panel
        self.columns_, self.keys_ = panel.columns, panel.keys
        self.season_, self.notes_ = plain["season"], plain["notes"]
        self.left_out_ = plain["left_out"]
        if plain["engine"] == "alone":
            self._engine = AloneEngine.from_state(plain["parts"], arrays, panel.values[:, 0])
            self._show_alone(self._engine)
        else:
            self._engine = GlobalEngine.from_state(plain["parts"], arrays, panel)
            self._show_global(self._engine)
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments, as scikit-learn's ``get_params`` does."""
        return {name: getattr(self, name) for name in arguments_of(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change arguments, as scikit-learn's ``set_params`` does, and return the forecaster.

        Raises:
            ValueError: for a name that is no argument.
        """
        known = arguments_of(type(self))
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no argument {name!r}; it has {', '.join(known)}"
                )
            setattr(self, name, value)
        return self

    @property
    def ids_(self) -> np.ndarray:
        """The old name of ``keys_``."""
        say_renamed("Forecaster.ids_", "Forecaster.keys_")
        return self.keys_

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({given})"

    def _alone(self, taken: Intake) -> bool:
        """Whether one series is forecast by networks of its own."""
        panel = taken.panel
        return (
            len(panel) == 1
            and panel.values.shape[1] == 1
            and not (panel.columns.inputs or panel.columns.calendar)
            and not np.isnan(panel.values).any()
            and self.likelihood in ("auto", None)
            and self.layers == 1
            and len(panel.values) < _LONG
        )

    def _fit_alone(self, taken: Intake, tell: Progress) -> None:
        rows = known_of(taken)
        season = season_of(rows) if self.season == "auto" else self.season
        panel = on_calendar(rows, season)
        self.notes_ += say_absent(len(rows.values), len(panel.values))
        self._panel, self.season_ = panel, season
        values = stand_in(panel.values[:, 0], season)
        self._engine = engine = AloneEngine.fit(
            values,
            horizon=self.horizon,
            lookback=given(self.lookback),
            cell=self.cell,
            units=given(self.units),
            epochs=given(self.epochs),
            season=season,
            seed=self.seed,
            tell=tell,
        )
        self._show_alone(engine)

    def _show_alone(self, engine: AloneEngine) -> None:
        """Set the attributes that say what was chosen."""
        self.units_, self.epochs_, self.lookback_ = engine.units, engine.epochs, engine.lookback
        self.losses_, self.training_shape_ = engine.losses, engine.shape
        self.transform_ = str(engine.candidate)
        self.validation_errors_ = engine.errors
        self.validation_curves_ = engine.curves
        self.cut_ = {
            "series": 1,
            "steps": len(engine.values),
            "held": len(engine.values) - engine.validation.first,
            "windows": len(engine.validation.origins),
        }

    def _fit_global(self, panel: Panel, tell: Progress) -> None:
        check_counts(panel, self.likelihood)
        rows, season = panel, season_of(panel) if self.season == "auto" else self.season
        panel = on_calendar(rows, season)
        self.notes_ += say_absent(len(rows.values), len(panel.values))
        usual = int(np.median(panel.lengths))
        lookback = given(self.lookback)
        if lookback is None:
            most = max(LEAST_LOOKBACK, min(_MOST_LOOKBACK, usual - 2 * self.horizon))
            lookback = min(max(season, 2 * self.horizon, 24), most)
        request = Request(
            horizon=self.horizon,
            season=season,
            lookback=lookback,
            least=self._least(),
            cell=self.cell,
            units=given(self.units) or _UNITS,
            layers=self.layers,
            likelihood="none" if self.likelihood in ("auto", None) else self.likelihood,
            epochs=given(self.epochs),
            seed=self.seed,
        )
        self._panel, self.season_ = panel, season
        self._engine = GlobalEngine.fit(panel, request, tell)
        self._show_global(self._engine)

    def _show_global(self, engine: GlobalEngine) -> None:
        """Set the attributes that say what was chosen."""
        request, plan = engine.request, engine.plan
        self.units_, self.epochs_, self.lookback_ = request.units, engine.epochs, request.lookback
        self.losses_ = engine.losses
        self.training_shape_ = (engine.batch, request.lookback, plan.seen)
        self.transform_ = str(engine.candidate)
        self.validation_errors_ = engine.errors
        self.validation_curves_ = {
            name: list(enumerate(curve)) for name, curve in engine.curves.items()
        }
        self.cut_ = {
            "series": len(self._panel),
            "steps": len(self._panel.values),
            "held": engine.cut.held,
            "windows": len(engine.cut.first),
        }

    def _least(self) -> int:
        if self.lookback == "auto":
            return LEAST_LOOKBACK
        return min(LEAST_LOOKBACK, self.lookback)

    def _long_enough(self, panel: Panel, short: str) -> Panel:
        """Leave out series that are too short, or refuse them."""
        need = self._least() + self.horizon
        few = (panel.lengths < need) | ~any_known(panel, 2)
        if not few.any():
            return panel
        keys = panel.keys[few]
        what = f"{few.sum()} of {len(panel)} series have" if len(panel) > 1 else "the series has"
        message = (
            f"{what} too few time steps to learn from: {say_keys(keys)}; lookback {self._least()} "
            f"+ horizon {self.horizon} need at least {need} with a value among them"
        )
        if short == "raise" or few.all():
            raise DataError(
                f"{message}: take a shorter horizon or lookback"
                + ("" if few.all() else ', or go on without them by short="drop"')
            )
        self.left_out_ = keys.tolist()
        self.notes_.append(f"left out: {message}")
        return panel.select(np.flatnonzero(~few))

    def _note_missing(self, panel: Panel, missing: str) -> None:
        unknown = np.isnan(panel.values).any(axis=1)
        if not unknown.any():
            return
        row = int(unknown.argmax())
        key = panel.keys[np.searchsorted(panel.offsets, row, "right") - 1 :][:1]
        what = f"{unknown.sum()} of {len(unknown)} steps have missing values"
        if missing == "raise":
            raise DataError(
                f"{what}, the first at {panel.time[row]} of series {say_keys(key)}: fill them in, "
                'or leave them out of the loss by missing="mask"'
            )
        self.notes_.append(
            f"{what}: they don't count in the loss, and the network is shown the last known value "
            "in their place, a season later that of the latest season known"
        )

    def _predict_alone(self, panel: Panel, horizon: int, levels: list) -> tuple:
        """Forecast each series of a panel by the networks of one."""
        points, bands = [], []
        for start, stop in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
            known = panel.values[start:stop, 0]
            values = stand_in(known, self.season_)
            one = self._engine.points(values, np.array([len(values)]), horizon)[0]
            points.append(one)
            bands.append(named(levels, partial(self._engine.interval, one, ~np.isnan(known))))
        return np.stack(points), {name: np.stack([b[name] for b in bands]) for name in bands[0]}

    def _names(self, new_data: Any) -> Columns | None:
        """Return the columns of ``fit``, where new data are to be read by them."""
        return self.columns_ if self._form.layout == "long" else None

    def _check_fitted(self) -> None:
        if not hasattr(self, "_engine"):
            raise ValueError("this Forecaster is not fitted yet: call fit(series) first")
