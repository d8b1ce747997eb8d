"""The index of a pandas object as its time: dates, periods, numbers that go on, text of dates."""

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.reading import times
from statewise.sequences.tables import DataError, free_name

_TIME = "ds"
_LEAST = 3  # numbers that can be uneven
_SAMPLE = 100
_WAY = (
    "The index is taken for the time: bring it in order, or, where it only labels the rows, leave "
    "it out by reset_index(drop=True)"
)


def time_of_index(data: Any, time: Any = None) -> tuple[Any, Any]:
    """Return a pandas object with a name for its index, where that is its time, and the name.

    An index 0, 1, 2... only numbers the rows, and where a column holds dates, the index is no time.

    Args:
        data: a Series or a frame; anything else is returned as it is.
        time: a column that is the time; then nothing is looked for.

    Returns:
        The object, and None where its index is no time, or shows by itself that it is one: dates
        and periods do. Time differences become microseconds.

    Raises:
        DataError: where the numbers of an index go back or are uneven; where the index of a Series
            is of a type that is no time, such as names.

    Example:
        >>> data, name = time_of_index(pd.Series([1.0, 2.0, 4.0], index=[20, 21, 22]))
        >>> name, data.index.tolist()
        ('ds', [20, 21, 22])
        >>> time_of_index(pd.Series([1.0, 2.0, 4.0]))[1] is None
        True
    """
    if time is not None or not isinstance(data, (pd.Series, pd.DataFrame)) or len(data) == 0:
        return data, time
    index = data.index
    plain = isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)
    if plain or isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex, pd.MultiIndex)):
        return data, None
    if types.is_datetime64_any_dtype(index.dtype):  # Arrow's
        return data, None
    columns = [data.name] if isinstance(data, pd.Series) else list(data.columns)
    if isinstance(data, pd.DataFrame) and _has_dates(data):
        return data, None
    name = index.name if index.name is not None else _TIME
    name = free_name(str(name), columns) if name in columns else name
    numeric = types.is_numeric_dtype(index.dtype) and not types.is_bool_dtype(index.dtype)
    if isinstance(index, pd.TimedeltaIndex):
        data = data.set_axis(index.as_unit("us").asi8, axis=0)
    elif numeric and not types.is_complex_dtype(index.dtype):
        _check_numbers(index)
    elif not holds_times(index):
        if isinstance(data, pd.DataFrame) and index.name is None:
            return data, None
        raise DataError(
            f"the index of the series is no time: {_shown(index[0])}, {_shown(index[-1])}. Give it "
            "an index of time stamps or rising numbers, or number the rows by "
            "reset_index(drop=True)"
        )
    return data.rename_axis(name), name


def holds_times(index: pd.Index) -> bool:
    """Whether text, or objects, are times.

    >>> holds_times(pd.Index(["2024-01-01", "2024-01-02"])), holds_times(pd.Index(["north", "1"]))
    (True, False)
    """
    if types.is_bool_dtype(index.dtype) or isinstance(index, pd.IntervalIndex):
        return False
    return times.holds_times(pd.Series(index[:_SAMPLE].astype(object)))


def _has_dates(frame: pd.DataFrame) -> bool:
    return any(
        times.holds_times(frame.iloc[:, at])
        for at, dtype in enumerate(frame.dtypes)
        if not types.is_numeric_dtype(dtype)
    )


def _check_numbers(index: pd.Index) -> None:
    """Refuse numbers that are no time, with the way on."""
    if index.hasnans:
        raise DataError(f"the index has {int(index.isna().sum())} missing numbers. {_WAY}")
    back = np.flatnonzero(~(index[1:] > index[:-1]))
    if len(back):
        one, other = index[back[0]], index[back[0] + 1]
        raise DataError(f"the index doesn't rise: {one} is followed by {other}. {_WAY}")
    stamps = times.times_of(pd.Series(index)).stamps  # 20240131 is a day
    if len(index) >= _LEAST and find_calendar(stamps) is None:
        odd = int(np.diff(index.to_numpy()).argmax())
        raise DataError(
            f"the index is uneven: {index[0]}, {index[1]}, ..., {index[odd]}, {index[odd + 1]}. "
            f"{_WAY}"
        )


def _shown(label: Any) -> str:
    plain = label.item() if isinstance(label, np.generic) else label
    return f"{plain!r:.40}"
