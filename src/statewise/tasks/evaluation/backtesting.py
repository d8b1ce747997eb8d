"""`backtest`: forecasts from rolling origins, each from what was known there and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from statewise._renamed import renamed_arguments
from statewise.sequences import Columns, Panel
from statewise.sequences.arrays import check_count
from statewise.tasks.evaluation.baselines import (
    baselines,
    compared_season,
    laid_out_by,
    steps_within,
)
from statewise.tasks.evaluation.holdout import Evaluation
from statewise.tasks.evaluation.origins import Origins, left_out_note, rolling_origins
from statewise.tasks.evaluation.result import Backtest
from statewise.tasks.forecasting.adapters import take_in
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.forecaster import Forecaster
from statewise.tasks.forecasting.parameters import fresh, levels_of
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.result_names import MODEL, check_backtest


@renamed_arguments(names="columns")
def backtest(
    forecaster: Forecaster,
    data: Any,
    *,
    windows: int,
    horizon: int | None = None,
    refit: bool = False,
    level: Sequence[float] = (80, 95),
    columns: Columns | Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Forecast the last steps of every series from rolling origins, and measure the forecasts.

    The last ``windows * horizon`` steps of each series are cut into windows that don't overlap. At
    the origin of each, the steps before it are known and no others: the forecaster is fitted on
    what is known at the first origin and shown the later steps as they become known, or, with
    ``refit``, fitted anew at each origin. Beside it stand the naive forecast (the last value) and,
    where the calendar offers a season, the seasonal naive one (the last season, of the length whose
    repetition errs least at the end of what is known). `Backtest.beside` adds AutoETS and
    AutoARIMA.

    Where series end at different times, each is cut at its own end. So a network that learns from
    all of them may have seen, in another series, times that are later than an origin; ``notes``
    says so.

    Args:
        forecaster: its arguments are taken; a copy of it is fitted, whatever was fitted before.
        data: what `Forecaster.fit` takes, or a `Panel`.
        windows: how many origins; the more, the surer the result.
        horizon: steps to forecast at each; None for the forecaster's own.
        refit: whether to fit at each origin.
        level: how many percent the intervals are to cover; empty for no intervals.
        columns: which columns of a long frame hold what, as in `Forecaster.fit`.
        progress: as in `Forecaster.fit`; with ``refit`` the window stands before what goes on.

    Returns:
        A `Backtest`. Series that are too short for the windows are left out, and named in it.

    Raises:
        DataError: where the data can't be read or learned from, or all series are too short.
        TypeError, ValueError: where an argument makes no sense.

    >>> season = np.tile([0.0, 10.0, 5.0, -15.0], 12)
    >>> result = backtest(Forecaster(horizon=4, season=4, epochs=2), 100 + season, windows=2)
    >>> result.table.index.tolist()
    ['model', 'naive', 'seasonal naive']
    """
    return backtest_by(
        run_here,
        forecaster,
        data,
        windows=windows,
        horizon=horizon,
        refit=refit,
        level=level,
        columns=columns,
        progress=progress,
    )


def backtest_by(
    run: "Run",
    forecaster: Forecaster,
    data: Any,
    *,
    windows: int,
    horizon: int | None,
    refit: bool,
    level: Sequence[float],
    columns: Columns | Mapping[str, Any] | None,
    progress: Progress | None,
) -> Backtest:
    """Return what `backtest` returns.

    Args:
        run: fits and forecasts, as `run_here` does.
        forecaster, data, windows, horizon, refit, level, columns, progress: see `backtest`.
    """
    check_count(windows, "windows")
    horizon = forecaster.horizon if horizon is None else horizon
    check_count(horizon, "horizon")
    levels = _levels(level)
    panel = data if isinstance(data, Panel) else take_in(data, columns).known
    check_backtest(panel.columns)
    origins, left_out = rolling_origins(panel, windows=windows, horizon=horizon)
    fitted, origins, season, forecast = run(forecaster, origins, refit, levels, progress)
    used = {*origins.panel.keys.tolist(), *left_out}
    left_out += [key for key in panel.keys.tolist() if key not in used]
    notes = [left_out_note(left_out, len(panel))] if left_out else []
    notes += [note for note in fitted.notes_ if not note.startswith("left out")]
    ends = origins.panel.time[origins.panel.offsets[1:] - 1]
    if (ends != ends[0]).any():
        notes.append(
            "the series end at different times; each is cut at its own end, so what is learned "
            "from one may be later than an origin of another"
        )
    return Backtest(
        forecaster=fitted,
        origins=origins,
        arrays={MODEL: forecast, **baselines(origins, season=season, levels=levels)},
        scale=steps_within(origins, season=season)[0],
        season=season,
        refit=refit,
        left_out=left_out,
        notes=notes,
    )


def from_evaluation(evaluation: Evaluation, *, level: Sequence[float] = (80, 95)) -> Backtest:
    """Return what `evaluate_closed_loop` found as a backtest of one window, with intervals.

    Nothing is fitted again.

    Args:
        evaluation: of one series in closed loop.
        level: how many percent the intervals are to cover.

    >>> from statewise.tasks import evaluate_closed_loop
    >>> series = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 9)
    >>> evaluation = evaluate_closed_loop(Forecaster(horizon=4, season=4, epochs=1), series)
    >>> result = from_evaluation(evaluation)
    >>> bool(result.table.loc["model", "MAE"] == evaluation.table.loc["model", "MAE"])
    True
    """
    fitted, origins, levels = evaluation.forecaster, evaluation.origins, _levels(level)
    if origins is None:
        raise ValueError("forecasts of one step have no intervals: take evaluate_closed_loop")
    season, note = compared_season(fitted, origins.known(0)), evaluation.train.note
    forecast = stacked([forecast_window(fitted, origins, origins.known(0), 0, levels)])
    return Backtest(
        forecaster=fitted,
        origins=origins,
        arrays={MODEL: forecast, **baselines(origins, season=season, levels=levels)},
        scale=steps_within(origins, season=season)[0],
        season=season,
        refit=False,
        left_out=[],
        notes=[note] if note else [],
    )


# Takes what `run_here` takes, and returns what it returns.
Run = Callable[
    [Forecaster, Origins, bool, tuple[float, ...], Progress | None],
    tuple[Forecaster, Origins, int, Forecast],
]


def run_here(
    forecaster: Forecaster,
    origins: Origins,
    refit: bool,
    levels: tuple[float, ...],
    progress: Progress | None,
) -> tuple[Forecaster, Origins, int, Forecast]:
    """Fit and forecast at each origin, one after the other in this process.

    Returns:
        The forecaster of the last fit; the origins of the series that it serves: those that are
        too short for it at the first one are left out of all; the season of the seasonal naive
        forecast; the forecasts.
    """
    known = origins.known(0)
    fitted = fitted_copy(forecaster, known, _of_window(progress, 0, origins) if refit else progress)
    origins, season = served(fitted, origins)
    forecasts = []
    for window in range(origins.windows):
        known = origins.known(window)
        if refit and window:
            fitted = fitted_copy(forecaster, known, _of_window(progress, window, origins))
        forecasts.append(forecast_window(fitted, origins, known, window, levels))
    return fitted, origins, season, stacked(forecasts)


def served(fitted: Forecaster, origins: Origins) -> tuple[Origins, int]:
    """Return the origins of the series that a forecaster serves, fitted at the first of them.

    And the season of the seasonal naive forecast.
    """
    which = np.flatnonzero(np.isin(origins.panel.keys, fitted.keys_))
    origins = origins.select(which)
    return origins, compared_season(fitted, origins.known(0))


def fitted_copy(forecaster: Forecaster, known: Panel, progress: Progress | None) -> Forecaster:
    """Fit a copy of a forecaster on what is known; one series that is too short is an error."""
    short = "drop" if len(known) > 1 else "raise"
    return fresh(forecaster).fit(known, short=short, progress=progress)


def forecast_window(
    fitted: Forecaster, origins: Origins, known: Panel, window: int, levels: tuple[float, ...]
) -> Forecast:
    """Forecast from an origin of every series, (series, horizon)."""
    # Where the season counts days without a row, the rows to forecast are further ahead.
    ahead = origins.ahead(window, laid_out_by(fitted))
    steps = int(ahead.max()) + 1
    frame = fitted.predict(
        steps,
        new_data=known,
        level=list(levels) or None,
        future=origins.future(window, ahead, known),
    )

    def of_rows(name: str) -> np.ndarray:
        column = frame[name].to_numpy(np.float64).reshape(len(known), steps)
        return np.take_along_axis(column, ahead, 1)

    ends = {one: (of_rows(f"model-lo-{one:g}"), of_rows(f"model-hi-{one:g}")) for one in levels}
    return Forecast(of_rows(MODEL), ends)


def stacked(windows: list[Forecast]) -> Forecast:
    """Join windows, (series, horizon) each, to (series, windows, horizon)."""
    bands = {}
    for level in windows[0].bands:
        low, high = (np.stack([one.bands[level][end] for one in windows], 1) for end in (0, 1))
        bands[level] = low, high
    return Forecast(np.stack([one.points for one in windows], axis=1), bands)


def _of_window(progress: Progress | None, window: int, origins: Origins) -> Progress | None:
    """Return what is called with the window before what goes on."""
    if progress is None:
        return None

    def call(phase: str, done: int, most: int, loss: float) -> None:
        progress(f"window {window + 1} of {origins.windows}: {phase}", done, most, loss)

    return call


def _levels(level: Any) -> tuple[float, ...]:
    levels = levels_of(level)
    if level is not None and len(levels) < np.size(level):
        raise ValueError(f"level names one twice: {', '.join(f'{one:g}' for one in level)}")
    return tuple(sorted(levels))
