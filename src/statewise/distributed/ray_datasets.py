"""Forecasts of a Ray Dataset by Ray Data: where the rows lie, and whoever has many of them."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from statewise.distributed.executors.worker import thread_limits, version
from statewise.distributed.ray_cluster import imported, refused_version
from statewise.sequences import DataError
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.parameters import levels_of

_BUCKET = "statewise bucket"
_ROWS = 250_000  # of a bucket, about: some tens of megabytes
_EACH = 4  # buckets for each core at least, so that none waits long for the last one


def is_ray_dataset(data: Any) -> bool:
    """Whether something is a Dataset of Ray; Ray isn't loaded for that.

    >>> is_ray_dataset([1.0])
    False
    """
    return type(data).__module__.startswith("ray.data.") and hasattr(data, "map_batches")


def predict_dataset(
    forecaster: Forecaster,
    dataset: Any,
    *,
    horizon: int | None = None,
    level: float | Sequence[float] | None = None,
) -> Any:
    """Return the forecasts of a Ray Dataset as another one, computed when it is read.

    Keys fall into buckets, whose rows Ray Data brings together (a shuffle); each bucket is forecast
    at once, by whichever worker. Each key is in one of them, and once in the result, also where
    workers die: Ray does their buckets again.

    Args:
        forecaster: fitted on a long table with the same columns; without inputs that are known for
            the future.
        dataset: rows in any order.
        horizon, level: as in `Forecaster.predict`.

    Returns:
        A Ray Dataset with the columns of key and time, and "model" and the ends of intervals.

    Raises:
        DataError: where the dataset hasn't the columns, or inputs would have to be known.
        TypeError, ValueError: as `Forecaster.predict`.

    >>> from statewise.distributed import predict_dataset
    >>> predict_dataset(Forecaster(horizon=3), None)
    Traceback (most recent call last):
    ...
    ValueError: this Forecaster is not fitted yet: call fit(series) first
    """
    forecaster._check_fitted()
    levels_of(level)
    columns, form = forecaster.columns_, forecaster._form
    if form.layout != "long" or not form.keyed or form.levels:
        raise DataError(
            "a Ray Dataset is a long table with one column of keys, and the forecaster was fitted "
            "on another form of data: fit it on such a table"
        )
    if columns.future:
        raise DataError(
            f"the inputs {', '.join(columns.future)} must be known for the steps to forecast, and "
            "a Ray Dataset holds none of those: give a frame to predict, with future="
        )
    needed = (columns.key, columns.time, columns.target, *columns.past, *columns.static)
    names = dataset.schema().names
    missing = [name for name in needed if name not in names]
    if missing:
        raise DataError(f"the dataset has no column {missing[0]!r}; it has {', '.join(names)}")
    ray = imported()
    cores = int(ray.cluster_resources().get("CPU", 1))
    buckets = max(_EACH * cores, dataset.count() // _ROWS)
    mark, forecast = _steps(columns.key, buckets, [ray.put(forecaster)], horizon, level)
    cut = dataset.select_columns(list(needed)).map_batches(mark, batch_format="pyarrow")
    by_bucket = cut.groupby(_BUCKET, num_partitions=buckets)
    threads = {"env_vars": thread_limits(1)}
    return by_bucket.map_groups(forecast, batch_format="pandas", runtime_env=threads)


def _steps(
    key: str, buckets: int, forecaster: list, horizon: int | None, level: Any
) -> tuple[Callable, Callable]:
    """Return what workers do with rows and with buckets, as functions that Ray sends along.

    They are no functions of a module: see `Ray`'s tasks.
    """
    wanted, words, bucket = version(), refused_version(), _BUCKET

    def mark(rows: pa.Table) -> pa.Table:
        """Add for each row the bucket of its key."""
        try:
            from statewise._version import __version__ as have
        except ImportError:
            have = "none"
        if have != wanted:
            raise RuntimeError(words.format(have=have, wanted=wanted))
        keys = rows.column(key).combine_chunks().dictionary_encode()
        sums = [zlib.crc32(str(one).encode()) % buckets for one in keys.dictionary.to_pylist()]
        codes = keys.indices.to_numpy(zero_copy_only=False)
        return rows.append_column(bucket, pa.array(np.array(sums, np.int64)[codes]))

    def forecast(rows: pd.DataFrame) -> pd.DataFrame:
        """Forecast the series of a bucket."""
        from statewise.distributed.executors.ray_worker import shared_by
        from statewise.distributed.files import long_forecasts

        return long_forecasts(shared_by(forecaster[0]), rows.drop(columns=[bucket]), horizon, level)

    return mark, forecast
