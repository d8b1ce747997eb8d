"""Series of any kind as a `Source`: held in memory, cut out of a file, browsed, or asked for."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from statewise.sequences._groups import column_values, group_values
from statewise.sequences._packing import blocks_of
from statewise.sequences._sources import Source
from statewise.sequences.arrays import (
    NUMBER_KINDS,
    as_series,
    check_count,
    describe_kind,
    without_mask,
)
from statewise.sequences.chunked import ChunkedArray, Unpacked, is_chunked, is_group
from statewise.sequences.memory_maps import LetGo

_BLOCK_BYTES = 1 << 24  # of series that lie beside each other in chunks


def open_source(
    series: Any, *, key: Any = None, columns: Any = None, word: str = "series"
) -> Source:
    """Return series of any kind as a ``Source``; ``lanes`` says which kinds there are.

    Raises:
        TypeError: where values are no real numbers, or ``key`` or ``columns`` have no meaning.
        ValueError: where there is no series, one is empty, their features differ, or a table has
            no such column.
    """
    if isinstance(columns, str):
        columns = [columns]
    if is_stored(series):
        # Arrow's readers of files, which take longer to import than all of this folder.
        from statewise.sequences.scanning.numbers import stored_source

        return stored_source(series, key, columns, word)
    if key is not None:
        if not isinstance(series, pd.DataFrame):
            raise TypeError(
                "key= names a column of one table, but "
                f"{word} is of the type {type(series).__name__}"
            )
        groups, names = group_values(series, key, columns, word)
        return _hold(word, groups, True, None, names)
    if isinstance(series, dict):
        return _hold(word, series, True, columns)
    if isinstance(series, np.ndarray) and series.dtype == object and series.ndim == 1:
        series = list(series)  # how NumPy keeps arrays of different lengths
    if isinstance(series, (list, tuple)):
        many = len(series) == 0 or _axes(series[0]) > 0
        return _hold(word, dict(enumerate(series if many else [series])), False, columns)
    if hasattr(series, "shape") and len(series.shape) != 3:
        return _hold(word, {0: series}, False, columns)
    if is_group(series):
        return _hold(word, dict(sorted(series.arrays())), True, columns)
    _refuse(columns, word)
    if hasattr(series, "shape"):
        if _is_lazy(series):
            return _cut(word, series)
        rows = series if isinstance(series, np.ndarray) else np.asarray(series)
        return _hold(word, dict(enumerate(rows)), False, None)
    if hasattr(series, "lengths") and hasattr(series, "read"):
        return _ask(word, series)
    if hasattr(series, "__len__") and hasattr(series, "__getitem__"):
        return _browse(word, series)
    raise TypeError(
        f"{word} is of the type {type(series).__name__}, but must be a list or mapping of arrays, "
        "an array (series, time, features), a table with key=, or have lengths and "
        "read(key, start, stop)"
    )


def is_stored(series: Any) -> bool:
    """Whether something is a panel in files, or the way to one."""
    ours = type(series).__module__.startswith(("pyarrow._dataset", "statewise.sequences.scanning"))
    return isinstance(series, (str, Path)) or ours


def _hold(word: str, items: dict, named: bool, columns: Any, names: tuple[str, ...] = ()) -> Source:
    """Hold on to the series: arrays, or what is sliced like one."""
    arrays = {}
    for key, item in items.items():
        if isinstance(item, pd.DataFrame):
            item, found = column_values(item, columns, f"{word} {key!r}")
            names = names or found
            if found != names:
                raise ValueError(
                    f"all tables must have the same columns in the same order, but {word} {key!r} "
                    f"has {list(found)} where the first has {list(names)}; choose by columns="
                )
        else:
            _refuse(columns, f"{word} {key!r}")
        arrays[key] = _sliceable(item, f"{word} {key!r}")
    chunked = [is_chunked(array) for array in arrays.values()]
    unpacked, let_go = Unpacked(), LetGo()
    listed = [
        ChunkedArray(array, unpacked) if is_chunked(array) else array for array in arrays.values()
    ]

    def take(position: int, start: int, stop: int) -> Any:
        return let_go(listed[position][start:stop])

    source = _described(word, arrays, named, take)
    maps = any(isinstance(array, np.memmap) for array in listed)
    on_demand = maps or any(_is_lazy(array) for array in listed)
    source = replace(source, in_memory=not on_demand, names=names, longer=maps)
    return _near(source) if chunked and all(chunked) else source


def _near(source: Source) -> Source:
    """Let series that are stored beside each other be read one after the other."""
    step = source.features * source.dtype.itemsize
    blocks = blocks_of(source.lengths, step, _BLOCK_BYTES)
    return replace(source, blocks=blocks, longer=True)


def _cut(word: str, array: Any) -> Source:
    """Cut the series out of something with the axes (series, time, features), when asked for."""
    shape = _Like(tuple(array.shape[1:]), array.dtype)
    chunked = is_chunked(array)
    cut = ChunkedArray(array, Unpacked()) if chunked else array

    def take(position: int, start: int, stop: int) -> Any:
        return cut[position, start:stop]

    source = _described(word, dict.fromkeys(range(array.shape[0]), shape), False, take)
    return _near(source) if chunked else source


def _browse(word: str, container: Any) -> Source:
    """Open one series of a container at a time, when asked for."""
    named = hasattr(container, "keys")
    keys = list(container.keys() if named else range(len(container)))

    def open_one(key: Hashable) -> Any:
        return _sliceable(container[key], f"{word} {key!r}")

    def take(position: int, start: int, stop: int) -> Any:
        return open_one(keys[position])[start:stop]

    opened = ((key, open_one(key)) for key in keys)
    likes = {key: _Like(tuple(array.shape), array.dtype) for key, array in opened}
    return _described(word, likes, named, take)


def _ask(word: str, source: Any) -> Source:
    """Ask an object with ``lengths`` and ``read(key, start, stop)`` for each slice."""
    named = isinstance(source.lengths, Mapping)
    lengths = dict(source.lengths if named else enumerate(source.lengths))
    for key, length in lengths.items():
        lengths[key] = check_count(length, f"the length of {word} {key!r}", 0)
    keys = list(lengths)

    def take(position: int, start: int, stop: int) -> Any:
        return source.read(keys[position], start, stop)

    # One step tells the features and the dtype of all; `Source.read` holds the others to it.
    first = next((key for key in keys if lengths[key]), None)
    step = (
        np.empty((0, 1))
        if first is None
        else np.asarray(without_mask(source.read(first, 0, 1), word))
    )
    likes = {key: _Like((length, *step.shape[1:]), step.dtype) for key, length in lengths.items()}
    return _described(word, likes, named, take)


class _Like(NamedTuple):
    """What is known of a series before it's read."""

    shape: tuple[int, ...]
    dtype: np.dtype


def _described(word: str, likes: dict[Hashable, Any], named: bool, take: Callable) -> Source:
    """Return a source read on demand, once all its series are known to go together."""
    if not likes:
        raise ValueError(f"{word} is empty: give at least one series")
    features = {}
    for key, like in likes.items():
        if like.dtype.kind not in NUMBER_KINDS:
            raise TypeError(
                f"{word} {key!r} must hold real numbers, but {describe_kind(like.dtype)}"
            )
        if len(like.shape) not in (1, 2):
            raise ValueError(
                f"{word} {key!r} must have the shape (time,) or (time, features), but has the "
                f"shape {tuple(like.shape)}"
            )
        if like.shape[0] == 0:
            raise ValueError(f"{word} {key!r} is empty: it has no time steps; leave it out")
        features[key] = like.shape[1] if len(like.shape) == 2 else 1
    first, expected = next(iter(features.items()))
    for key, count in features.items():
        if count != expected or count == 0:
            raise ValueError(
                f"{word} {key!r} has {count} features, but "
                + ("needs at least 1" if count == 0 else f"{word} {first!r} has {expected}")
            )
    lengths = np.array([like.shape[0] for like in likes.values()], np.int64)
    lengths.flags.writeable = False
    return Source(
        word=word,
        keys=list(likes),
        named=named,
        lengths=lengths,
        features=expected,
        dtype=np.result_type(*{like.dtype for like in likes.values()}),
        in_memory=False,
        names=(),
        take=take,
    )


def _sliceable(item: Any, word: str) -> Any:
    """Return what is sliced by time and then an array: (time,) or (time, features)."""
    return item if _is_lazy(item) or isinstance(item, np.memmap) else as_series(item, word)


def _is_lazy(item: Any) -> bool:
    """Tell what has the shape of an array but isn't one in memory, such as a data set of HDF5."""
    described = hasattr(item, "shape") and hasattr(item, "dtype")
    return described and not any(
        hasattr(item, name) for name in ("__array_interface__", "__dlpack__", "to_numpy")
    )


def _axes(item: Any) -> int:
    """Count the axes without reading what is lazy."""
    if hasattr(item, "shape"):
        return len(item.shape)
    try:
        return np.ndim(item)
    except ValueError:  # nested lists of different lengths: no series, which is told later
        return 2


def _refuse(columns: Any, word: str) -> None:
    if columns is not None:
        raise TypeError(f"columns= chooses columns of tables, but {word} is not a table")
