"""A forecaster learns from a Ray Dataset: sorted by Ray, and read from files of this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyarrow import parquet

from statewise.distributed.ray_datasets import is_ray_dataset
from statewise.sequences import Columns, DataError
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.found_columns import as_columns

_ROWS = 1 << 18  # that are in memory at a time


def fit_dataset(
    forecaster: Forecaster,
    dataset: Any,
    folder: Any,
    *,
    columns: Columns | Mapping[str, Any] | None = None,
    **options: Any,
) -> Forecaster:
    """Fit a forecaster on a Ray Dataset, a long table that need not fit into memory.

    Ray sorts its rows by key and time. They come to this machine once, a part at a time, into a
    Parquet file, from which `Forecaster.fit` learns as from any: block by block where they are
    many.

    Args:
        forecaster: to be fitted.
        dataset: the known steps, in any order.
        folder: where the file is put; it must be new or empty. ``predict(output=)`` without
            ``new_data`` reads it again.
        columns: which columns hold what, as in `Forecaster.fit`; others don't come along.
        options: of `Forecaster.fit`.

    Returns:
        The forecaster itself.

    Raises:
        DataError: where the dataset hasn't the columns, or has no rows; as `Forecaster.fit`.
        FileExistsError: where something is in the folder.
        TypeError: where it is no Ray Dataset.

    >>> fit_dataset(Forecaster(horizon=3), [1.0, 2.0], "here")
    Traceback (most recent call last):
    ...
    TypeError: fit_dataset takes a Ray Dataset, not a list: Forecaster.fit takes what is in memory
    """
    if not is_ray_dataset(dataset):
        raise TypeError(
            f"fit_dataset takes a Ray Dataset, not a {type(dataset).__name__}: Forecaster.fit "
            "takes what is in memory"
        )
    named = as_columns(columns)
    needed = [named.key, named.time, named.target, *named.inputs]
    names = dataset.schema().names
    missing = [name for name in needed if name not in names]
    if missing:
        raise DataError(
            f"the dataset has no column {missing[0]!r}; it has {', '.join(names)}: name them by "
            "columns={'key': ..., 'time': ..., 'target': ...}"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} isn't empty: name a new folder for the dataset's rows")
    rows = dataset.select_columns(needed).sort([named.key, named.time])
    writer = None
    try:
        for table in rows.iter_batches(batch_size=_ROWS, batch_format="pyarrow"):
            if writer is None:
                writer = parquet.ParquetWriter(folder / "rows.parquet", table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise DataError("the dataset has no rows")
    return forecaster.fit(folder, columns=named, **options)
