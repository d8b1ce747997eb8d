"""`backtest`: forecasts from rolling origins, each from what was known there and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from statewise.sequences import Columns, Panel, TimeSeries
from statewise.sequences.arrays import check_count
from statewise.tasks.evaluation.holdout import Evaluation
from statewise.tasks.evaluation.many_baselines import repeated, steps_within
from statewise.tasks.evaluation.many_metrics import Cast
from statewise.tasks.evaluation.origins import Origins, cut, say_left_out
from statewise.tasks.evaluation.result import MODEL, NAIVE, SEASONAL_NAIVE, Backtest
from statewise.tasks.forecasting.adapters import panel_of, take_in
from statewise.tasks.forecasting.forecaster import Forecaster
from statewise.tasks.forecasting.parameters import fresh, levels_of
from statewise.tasks.forecasting.result_names import check_backtest

Progress = Callable[[str, int, int, float], None]


def backtest(
    forecaster: Forecaster,
    data: Any,
    *,
    windows: int,
    horizon: int | None = None,
    refit: bool = False,
    level: Sequence[float] = (80, 95),
    names: Columns | Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Forecast the last steps of every series from rolling origins, and measure the forecasts.

    The last ``windows * horizon`` steps of each series are cut into windows that don't overlap. At
    the origin of each, the steps before it are known and no others: the forecaster is fitted on
    what is known at the first origin and shown the later steps as they become known, or, with
    ``refit``, fitted anew at each origin. Beside it stand the naive forecast (the last value) and
    the seasonal naive one (the last season). `Backtest.beside` adds AutoETS and AutoARIMA.

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
        names: which columns of a long frame hold what, as in `Forecaster.fit`.
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
    check_count(windows, "windows")
    horizon = forecaster.horizon if horizon is None else horizon
    check_count(horizon, "horizon")
    levels = _levels(level)
    panel = _panel(data, names)
    check_backtest(panel.columns)
    origins, left_out = cut(panel, windows=windows, horizon=horizon)
    fitted, origins, season, cast = _run(forecaster, origins, refit, levels, progress)
    used = {*origins.panel.keys.tolist(), *left_out}
    left_out += [key for key in panel.keys.tolist() if key not in used]
    notes = [say_left_out(left_out, len(panel))] if left_out else []
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
        casts={MODEL: cast, **_baselines(origins, season, levels)},
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
    train, truth, fitted = evaluation.train, evaluation.truth, evaluation.forecaster
    values = np.concatenate([train.values[:, 0], truth.to_numpy()])
    whole = replace(train, values=values[:, None], time=train.time.append(truth.index), known=None)
    levels, horizon = _levels(level), len(truth)
    origins, _ = cut(panel_of(whole), windows=1, horizon=horizon)
    cast = _stacked([_forecast(fitted, origins, origins.known(0), 0, levels)])
    return Backtest(
        forecaster=fitted,
        origins=origins,
        casts={MODEL: cast, **_baselines(origins, fitted.season_, levels)},
        scale=steps_within(origins, season=fitted.season_)[0],
        season=fitted.season_,
        refit=False,
        left_out=[],
        notes=[train.note] if train.note else [],
    )


def _baselines(origins: Origins, season: int, levels: tuple[float, ...]) -> dict[str, Cast]:
    """Return the naive forecast, and the seasonal naive one where there is a season."""
    casts = {NAIVE: repeated(origins, season=1, levels=levels)}
    if season > 1:
        casts[SEASONAL_NAIVE] = repeated(origins, season=season, levels=levels)
    return casts


def _run(forecaster, origins: Origins, refit: bool, levels, progress) -> tuple:
    """Fit and forecast at each origin.

    Returns:
        The forecaster of the last fit; the origins of the series that it serves: those that are
        too short for it at the first one are left out of all; the season found there; what it said.
    """
    fitted, season, told = None, 1, []
    for window in range(origins.windows):
        known = origins.known(window)
        if fitted is None or refit:
            fitted = fresh(forecaster)
            tell = _naming(progress, window, origins.windows) if refit else progress
            fitted.fit(known, short="drop" if len(known) > 1 else "raise", progress=tell)
        if window == 0:
            season = fitted.season_
            origins = origins.select(np.flatnonzero(np.isin(known.keys, fitted.keys_)))
            known = origins.known(window)
        told.append(_forecast(fitted, origins, known, window, levels))
    return fitted, origins, season, _stacked(told)


def _forecast(fitted, origins: Origins, known: Panel, window: int, levels) -> Cast:
    # Where the season counts days without a row, the rows to forecast are further ahead.
    ahead = origins.ahead(window, fitted.season_)
    steps = int(ahead.max()) + 1
    frame = fitted.predict(
        steps,
        new_data=known,
        level=list(levels) or None,
        future=origins.future(window, ahead, known),
    )

    def told(name: str) -> np.ndarray:
        column = frame[name].to_numpy(np.float64).reshape(len(known), steps)
        return np.take_along_axis(column, ahead, 1)

    bands = {level: (told(f"model-lo-{level:g}"), told(f"model-hi-{level:g}")) for level in levels}
    return Cast(told(MODEL), bands)


def _panel(data: Any, names: Columns | Mapping[str, Any] | None) -> Panel:
    if isinstance(data, Panel):
        return data
    panel = take_in(data, names).panel
    if isinstance(data, TimeSeries) and data.known is not None:
        # What was filled in was interpolated towards later values: here it is missing again.
        panel = replace(panel, values=np.where(data.known[:, None], panel.values, np.nan))
    return panel


def _stacked(told: list[Cast]) -> Cast:
    """Join windows, (series, horizon) each, to (series, windows, horizon)."""
    bands = {
        level: tuple(np.stack([cast.bands[level][end] for cast in told], axis=1) for end in (0, 1))
        for level in told[0].bands
    }
    return Cast(np.stack([cast.points for cast in told], axis=1), bands)


def _naming(progress: Progress | None, window: int, windows: int) -> Progress | None:
    if progress is None:
        return None

    def tell(phase: str, done: int, most: int, loss: float) -> None:
        progress(f"window {window + 1} of {windows}: {phase}", done, most, loss)

    return tell


def _levels(level: Any) -> tuple[float, ...]:
    levels = levels_of(level)
    if level is not None and len(levels) < np.size(level):
        raise ValueError(f"level names one twice: {', '.join(f'{one:g}' for one in level)}")
    return tuple(sorted(levels))
