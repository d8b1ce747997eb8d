"""Backtests over the workers of an executor: by key, or where it is fitted anew, by window."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from statewise.distributed.blocks import places_of_blocks
from statewise.distributed.executors import Executor
from statewise.distributed.progress import counted
from statewise.sequences import Columns
from statewise.tasks import Backtest, Forecaster
from statewise.tasks.evaluation.backtesting import (
    backtest_by,
    fitted_copy,
    forecast_window,
    served,
    stacked,
)
from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.progress import Progress

FITTING = "fitting and forecasting"  # the phase in which workers fit, window by window


class _Fitted(NamedTuple):
    """What workers are given once, where all windows are forecast by one forecaster."""

    forecaster: Forecaster
    levels: tuple[float, ...]


class _Unfitted(NamedTuple):
    """What workers are given once, where it is fitted at each window."""

    forecaster: Forecaster
    origins: Origins
    levels: tuple[float, ...]


def backtest(
    forecaster: Forecaster,
    data: Any,
    *,
    windows: int,
    executor: Executor,
    horizon: int | None = None,
    refit: bool = False,
    level: Sequence[float] = (80, 95),
    columns: Columns | Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Backtest as `statewise.backtest`, its forecasts over an executor's workers.

    Without ``refit`` the forecaster is fitted once, here, and forecasts the series in blocks by
    key, each a task, all windows of it; each series is once in the result, also where workers die.
    With ``refit`` each window is a task: a worker fits on what is known at its origin, and
    forecasts it. Figures are those of `statewise.backtest`, but for the intervals of a
    ``likelihood``, see `predict`.

    Args:
        forecaster, data, windows, horizon, refit, level, columns: as in `statewise.backtest`.
        executor: `OneProcess`, `Processes` or `Ray`.
        progress: as in `Forecaster.fit`; then with "forecasting", or with ``refit`` "fitting and
            forecasting", the series (windows) done, how many there are, and NaN.

    Raises:
        WorkerLostError: where a task's workers died again and again.
        DataError, TypeError, ValueError: as `statewise.backtest`.

    >>> import pandas as pd
    >>> from statewise.distributed import OneProcess
    >>> wide = pd.DataFrame({"a": np.arange(40.0), "b": np.tile([1.0, 2.0], 20)})
    >>> forecaster = Forecaster(horizon=3, season=1, epochs=1)
    >>> result = backtest(forecaster, wide, windows=2, executor=OneProcess())
    >>> result.truth.shape
    (2, 2, 3)
    """

    def run(forecaster, origins, refit, levels, progress):
        by = _by_window if refit else _by_key
        return by(executor, forecaster, origins, levels, progress)

    return backtest_by(
        run,
        forecaster,
        data,
        windows=windows,
        horizon=horizon,
        refit=refit,
        level=level,
        columns=columns,
        progress=progress,
    )


def _by_key(
    executor: Executor,
    forecaster: Forecaster,
    origins: Origins,
    levels: tuple[float, ...],
    progress: Progress | None,
) -> tuple[Forecaster, Origins, int, Forecast]:
    """Fit here, and forecast all windows of a block of series as a task."""
    fitted = fitted_copy(forecaster, origins.known(0), progress)
    origins, season = served(fitted, origins)
    places = places_of_blocks(origins.panel.keys)
    parts = executor.run(
        _forecast_windows,
        (origins.select(which) for which in places),
        _Fitted(fitted, levels),
        finished=counted(progress, len(places), len(origins.panel)),
    )
    shape = (*origins.first.shape, origins.horizon)
    points = np.full(shape, np.nan)
    bands = {level: (np.full(shape, np.nan), np.full(shape, np.nan)) for level in levels}
    for which, part in zip(places, parts, strict=True):
        points[which] = part.points
        for level, ends in bands.items():
            for end, own in zip(ends, part.bands[level], strict=True):
                end[which] = own
    return fitted, origins, season, Forecast(points, bands)


def _forecast_windows(given: _Fitted, origins: Origins) -> Forecast:
    """Forecast all windows of some series, (series, windows, horizon)."""
    return stacked(
        [
            forecast_window(given.forecaster, origins, origins.known(window), window, given.levels)
            for window in range(origins.windows)
        ]
    )


def _by_window(
    executor: Executor,
    forecaster: Forecaster,
    origins: Origins,
    levels: tuple[float, ...],
    progress: Progress | None,
) -> tuple[Forecaster, Origins, int, Forecast]:
    """Fit and forecast each window as a task.

    The first one tells which series are long enough. Mostly all are; where some aren't, those of
    the other windows that were begun begin again, without them.
    """
    windows = origins.windows
    finished = counted(progress, windows, windows, FITTING)
    given = _Unfitted(forecaster, origins, levels)
    others = executor.run(_fit_and_forecast, range(windows), given, finished=finished)
    first = next(others)
    origins, season = served(first[0], given.origins)
    if len(origins.panel) < len(given.origins.panel):
        if isinstance(others, Generator):
            others.close()  # lets the workers go
        others = executor.run(
            _fit_and_forecast,
            range(1, windows),
            given._replace(origins=origins),
            finished=lambda done: finished(done + 1),
        )
    fitted, forecasts = first[0], [first[1]]
    for fitted, forecast in others:  # noqa: B007  (of the last window it stays)
        forecasts.append(forecast)
    return fitted, origins, season, stacked(forecasts)


def _fit_and_forecast(given: _Unfitted, window: int) -> tuple[Forecaster, Forecast]:
    """Fit on what is known at an origin, and forecast from it; of the series that it serves."""
    known = given.origins.known(window)
    fitted = fitted_copy(given.forecaster, known, None)
    origins = given.origins
    if window == 0:
        origins, _ = served(fitted, origins)
    known = origins.known(window)
    return fitted, forecast_window(fitted, origins, known, window, given.levels)
