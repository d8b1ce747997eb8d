"""What `Forecaster` takes, read as one series or as a panel."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from statewise.sequences import (
    Columns,
    DataError,
    Panel,
    TimeSeries,
    read_panel,
    read_series,
    read_wide,
)
from statewise.sequences.arrays import without_mask
from statewise.sequences.index_time import time_of_index
from statewise.sequences.panel_reading import as_frame
from statewise.tasks.forecasting.forms import Form
from statewise.tasks.forecasting.forms import form_of as form_of
from statewise.tasks.forecasting.forms import give_back as give_back
from statewise.tasks.forecasting.found_columns import as_columns, found_columns
from statewise.tasks.forecasting.frame_types import words_of, words_of_index
from statewise.tasks.forecasting.indexed_panels import (
    as_long,
    has_key_levels,
    key_columns,
    key_in_columns,
)
from statewise.tasks.forecasting.result_names import check_forecasts
from statewise.tasks.forecasting.written_stamps import number_way, text_way

_SAMPLE = 40  # texts that tell how times are written


@dataclass(frozen=True)
class Intake:
    """Data as taken in.

    Attributes:
        form: in which it came.
        panel: the series as given.
        known: the same, in which what `read_series` filled in is missing again.
    """

    form: Form
    panel: Panel
    known: Panel


def take_in(
    data: Any, columns: Columns | Mapping[str, Any] | None = None, *, seek: bool = True
) -> Intake:
    """Read what a user hands over.

    Args:
        data: a `TimeSeries`, a pandas or polars Series, a frame (long, where it has the columns of
            time and target, or of the key, or where its index has keys and times; else wide), a
            mapping of keys to series, or an array (time,) or (time, series).
        columns: of a long frame; None for `Columns` as it is.
        seek: whether to find out what columns hold that nobody named.

    Raises:
        DataError: where the data can't be read: see `read_panel` and `read_series`.
        TypeError, ValueError: where ``columns`` makes no sense, or data come in groups.
    """
    named, columns = columns is not None, as_columns(columns)
    if has_key_levels(data, columns):
        return _with_levels(data, columns, named)
    if isinstance(data, Mapping):
        if columns.key in data or {columns.time, columns.target} <= set(data):
            data = pd.DataFrame(data)  # a frame by its columns
        else:
            return _by_key(data)
    if isinstance(data, (TimeSeries, pd.Series)):
        return _one_series(as_time_series(data), "series", getattr(data, "index", None))
    if isinstance(data, Panel):
        check_forecasts(data.columns)
        return Intake(Form("long", "pandas"), data, data)
    frame = as_frame(data)
    if frame is None:
        return _array(data)
    data, there = frame.to_native(), set(frame.columns)  # what was lazy is collected once
    given = there | (set(data.index.names) if isinstance(data, pd.DataFrame) else set())
    backend = nw.get_native_namespace(frame).__name__
    keyed = columns.key in given
    long = keyed or {columns.time, columns.target} <= given
    made_of = key_columns(there, columns.key)
    if made_of:
        return _with_key_columns(frame, columns, made_of)
    found = found_columns(frame) if seek and not (long or named) else None
    if found is not None:
        return take_in(*found, seek=False)  # once: what is found is read, or refused
    if long or named:
        check_forecasts(columns, keyed)
        panel = read_panel(data, columns)
        of_result = [columns.key, columns.time] if keyed else [columns.time]
        times = _times(frame, columns.time) if columns.time in there else data.index
        form = Form("long", backend, keyed=keyed, types=words_of(frame, of_result))
        return Intake(replace(form, written=_written(times, panel)), panel, panel)
    panel = read_wide(data)
    time = panel.time.name
    indexed = backend == "pandas" and time not in there
    if len(panel) == 1 and backend == "pandas":
        times = data.index if indexed else pd.Index(data[time])
        return _one_series(as_time_series(data), "series", times)
    form = Form("wide", backend, indexed=indexed, time=str(time))
    if indexed:
        form = replace(_of_index(form, data.index, panel), time=data.index.name)
    elif time in there:
        types = words_of(frame, [time])
        form = replace(form, types=types, written=_written(_times(frame, time), panel))
    return Intake(form, panel, panel)


def _with_levels(data: pd.Series | pd.DataFrame, columns: Columns, named: bool) -> Intake:
    """Read a table whose index has keys and times."""
    index = data.index
    frame, columns, time_at = as_long(data, columns, named)
    check_forecasts(columns)
    panel = read_panel(frame, columns)
    form = Form(
        "long",
        "pandas",
        types=tuple(words_of_index(level) for level in index.levels),
        levels=tuple(index.names),
        time_at=time_at,
        bare=isinstance(data, pd.Series),
        name=data.name if isinstance(data, pd.Series) else None,
        written=_written(index.get_level_values(time_at), panel),
    )
    return Intake(form, panel, panel)


def _with_key_columns(frame: nw.DataFrame, columns: Columns, made_of: list[str]) -> Intake:
    """Read a long table of which several columns make the key."""
    check_forecasts(columns)
    data = frame.to_pandas()
    panel = read_panel(key_in_columns(data, columns.key), columns)
    levels = (*made_of, columns.time)
    form = Form(
        "long",
        nw.get_native_namespace(frame).__name__,
        types=words_of(frame, levels),
        levels=levels,
        time_at=len(made_of),
        flat=True,
        written=_written(data[columns.time], panel),
    )
    return Intake(form, panel, panel)


def _by_key(data: Mapping[Any, Any]) -> Intake:
    """Read a mapping of keys to series."""
    if not data:
        raise DataError("the mapping is empty: give at least one series")
    columns, parts, keys = Columns(), [], np.empty(len(data), object)
    keys[:] = list(data)
    indexes = [one.index for one in data.values() if isinstance(one, pd.Series)]
    for i, one in enumerate(data.values()):
        if bool(indexes) != isinstance(one, pd.Series) or np.ndim(one) != 1:
            what = type(one).__name__ if np.ndim(one) == 1 else f"of the shape {np.shape(one)}"
            raise DataError(
                "a mapping holds pandas Series, or one-dimensional arrays and lists; the one of "
                f"{keys[i]!r} is {what}"
            )
        time, values = np.arange(len(one)), one
        if indexes:
            values, _ = time_of_index(one)
            time = values.index
        values = values.array if indexes else _as_array(values)
        parts.append(pd.DataFrame({columns.time: time, columns.target: values}).assign(key=i))
    frame = pd.concat(parts, ignore_index=True).rename(columns={"key": columns.key})
    frame[columns.key] = pd.Categorical.from_codes(
        frame[columns.key].to_numpy(), categories=pd.Index(keys, tupleize_cols=False)
    )
    panel = read_panel(frame, columns)
    form = Form("mapping", indexed=bool(indexes))
    return Intake(_of_index(form, indexes[0], panel) if indexes else form, panel, panel)


def _array(data: Any) -> Intake:
    if hasattr(data, "ngroups") or hasattr(data, "maintain_order"):  # of pandas, of polars
        raise TypeError(
            f"data came in groups ({type(data).__name__}): give the frame itself, and name the "
            "column of the keys by columns={'key': ...}"
        )
    array = _as_array(data)
    if array.ndim == 2:
        panel = read_wide(pd.DataFrame(array, columns=range(array.shape[1])))
        return Intake(Form("wide array"), panel, panel)
    if type(data).__module__.partition(".")[0] != "polars":
        return _one_series(as_time_series(array), "array")
    series = pd.Series(array, name=data.name or None)
    return _one_series(as_time_series(series), "array", backend="polars")


def _of_index(form: Form, index: pd.Index, panel: Panel) -> Form:
    """Return the form of what has its time as a pandas index."""
    freq = index.freq if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    return replace(
        form,
        types=(words_of_index(index),),
        freq="" if freq is None else freq.freqstr,
        written=_written(index, panel),
    )


def _times(frame: nw.DataFrame, name: Any) -> Any:
    """Return a column; of pandas by a name of any type, which narwhals doesn't take."""
    native = frame.to_native()
    return native[name] if isinstance(native, pd.DataFrame) else frame[name]


def _written(times: Any, panel: Panel) -> str:
    """Return in which way numbers, or text outside of pandas, were read as stamps; "" for none.

    Text of pandas becomes stamps, as pandas users know it; in polars and Arrow the two can't meet.
    """
    own = isinstance(times, nw.Series) and not times.implementation.is_pandas_like()
    dtype = times.dtype
    if own and dtype == nw.String:
        return text_way(times.head(_SAMPLE).to_list(), panel.time)
    whole = dtype.is_integer() if isinstance(times, nw.Series) else is_integer_dtype(dtype)
    if not whole or not isinstance(panel.time, pd.DatetimeIndex):
        return ""
    return number_way(times.min(), panel.time.min())


def as_time_series(series: Any) -> TimeSeries:
    """Return what ``fit`` and ``predict`` take as one series with a calendar.

    Raises:
        DataError: where it isn't one even series of finite numbers.
    """
    if not isinstance(series, TimeSeries):
        call = "read_series(series"
        if not isinstance(series, (pd.Series, pd.DataFrame)):
            series, call = pd.Series(_as_array(series)), "read_series(pd.Series(series)"
        try:
            series = read_series(series)
        except DataError as error:
            if 'missing="fill"' not in str(error):
                raise
            raise DataError(
                f'{error}: both are said to read_series, so give {call}, missing="fill") instead'
            ) from None
    if series.values.shape[1] != 1:
        raise DataError(
            f"a Forecaster takes one series of one feature; this one has {series.values.shape[1]}: "
            f"{', '.join(series.names)}"
        )
    return series


def panel_of(series: TimeSeries) -> Panel:
    """Return one series as a panel."""
    return Panel(
        keys=np.array([series.names[0]], object),
        offsets=np.array([0, len(series)]),
        values=series.values,
        time=series.time,
        calendars=(series.calendar,),
        calendar_of=np.zeros(1, int),
        columns=Columns(),
    )


def _as_array(data: Any) -> np.ndarray:
    try:
        array = np.asarray(without_mask(data, "the series"))
    except ValueError as error:  # lists of different lengths
        raise DataError(f"the series can't be read as one array of numbers: {error}") from None
    if array.ndim not in (1, 2):
        raise DataError(
            f"the series must have the shape (time,) or (time, series), but has {array.shape}"
        )
    return array


def _one_series(
    series: TimeSeries, layout: str, index: pd.Index | None = None, backend: str = ""
) -> Intake:
    panel = known = panel_of(series)
    form = Form(layout, backend)
    form = form if index is None else _of_index(form, index, panel)
    if series.known is not None:
        known = replace(panel, values=np.where(series.known[:, None], panel.values, np.nan))
    return Intake(form, panel, known)
