"""Forecasts of files that are never in memory whole, over the workers of an executor."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from statewise.distributed.executors import Executor
from statewise.sequences import DataError, Panel
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.fitting import Scanned
from statewise.tasks.forecasting.panel_forecasts import asked_of, known_by
from statewise.tasks.forecasting.parameters import levels_of
from statewise.tasks.forecasting.predicting import Asked
from statewise.tasks.forecasting.progress import Progress, as_progress
from statewise.tasks.forecasting.scanned.kinds import is_scanned
from statewise.tasks.forecasting.scanned.opening import opened
from statewise.tasks.forecasting.scanned.predicting import forecast_block, long_form
from statewise.tasks.forecasting.scanned.writing import (
    ForecastFiles,
    request_of,
    with_a_value,
    write_forecasts,
)

_ROWS = 1 << 18  # of a block: some seconds of a worker's time, and some tens of megabytes


class _Given(NamedTuple):
    """What workers are given once."""

    forecaster: Forecaster
    asked: Asked


class _Made(NamedTuple):
    """The forecasts of a block.

    Attributes:
        frame: a long table.
        series: how many there are.
    """

    frame: pd.DataFrame
    series: int

    def __len__(self) -> int:
        return self.series


def predict_files(
    forecaster: Forecaster,
    new_data: Any,
    output: Any,
    *,
    executor: Executor,
    horizon: int | None = None,
    level: float | Sequence[float] | None = None,
    progress: Progress | bool | None = None,
) -> ForecastFiles:
    """Forecast what is read block by block as ``Forecaster.predict(output=)``, over workers.

    This process reads blocks of whole series, workers forecast them, and this process appends what
    comes back, in the order in which it was read: each key once, also where workers die. The same
    call goes on with one that was stopped.

    Args:
        forecaster: a fitted one, without inputs that are known for the future.
        new_data: a path, a list of paths, a `PanelScan`, a data set of pyarrow; None for those that
            ``fit`` was given, where it was given such.
        output: a file that ends in .parquet or .csv, or a folder.
        executor: `OneProcess`, `Processes` or `Ray`.
        horizon, level: as in `Forecaster.predict`.
        progress: called with "forecasting", the series read, how many there are, and NaN.

    Raises:
        WorkerLostError: where a block's workers died again and again.
        DataError, OSError, TypeError, ValueError: as `Forecaster.predict`.

    >>> predict_files(Forecaster(horizon=3), "sales", "forecasts", executor=None)
    Traceback (most recent call last):
    ...
    ValueError: this Forecaster is not fitted yet: call fit(series) first
    """
    asked = asked_of(forecaster, horizon, levels_of(level), None)
    scanned = _scanned(forecaster, new_data)
    return files_of(forecaster, asked, Path(output), executor, as_progress(progress), scanned)


def files_of(
    forecaster: Forecaster,
    asked: Asked,
    output: Path,
    executor: Executor,
    progress: Progress,
    scanned: Scanned | None = None,
) -> ForecastFiles:
    """Forecast what is read block by block, and write it; see `predict_files`.

    Args:
        forecaster, asked, output, executor, progress: see there.
        scanned: what is read; None for what was learned from.
    """
    scanned = _scanned(forecaster, None) if scanned is None else scanned
    columns = forecaster.columns_
    if columns.future:
        raise DataError(
            f"the inputs {', '.join(columns.future)} must be known for the steps to forecast: give "
            "them to Forecaster.predict(output=..., future=...)"
        )
    scan = scanned.panel

    def blocks(skip: int) -> Iterator[tuple[_Made | None, int]]:
        counts: deque[int] = deque()
        passed: deque[int] = deque()  # blocks of which nothing is kept, before the next one

        def tasks() -> Iterator[Panel]:
            panels = scan.panels(
                progress, "forecasting", series=scanned.series, skip=skip, keep=scanned.keep
            )
            left_out = 0
            for panel, count in panels:
                if panel is None:
                    left_out += count
                    continue
                passed.append(left_out)
                counts.append(count)
                left_out = 0
                yield panel
            passed.append(left_out)

        for made in executor.run(_forecast, tasks(), _Given(forecaster, asked)):
            if left_out := passed.popleft():
                yield None, left_out
            yield made, counts.popleft()
        if left_out := passed.popleft():
            yield None, left_out

    request = request_of(forecaster._engine, scan, asked.horizon, asked.levels, None)
    return write_forecasts(blocks, _frame_of, output, request, scan.scan.skipped)


def long_forecasts(
    forecaster: Forecaster, frame: pd.DataFrame, horizon: int | None, level: Any
) -> pd.DataFrame:
    """Return forecasts of a long table as one, in a worker."""
    asked = asked_of(forecaster, horizon, levels_of(level), None)
    form, panel = known_by(forecaster, frame, asked)
    return forecast_block(forecaster._engine, long_form(form), panel, asked)


def _forecast(given: _Given, panel: Panel) -> _Made:
    forecaster = given.forecaster
    long = long_form(forecaster._form)
    return _Made(forecast_block(forecaster._engine, long, panel, given.asked), len(panel))


def _frame_of(made: Any) -> pd.DataFrame:
    return made.frame


def _scanned(forecaster: Forecaster, new_data: Any) -> Scanned:
    """Return what is to be read block by block."""
    if new_data is None and forecaster._scanned is not None:
        return forecaster._scanned
    if not is_scanned(new_data):
        raise TypeError(
            "predict_files takes a path, a list of paths, a PanelScan or a data set of pyarrow, "
            f"not {type(new_data).__name__}; predict takes what is in memory"
        )
    return Scanned(opened(new_data, forecaster.columns_, _ROWS), with_a_value, 0)
