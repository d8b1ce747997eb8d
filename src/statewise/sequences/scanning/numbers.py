"""A panel of files as a `Source` of series, read where and when they are asked for."""

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types as kinds

from statewise.sequences._packing import blocks_of
from statewise.sequences._sources import Source
from statewise.sequences.scanning.places import Places, find_places
from statewise.sequences.scanning.roles import Roles
from statewise.sequences.scanning.scan import PanelScan, scan_panel
from statewise.sequences.scanning.strips import Strips
from statewise.sequences.tables import DataError, listed

MEMORY = 1 << 28  # bytes of strips that stay in memory
BLOCK_BYTES = 1 << 24  # of series that lie near each other, and are read together


def stored_source(series: Any, key: Any, columns: Any, word: str) -> Source:
    """Return a panel in files as a ``Source``.

    Args:
        series: a `PanelScan`, or the way to one.
        key, columns: as of ``scan_panel``; None for a scan, which says it itself.
        word: what to call it in messages.

    Raises:
        DataError: where the files aren't Parquet, hold no numbers, or don't lie in order.
        TypeError: where ``key`` or ``columns`` come with a scan.
    """
    if isinstance(series, PanelScan):
        if key is not None or columns is not None:
            raise TypeError("key= and columns= are said to scan_panel, where there is one")
        scan = series
    else:
        scan = scan_panel(series, key=key, columns=columns)
        if columns is None:
            scan = scan.of_numbers()
    files, roles = scan.stored()
    _check_numbers(roles, word)
    places, skipped = find_places(files, roles, scan.skips, scan.name)
    scan.skipped += [one for one in skipped if one not in scan.skipped]
    dtype = _dtype(roles, places.gaps)
    strips = Strips(files, roles, dtype, MEMORY)

    def take(position: int, start: int, stop: int) -> np.ndarray:
        return _read(places, strips, position, start, np.empty((stop - start, width), dtype))

    width = len(roles.columns)
    return Source(
        word=word,
        keys=places.keys,
        named=True,
        lengths=places.lengths,
        features=width,
        dtype=dtype,
        in_memory=False,
        names=roles.columns,
        take=take,
        blocks=blocks_of(places.lengths, width * dtype.itemsize, BLOCK_BYTES),
        longer=True,
    )


def _read(places: Places, strips: Strips, position: int, start: int, values: np.ndarray):
    """Read steps of a series, from ``start`` on, into ``values``, piece by piece."""
    first, end = places.offsets[position], places.offsets[position + 1]
    begins = places.begin[first:end]
    piece = first + int(np.searchsorted(begins, start, "right")) - 1
    done, steps = 0, len(values)
    while done < steps:
        at = start + done
        last = places.begin[piece + 1] if piece + 1 < end else places.lengths[position]
        count = min(steps - done, int(last) - at)
        row = int(places.row[piece]) + at - int(places.begin[piece])
        strips.read(
            int(places.file[piece]), int(places.group[piece]), row, values[done : done + count]
        )
        done += count
        piece += 1
    return values


def _check_numbers(roles: Roles, word: str) -> None:
    if not roles.columns:
        raise DataError(f"{word} has no columns of numbers besides {roles.key!r}, {roles.time!r}")
    odd = [field for field in list(roles.schema)[2:] if not _is_number(field.type)]
    if odd:
        names = listed(field.name for field in odd)
        raise TypeError(
            f"{word} must hold real numbers, but these columns hold {odd[0].type}: {names}; say by "
            "columns= which columns are the features"
        )


def _is_number(kind: pa.DataType) -> bool:
    return kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind)


def _dtype(roles: Roles, gaps: bool) -> np.dtype:
    found = [field.type.to_pandas_dtype() for field in list(roles.schema)[2:]]
    dtype = np.result_type(*found)
    if gaps and dtype.kind != "f":
        return np.dtype(np.float64)  # what is missing needs NaN
    return np.dtype(dtype)
