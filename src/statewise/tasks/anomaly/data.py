"""What a detector takes: series by key, (time, features), and scores given back in that form."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from statewise.sequences import DataError, Panel, TimeSeries
from statewise.sequences.arrays import as_series

ONE = "series"  # the key of a series that came without one


class Columns(NamedTuple):
    """Which columns of a table hold what; None where nothing was said.

    Attributes:
        key: which series each row is of.
        time: time stamps, or numbers.
        target: the features.
    """

    key: Hashable | None = None
    time: Hashable | None = None
    target: tuple[Hashable, ...] | None = None


NO_COLUMNS = Columns()


@dataclass(frozen=True, eq=False)
class Given:
    """One series as it came.

    Attributes:
        values: (time, features) float64; NaN where one is missing.
        names: of the features.
        index: of the rows; None where they are only numbered.
        time: a stamp, or a number, for each row; None where there is none.
    """

    values: np.ndarray
    names: tuple[Hashable, ...]
    index: pd.Index | None = None
    time: pd.Index | None = None


@dataclass(frozen=True, eq=False)
class Taken:
    """Data as taken in.

    Attributes:
        series: by key.
        form: "array", "series" (of pandas), "table" (a row for each time), "long", or "mapping".
        columns: of a long table.
    """

    series: dict[Hashable, Given]
    form: str
    columns: Columns = NO_COLUMNS


def take_in(data: Any, columns: Columns = NO_COLUMNS) -> Taken:
    """Read what a user hands over.

    Args:
        data: an array (time,) or (time, features), a Series, a `TimeSeries`, a `Panel`, a mapping
            of such by key; a frame of pandas, polars or Arrow: a row for each time and key, the
            features as columns.
        columns: of a frame; its time is else its index, or its one column of dates; its features
            are all columns of numbers.

    Raises:
        DataError: where there is no series, no step, an infinity, or a column isn't there.
        TypeError: where values are no numbers.
    """
    if isinstance(data, Taken):
        return data
    if isinstance(data, Panel):
        parts = [slice(a, b) for a, b in zip(data.offsets[:-1], data.offsets[1:], strict=True)]
        names = (data.columns.target, *data.columns.past)
        series = {
            key: Given(data.values[part], names, data.time[part], data.time[part])
            for key, part in zip(data.keys.tolist(), parts, strict=True)
        }
        return _checked(Taken(series, "mapping"))
    if isinstance(data, Mapping):
        series = {}
        for key, one in data.items():
            inner = take_in(one, Columns(None, columns.time, columns.target))
            series[key] = next(iter(inner.series.values()))
        return _checked(Taken(series, "mapping"))
    if isinstance(data, TimeSeries):
        values = data.values if data.known is None else data.values.copy()
        if data.known is not None:
            values[~data.known] = np.nan
        given = Given(values, tuple(data.names), data.time, data.time)
        return _checked(Taken({ONE: given}, "series" if values.shape[1] == 1 else "table"))
    if isinstance(data, pd.Series):
        name = ONE if data.name is None else data.name
        given = Given(_numbers(data, name), (name,), data.index, _as_time(data.index))
        return _checked(Taken({ONE: given}, "series"))
    frame = nw.from_native(data, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, nw.DataFrame):
        return _checked(_of_frame(frame, columns))
    values = as_series(data).astype(np.float64)
    return _checked(Taken({ONE: Given(values, _numbered(values.shape[1]))}, "array"))


def in_order_of(taken: Taken, names: tuple[Hashable, ...]) -> Taken:
    """Return data whose series have their features in the order of some names.

    What has no names of its own (an array), and a single feature, is what it stands for.

    Args:
        taken: the data; each series has so many features.
        names: of the features.

    Raises:
        DataError: where a series has features of other names.
    """
    series = {key: _in_order_of(one, names, key) for key, one in taken.series.items()}
    return replace(taken, series=series)


def _in_order_of(one: Given, names: tuple[Hashable, ...], key: Hashable) -> Given:
    anyones = (names, _numbered(len(names)))
    if len(names) == 1 or one.names in anyones or names == _numbered(len(names)):
        return one
    if set(one.names) != set(names):
        of = "" if key is ONE else f" of {key!r}"
        raise DataError(
            f"the series{of} has the features {', '.join(map(repr, one.names))}, but expected are "
            f"{', '.join(map(repr, names))}: rename them, or give arrays"
        )
    order = [one.names.index(name) for name in names]
    return replace(one, values=one.values[:, order], names=names)


def _numbered(features: int) -> tuple[str, ...]:
    return tuple(f"feature {i}" for i in range(features))


def _of_frame(frame: nw.DataFrame, columns: Columns) -> Taken:
    native = frame.to_native()
    table = native if isinstance(native, pd.DataFrame) else frame.to_pandas()
    named = [
        name for name in (columns.key, columns.time, *(columns.target or ())) if name is not None
    ]
    missing = [name for name in named if name not in table.columns]
    if missing:
        there = ", ".join(map(str, table.columns[:20]))
        raise DataError(f"the table has no column {missing[0]!r}; it has {there}")
    time = columns.time
    if time is None and _as_time(table.index) is None:
        dates = [name for name in table.columns if table[name].dtype.kind == "M"]
        time = dates[0] if len(dates) == 1 else None
    target = columns.target
    if target is None:
        rest = [name for name in table.columns if name not in (columns.key, time)]
        target = tuple(name for name in rest if table[name].dtype.kind in "iuf")
        if not target:
            raise DataError("the table has no column of numbers: name one by target=...")
    columns = Columns(columns.key, time, target)
    if columns.key is None:
        return Taken({ONE: _rows(table, columns)}, "table", columns)
    if table[columns.key].isna().any():
        raise DataError(f"the column {columns.key!r} has rows without a key")
    groups = table.groupby(columns.key, sort=False, observed=True)
    return Taken({key: _rows(part, columns) for key, part in groups}, "long", columns)


def _rows(table: pd.DataFrame, columns: Columns) -> Given:
    names = columns.target or ()
    values = np.column_stack([_numbers(table[name], name)[:, 0] for name in names])
    if columns.time is None:
        return Given(values, names, table.index, _as_time(table.index))
    time = pd.Index(table[columns.time], name=columns.time)
    if time.dtype.kind not in "Miuf":
        try:
            time = pd.DatetimeIndex(pd.to_datetime(time))
        except (ValueError, TypeError) as error:
            raise DataError(f"the column {columns.time!r} holds no times: {error}") from None
    return Given(values, names, table.index, time.rename(columns.time))


def _numbers(column: pd.Series, name: Hashable) -> np.ndarray:
    """Return a column as (time, 1) float64."""
    try:
        return column.to_numpy(np.float64, na_value=np.nan)[:, None]
    except (ValueError, TypeError):
        found = next((one for one in column if not isinstance(one, (int, float))), None)
        raise TypeError(
            f"{name!r} must hold numbers, but is of {column.dtype}, as {found!r:.40}: convert it "
            "first, for example by pandas.to_numeric"
        ) from None


def _as_time(index: pd.Index) -> pd.Index | None:
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    return index if isinstance(index, pd.DatetimeIndex) else None


def _checked(taken: Taken) -> Taken:
    if not taken.series:
        raise DataError("there is no series: give one at least")
    first, names = next((key, one.names) for key, one in taken.series.items())
    for key, one in taken.series.items():
        of = "" if key is ONE else f" of {key!r}"
        if len(one.values) == 0:
            raise DataError(f"the series{of} has no steps")
        if np.isinf(one.values).any():
            step = int(np.flatnonzero(np.isinf(one.values).any(1))[0])
            raise DataError(f"the series{of} has an infinity, first in step {step}")
        if one.time is not None and one.time.isna().any():
            raise DataError(f"the series{of} has a row without a time")
        if len(one.names) != len(names):
            raise DataError(
                f"all series need the same features, but {first!r} has {len(names)} and {key!r} "
                f"has {len(one.names)}"
            )
    return in_order_of(taken, names)


def give_back(taken: Taken, scores: Mapping[Hashable, np.ndarray], by_feature: bool) -> Any:
    """Return scores in the form in which the data came.

    Args:
        taken: the data.
        scores: of each row, (time, 1 + features), by key.
        by_feature: whether those of the features are wanted too.
    """
    made: dict[Hashable, Any] = {}
    for key, one in taken.series.items():
        names = ["score", *map(str, one.names)] if by_feature else ["score"]
        values = scores[key][:, : len(names)]
        if one.index is None:
            made[key] = values if by_feature else values[:, 0]
        elif by_feature or taken.form in ("table", "long"):
            made[key] = pd.DataFrame(values, one.index, names)
        else:
            made[key] = pd.Series(values[:, 0], one.index, name="score")
    if taken.form == "mapping":
        return made
    if taken.form != "long":
        return next(iter(made.values()))
    tables: list[pd.DataFrame] = list(made.values())
    for table, (key, one) in zip(tables, taken.series.items(), strict=True):
        table.insert(0, taken.columns.key, [key] * len(table))
        if taken.columns.time is not None:
            table.insert(1, taken.columns.time, one.time)
    return pd.concat(tables)
