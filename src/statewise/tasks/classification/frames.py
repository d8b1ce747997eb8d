"""Sequences out of frames: long ones with a key, sktime's nested ones, and its multi-index.

* long: a row for each step, a column that tells the sequences apart, perhaps one of times;
* nested: a row for each sequence, a column for each channel, each cell a whole Series or array;
* multi-index: a row for each step, the index has the sequence and the time, the columns are the
  channels.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from statewise.sequences import DataError
from statewise.sequences.arrays import NUMBER_KINDS
from statewise.sequences.tables import listed
from statewise.tasks.classification.sequences import Sequences, joined


@dataclass(frozen=True)
class Roles:
    """Which columns of a long frame hold what; None where that was not said.

    Attributes:
        key: tells the sequences apart.
        time: in whose order the steps come; None for the order of the rows.
        label: what is to be told; no feature.
        features: what is known at a step; None for all other columns.
    """

    key: Hashable | None = None
    time: Hashable | None = None
    label: Hashable | None = None
    features: tuple[Hashable, ...] | None = None

    @property
    def named(self) -> list[str]:
        """The roles that columns were named for."""
        return [part.name for part in fields(self) if getattr(self, part.name) is not None]


def roles_of(columns: Any) -> Roles:
    """Return what ``columns`` says: which column holds what.

    Raises:
        TypeError: where it's no mapping of columns.
        ValueError: where it names something else.

    >>> roles_of({"key": "id", "features": ["x", "y"]})
    Roles(key='id', time=None, label=None, features=('x', 'y'))
    """
    if columns is None:
        return Roles()
    if isinstance(columns, Roles):
        return columns
    known = [part.name for part in fields(Roles)]
    if not isinstance(columns, Mapping):
        raise TypeError(
            f"columns must say which column is which, as {{'key': 'id'}}, but is {columns!r:.80}"
        )
    wrong = [name for name in columns if name not in known]
    if wrong:
        raise ValueError(f"columns names {wrong[0]!r}; it can say {', '.join(known)}")
    given = dict(columns)
    features = given.get("features")
    if isinstance(features, str):
        raise TypeError(
            f"features must be a sequence of names, but is the text {features!r}: write "
            f"[{features!r}]"
        )
    if features is not None:
        given["features"] = tuple(features)
    return Roles(**given)


def is_frame(X: Any) -> bool:
    """Whether something is a frame of pandas, polars or Arrow."""
    if isinstance(X, (np.ndarray, list, tuple, dict)):
        return False
    return isinstance(nw.from_native(X, pass_through=True, eager_only=True), nw.DataFrame)


def as_pandas(X: Any) -> pd.DataFrame:
    """Return a frame of any of these libraries as one of pandas."""
    return X if isinstance(X, pd.DataFrame) else nw.from_native(X, eager_only=True).to_pandas()


def from_frame(X: Any, roles: Roles) -> Sequences:
    """Read a frame.

    Raises:
        DataError: where it can't be read as one of the three.
    """
    frame = as_pandas(X)
    if roles.key is None and _is_nested(frame):
        return _from_nested(frame)
    if roles.key is None and isinstance(frame.index, pd.MultiIndex):
        return _from_index(frame, roles)
    if roles.key is None:
        raise DataError(
            f"X is a frame with the columns {listed(frame.columns)}: say which one tells sequences "
            'apart, and which holds the time, as columns={"key": "id", "time": "t"}. Where each '
            "row is a sequence of one feature, give X.to_numpy()"
        )
    _check_there(frame, (roles.key, roles.time))
    times = None if roles.time is None else frame[roles.time]
    return _grouped(frame, frame[roles.key], times, roles)


def labels_in(X: Any, sequences: Sequences, label: Hashable) -> np.ndarray:
    """Return the label of each step out of a column of a long frame, in the sequences' order.

    Raises:
        DataError: where there is no such column.
    """
    frame = as_pandas(X)
    if sequences.rows is None:
        raise DataError("a label's column is one of a long frame, but X is a nested one: give y")
    if label not in frame.columns:
        raise DataError(f"X has no column {label!r}; it has: {listed(frame.columns)}")
    return np.asarray(frame[label])[sequences.rows]


def _grouped(frame: pd.DataFrame, keys: Any, times: Any, roles: Roles) -> Sequences:
    """Read steps one below the other, whose sequence and time are told by these columns."""
    _check_there(frame, (roles.label, *(roles.features or ())))
    taken = (roles.key, roles.time, roles.label)
    names = roles.features or tuple(name for name in frame.columns if name not in taken)
    columns = [_numbers(frame[name], name) for name in names]
    codes, unique = pd.factorize(keys)
    if (codes < 0).any():
        raise DataError(f"{int((codes < 0).sum())} rows of X have no key: leave them out")
    order = np.argsort(codes, kind="stable")
    if times is not None:
        order = _by_time(pd.Series(np.asarray(times), name=roles.time), codes, unique)
    values = np.column_stack(columns) if columns else np.empty((len(frame), 0))
    counts = np.bincount(codes, minlength=len(unique))
    keys_of = np.empty(len(unique), object)
    keys_of[:] = list(unique)
    return Sequences(
        values[order],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        names=tuple(names),
        keys=keys_of,
        rows=order,
        index=frame.index,
    )


def _check_there(frame: pd.DataFrame, names: tuple[Hashable | None, ...]) -> None:
    for name in names:
        if name is not None and name not in frame.columns:
            raise DataError(f"X has no column {name!r}; it has: {listed(frame.columns)}")


def _by_time(times: pd.Series, codes: np.ndarray, unique: Any) -> np.ndarray:
    """Return the order of the rows: sequence by sequence, in each by time."""
    if times.dtype == object or times.dtype.kind not in "iufMm":
        raise DataError(
            f"the times are of {times.dtype}: they must be numbers or dates; convert them first, "
            "by pandas.to_datetime for example"
        )
    if times.isna().any():
        raise DataError(f"{int(times.isna().sum())} rows of X have no time: leave them out")
    ranks = times.rank(method="dense").to_numpy()
    order = np.lexsort((ranks, codes))
    again = (np.diff(codes[order]) == 0) & (np.diff(ranks[order]) == 0)
    if again.any():
        row = order[np.flatnonzero(again)[0]]
        raise DataError(
            f"sequence {unique[codes[row]]!r} has several rows at the time {times.iloc[row]}: a "
            "step has one row"
        )
    return order


def _from_index(frame: pd.DataFrame, roles: Roles) -> Sequences:
    if frame.index.nlevels != 2:
        raise DataError(
            f"X has an index of {frame.index.nlevels} levels, but two were expected: the sequence "
            "and the time"
        )
    keys, times = (frame.index.get_level_values(i) for i in (0, 1))
    return _grouped(frame, keys, times, roles)


def _is_nested(frame: pd.DataFrame) -> bool:
    return bool(len(frame) and len(frame.columns)) and all(
        isinstance(frame[name].iloc[0], (pd.Series, np.ndarray, list, tuple))
        for name in frame.columns
    )


def _from_nested(frame: pd.DataFrame) -> Sequences:
    parts = []
    for i, (_, row) in enumerate(frame.iterrows()):
        cells = [np.asarray(cell) for cell in row]
        for name, cell in zip(frame.columns, cells, strict=True):
            if cell.ndim != 1 or cell.dtype.kind not in NUMBER_KINDS:
                raise DataError(
                    f"sequence {i} has in the column {name!r} no series of numbers, but "
                    f"{type(row[name]).__name__} of {cell.dtype}"
                )
            if len(cell) != len(cells[0]):
                raise DataError(
                    f"sequence {i} has {len(cells[0])} time steps in {frame.columns[0]!r}, but "
                    f"{len(cell)} in {name!r}: all its channels must have the same"
                )
        parts.append(np.column_stack(cells))
    return joined(parts, names=tuple(frame.columns))


def _numbers(column: pd.Series, name: Hashable) -> np.ndarray:
    if column.dtype == object or column.dtype.kind not in NUMBER_KINDS:
        raise DataError(
            f"the column {name!r} holds no numbers, but {column.dtype}: say which columns are the "
            'features, as columns={"key": "id", "features": ["x", "y"]}'
        )
    if isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    return column.to_numpy(np.float64, na_value=np.nan)
