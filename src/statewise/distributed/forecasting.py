"""Forecasts of many series by key, over the workers of an executor."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from statewise.distributed.blocks import blocks_of, places_of_blocks
from statewise.distributed.executors import Executor
from statewise.distributed.progress import counted
from statewise.distributed.ray_datasets import is_ray_dataset, predict_dataset
from statewise.sequences import Panel
from statewise.sequences.panel_reading import as_table
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.forms import give_back
from statewise.tasks.forecasting.panel_forecasts import asked_of, forecast_of, known_by
from statewise.tasks.forecasting.parameters import levels_of
from statewise.tasks.forecasting.predicting import Asked
from statewise.tasks.forecasting.progress import Progress


class _Given(NamedTuple):
    """What workers are given once.

    Attributes:
        forecaster: a fitted one.
        asked: what is to be forecast; the future's inputs come with the blocks.
    """

    forecaster: Forecaster
    asked: Asked


class _Block(NamedTuple):
    """What a worker forecasts at a time.

    Attributes:
        panel: what is known of some series.
        future: their rows of the future's inputs; None without.
    """

    panel: Panel
    future: Any


def predict(
    forecaster: Forecaster,
    new_data: Any = None,
    *,
    executor: Executor,
    horizon: int | None = None,
    level: float | Sequence[float] | None = None,
    future: Any = None,
    progress: Progress | bool | None = None,
) -> Any:
    """Forecast the steps after each series as `Forecaster.predict`, over an executor's workers.

    The series are cut into blocks by key, up to 1024 each, and each block is a task. Each series is
    once in the result, also where workers die. Points are those of `Forecaster.predict`; so are
    intervals, but where paths are drawn for them (a ``likelihood``), for these are drawn block by
    block: the same for any number of workers, other ones than in one piece.

    Args:
        forecaster: a fitted one.
        new_data: as in `Forecaster.predict`. A Ray Dataset (a long table) is forecast by Ray Data
            where it lies, see `statewise.distributed.predict_dataset`.
        executor: `OneProcess`, `Processes` or `Ray`.
        horizon, level, future: as in `Forecaster.predict`.
        progress: called with "forecasting", about how many series are done, how many there are,
            and NaN (there is no loss); True for a bar.

    Returns:
        What `Forecaster.predict` returns.

    Raises:
        WorkerLostError: where a block's workers died again and again.
        DataError, TypeError, ValueError: as `Forecaster.predict`.

    >>> import pandas as pd
    >>> from statewise.distributed import OneProcess
    >>> wide = pd.DataFrame({"a": np.arange(40.0), "b": np.tile([1.0, 2.0], 20)})
    >>> forecaster = Forecaster(horizon=3, season=1, epochs=1).fit(wide)
    >>> predict(forecaster, executor=OneProcess()).shape
    (3, 2)
    """
    if is_ray_dataset(new_data):
        if future is not None:
            raise ValueError("future was given, but a Ray Dataset is forecast without such inputs")
        return predict_dataset(forecaster, new_data, horizon=horizon, level=level)
    asked = asked_of(forecaster, horizon, levels_of(level), future)
    form, panel = known_by(forecaster, new_data, asked)
    return give_back(form, panel, forecast_by_key(forecaster, panel, asked, executor, progress))


def forecast_by_key(
    forecaster: Forecaster,
    panel: Panel,
    asked: Asked,
    executor: Executor,
    progress: Progress | bool | None = None,
) -> Forecast:
    """Forecast each series of a panel, block by block, (series, horizon)."""
    places = places_of_blocks(panel.keys)
    parts = executor.run(
        _forecast_block,
        _tasks(panel, places, asked.future),
        _Given(forecaster, asked._replace(future=None)),
        finished=counted(progress, len(places), len(panel)),
    )
    return _joined(places, parts, (len(panel), asked.horizon), asked.levels)


def _forecast_block(given: _Given, block: _Block) -> Forecast:
    asked = given.asked._replace(future=block.future)
    return forecast_of(given.forecaster, block.panel, asked)


def _tasks(panel: Panel, places: list[np.ndarray], future: Any) -> Iterator[_Block]:
    key = panel.columns.key
    if isinstance(future, (str, Path)):  # a worker may have no such file
        future = as_table(future)
    # Of a table with a column of keys each block gets its own rows; of others all.
    keyed = isinstance(future, pd.DataFrame) and key in future.columns
    for block in blocks_of(panel, places):
        own = future[future[key].isin(block.keys.tolist())] if keyed else future
        yield _Block(block, own)


def _joined(
    places: list[np.ndarray],
    parts: Iterator[Forecast],
    shape: tuple[int, int],
    levels: list[float],
) -> Forecast:
    """Put the forecasts of blocks where their series stand."""
    points = np.full(shape, np.nan)
    bands = {level: (np.full(shape, np.nan), np.full(shape, np.nan)) for level in levels}
    for which, part in zip(places, parts, strict=True):
        points[which] = part.points
        for level, ends in bands.items():
            for end, own in zip(ends, part.bands[level], strict=True):
                end[which] = own
    return Forecast(points, bands)
