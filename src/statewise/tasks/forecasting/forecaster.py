"""`Forecaster`: from one series, or a panel of them, to its forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np

from statewise._renamed import renamed_arguments, say_renamed
from statewise._runtime.forks import check_not_forked
from statewise.sequences import Columns
from statewise.sequences.arrays import check_count
from statewise.tasks.forecasting.adapters import as_time_series, form_of, take_in
from statewise.tasks.forecasting.engine import TrainingData
from statewise.tasks.forecasting.engine_choice import engine_named, name_of
from statewise.tasks.forecasting.fitting import Fitted, fit_any
from statewise.tasks.forecasting.known_steps import as_it_came, on_calendar
from statewise.tasks.forecasting.never_negative import one_step_raised
from statewise.tasks.forecasting.parameters import (
    Parameters,
    arguments_for,
    check,
    levels_of,
)
from statewise.tasks.forecasting.predicting import Asked, forecast_any
from statewise.tasks.forecasting.progress import Progress, as_progress
from statewise.tasks.forecasting.scanned.kinds import ROWS
from statewise.tasks.forecasting.serialization import files as storage
from statewise.tasks.forecasting.serialization.parts import damage_told


class Forecaster(Fitted, Parameters):
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
        season: steps in a season, 1 for none; several, as ``(24, 168)``, hold at once. "auto" takes
            those that the calendar offers (or where it offers none, after which values plainly
            repeat themselves) and that help to forecast the validation part.
        epochs: how long to train, for one series in passes over it, for a panel in 25 batches of
            windows drawn from it; "auto" chooses by validation.
        seed: of everything that is drawn. The same seed gives the same forecast.

    Attributes (after ``fit``):
        lookback_, epochs_, units_: what was taken for the arguments of these names.
        season_: steps in a season, 1 for none; of several the one whose repetition errs least in
            the validation part.
        seasons_: steps of all seasons that are looked at, rising; empty for none.
        transform_: how level and season are handled, in words.
        validation_errors_: validation error by transform, in words: the mean absolute error, for
            panels in units of each series' mean absolute step.
        validation_curves_: for each transform pairs of epochs done and validation error.
        training_shape_: (samples, time steps, features) of what was trained on; for a panel those
            of a batch of windows.
        losses_: the loss after each epoch of the last training.
        columns_: which columns of the table held what.
        keys_: the keys of the series that were learned from; where that was block by block those
            of the sample, on which all choices stand.
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
        season: int | Sequence[int] | str = "auto",
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

    @renamed_arguments(names="columns")
    def fit(
        self,
        data: Any,
        *,
        columns: Columns | Mapping[str, Any] | None = None,
        short: str = "raise",
        missing: str = "mask",
        progress: Progress | bool | None = None,
        rows: int = ROWS,
    ) -> Self:
        """Choose on ``data``, and train on it.

        Args:
            data: the known steps. A frame of pandas, polars or Arrow, long with unique_id, ds and y
                (others by ``columns``) as columns or index, or wide with a column for each series;
                a `TimeSeries`, Series, array (time,) or (time, series); a mapping of such by key.
                Or what may be larger than memory: a path of a folder or file, a list of them, a
                `PanelScan`, a data set, scanner or reader of pyarrow; see ``rows``.
            columns: which columns of a long frame hold what, as `Columns` or a mapping.
            short: what to do where a key has too few steps: "raise", or "drop" goes on without it.
            missing: what to do about missing values of a panel: "mask" leaves them out of the
                loss, shows the network the last known value and that it is one, and in the season
                after that of the latest season that has one; "raise".
            progress: called after each epoch with what goes on ("choosing" or "training"), the
                epochs done, the most there will be, and the loss; True shows a bar.
            rows: how many rows of a path or scan are in memory at a time. One that has more is read
                block by block ("reading" and "collecting" tell ``progress`` how many series): a
                sample decides about all choices, and windows of all series are trained on.

        Returns:
            The forecaster itself.

        Raises:
            DataError: where the data can't be learned from: see `read_panel` and `read_series`;
                where series have fewer steps than lookback + horizon.
            TypeError: where an argument is of a wrong type.
            ValueError: where an argument is out of range.
        """
        check_not_forked()
        arguments = arguments_for(self, short, missing)
        self._form, self._scanned, engine = fit_any(
            data, columns, arguments, as_progress(progress), rows
        )
        self._adopt(engine)
        return self

    def predict(
        self,
        horizon: int | None = None,
        *,
        new_data: Any = None,
        level: float | Sequence[float] | None = None,
        future: Any = None,
        output: Any = None,
        progress: Progress | bool | None = None,
        rows: int = ROWS,
    ) -> Any:
        """Forecast the steps after each series, in closed loop.

        A point lies in each of its intervals. Where a series never was below 0, neither its
        forecast nor an end of its intervals is.

        Args:
            horizon: how many steps; None for the forecaster's own horizon.
            new_data: the series as they are known by now, in the form that ``fit`` took (or a path
                or scan): longer than they were, or others. Nothing is learned from them. None for
                those of ``fit``.
            level: how many percent of the true values intervals are to cover, such as [80, 95].
            future: a frame with the columns of key and time, and the inputs known for the future,
                for each step to forecast; needed where ``fit`` was given such inputs.
            output: where to write forecasts block by block, long tables as for a long frame: a file
                ending in .parquet or .csv, there when it's whole; or a folder of Parquet files. The
                same call goes on with one that was stopped: each key comes once, in order.
            progress: as in ``fit``, with "forecasting" and numbers of series.
            rows: how many rows of a path or scan are in memory at a time (of those of ``fit`` as
                many as there).

        Returns:
            For a long frame one of the same library, with keys and times where they were, by the
            types that they had, "model", and for each level "model-lo-80", "model-hi-80". For a
            wide one the same, a column for each series and each end of its intervals. For a Series
            one whose index goes on, a frame with ``level``; for a mapping such ones by key. For an
            array (horizon,) or (horizon, series) float64, a pandas frame with ``level``. With
            ``output`` a `ForecastFiles` of what was written.

        Raises:
            TypeError: where the horizon or a level is no number.
            ValueError: before ``fit``, for a horizon below 1 or one that there is no room for, a
                level that isn't between 1 and 100, or where too few steps are known; where more is
                to be forecast than ``rows``, and no ``output`` named.
            DataError: where ``new_data`` or ``future`` can't be read; where inputs are missing for
                a step (it names the first); for a category that ``fit`` didn't see.
            OSError: where ``output`` can't be written, or has forecasts already.
        """
        check_not_forked()
        self._check_fitted()
        horizon = self.horizon if horizon is None else check_count(horizon, "horizon")
        asked = Asked(horizon, levels_of(level), future, self.likelihood)
        data = self._scanned if new_data is None else new_data
        return forecast_any(
            self._engine, self._form, data, asked, output, as_progress(progress), rows
        )

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
        panel = on_calendar(take_in(series).known, self._laid_out_by)
        values, rows = as_it_came(series, panel, self._engine.data.shortest)
        origins = rows[first:]
        points = self._engine.predict_one_step(panel, values, origins)
        return one_step_raised(points, values, origins, self._engine.data.panel)

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
            "engine": name_of(self._engine),
            "form": asdict(self._form),
            "season": self.season_,
            "also": self._engine.data.also,
            "counted": self._engine.data.counted,
            "notes": self.notes_,
            "left_out": self.left_out_,
        }
        storage.write(path, {**shown, "parts": plain}, arrays, self._engine.data.panel)

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
        with damage_told(path, storage.KIND):
            self = cls(**plain["params"])
            check(self)
            self._form = form_of(plain["form"])
            more = [tuple(plain.get(name, ())) for name in ("also", "counted")]
            data = TrainingData(panel, plain["season"], plain["notes"], plain["left_out"], *more)
            kind = engine_named(plain["engine"])
            self._scanned = None
            self._adopt(kind.from_state(plain["parts"], arrays, data))
        return self

    @property
    def ids_(self) -> np.ndarray:
        """The old name of ``keys_``."""
        say_renamed("Forecaster.ids_", "Forecaster.keys_")
        return self.keys_
