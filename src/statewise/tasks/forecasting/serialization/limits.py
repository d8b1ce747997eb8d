"""What a file of a forecaster may claim, given what it holds: checked before anything is made.

A few letters can claim 800 million rows, or a layer of 50,000 units. Tables may be so many times
as large as the file, weights must be there for the units that are named.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_BYTES = 1 << 30  # that a file of any size may claim
_RATIO = 1000  # and beyond that so many times its own
_JSON = 1 << 26
MOST_ROWS = 1 << 40
MOST_STEPS = 1_000_000  # of lookback, horizon and season


def check_parts(sizes: Mapping[str, int], held: int) -> None:
    """Refuse parts of a zip that would be far larger than the file.

    Args:
        sizes: bytes that each part claims.
        held: bytes of the file.

    Raises:
        ValueError: for the first that is too large.
    """
    for name, size in sizes.items():
        _check_bytes(size, held, name)
        if name.endswith(".json") and size > _JSON:
            raise ValueError(f"{name} claims {size:,} bytes, but at most {_JSON:,} are read")


def check_channels(channels: Any, held: bytes) -> int:
    """Return the number of channels; each is a column, which takes some bytes at least."""
    check_count(channels, "channels", len(held))
    return channels


def read_table(
    data: bytes, names: Sequence[str], held: int, rows: int | None = None
) -> pd.DataFrame:
    """Return columns of a Parquet table, once its size is known to be no lie.

    Args:
        data: the table.
        names: of the columns.
        held: bytes of the file.
        rows: that it must have; None where that isn't known.

    Raises:
        KeyError: where it hasn't such a column.
        ValueError: where it claims far more than the file can hold, or has other rows; what
            pyarrow raises.
    """
    file = pq.ParquetFile(io.BytesIO(data))
    known = set(file.schema_arrow.names)
    for name in names:
        if name not in known:
            raise KeyError(name)
    found = file.metadata.num_rows
    _check_bytes(8 * found * len(names), held, "a table")
    if rows is not None and found != rows:
        raise ValueError(f"its series have {rows} steps, its table {found} rows")
    texts = [name for name in names if _is_text(file.schema_arrow.field(name).type)]
    # Each text once and places in that list: rows that repeat a long text take no room.
    file = pq.ParquetFile(io.BytesIO(data), read_dictionary=texts)
    table = file.read(columns=list(dict.fromkeys(names)))
    frame = table.to_pandas(ignore_metadata=True)
    for name in texts:
        frame[name] = frame[name].astype(object)
    return frame


def check_numbers(plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays that hold no numbers, and arguments that claim too many steps.

    Args:
        plain: what the file says.
        arrays: that it holds.

    Raises:
        KeyError, TypeError, ValueError: for the first of them.
    """
    for array in arrays.values():
        if array.dtype.kind not in "iuf":
            raise TypeError(f"an array is of {array.dtype}")
    more = (*plain.get("also", ()), *plain.get("counted", ()))  # files of before have one season
    for season in (plain["season"], *more):
        check_count(season, "season", MOST_STEPS)
    for name in ("horizon", "lookback", "season"):
        value = plain["params"].get(name)
        if isinstance(value, int) and value > MOST_STEPS:
            raise ValueError(f"it has {name}={value}, but at most {MOST_STEPS:,} are read")


def numbers_in(arrays: Mapping[str, np.ndarray]) -> int:
    """Return how many numbers a file's arrays hold."""
    return sum(array.size for array in arrays.values())


def check_count(value: Any, name: str, most: int, least: int = 1) -> None:
    """Refuse what is no whole number, or one out of bounds.

    Raises:
        ValueError: it says what would fit.
    """
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"it has {name}={value!r:.40}, but a number from {least} to {most:,} fits")


def check_shape(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> None:
    """Refuse an array of another shape.

    Raises:
        KeyError, ValueError: where it isn't there, or has one.
    """
    if arrays[name].shape != shape:
        raise ValueError(f"{name} has the shape {arrays[name].shape}, but {shape} was expected")


def check_weights(needed: int, held: int) -> None:
    """Refuse a network with more weights than the file holds numbers.

    Raises:
        ValueError: where there are more.
    """
    if needed > held:
        raise ValueError(f"its network needs {needed:,} weights, but it holds {held:,} numbers")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _check_bytes(size: int, held: int, what: str) -> None:
    most = max(_BYTES, _RATIO * held)
    if size > most:
        raise ValueError(f"{what} claims {size:,} bytes, but the file has {held:,}")
