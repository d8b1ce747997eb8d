"""What `Forecaster` takes, as one series or as a panel; and forecasts in the form that came in."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import narwhals as nw
import numpy as np
import pandas as pd

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
from statewise.sequences.panel_reading import as_frame
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.result_names import check_forecasts, check_once
from statewise.tasks.forecasting.serialization.typed import typed


@dataclass(frozen=True)
class Form:
    """In which form data came in, and forecasts go out.

    Attributes:
        layout: "series", "array", "long" or "wide"; a "wide array" is (time, series).
        backend: the library of a frame, as narwhals calls it; "" where it is none.
        keyed: whether a long frame has a column of keys.
        indexed: whether a wide pandas frame has its time as the index.
        time: the name of a wide frame's column of time.
    """

    layout: str
    backend: str = ""
    keyed: bool = True
    indexed: bool = False
    time: str = "ds"


_LAYOUTS = ("series", "array", "long", "wide", "wide array")
_BACKENDS = ("", "pandas", "polars", "pyarrow", "modin.pandas", "cudf")


def form_of(given: Mapping[str, Any]) -> Form:
    """Return the form that a file tells of.

    Raises:
        TypeError, ValueError: where it tells of none that there is.
    """
    time = given.get("time", Form.time)
    form = replace(typed(Form, {**given, "time": ""}), time=time)
    if (
        form.layout not in _LAYOUTS
        or form.backend not in _BACKENDS
        or isinstance(time, (list, dict))
    ):
        raise ValueError(f"it tells of the form {given!r:.80}")
    return form


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


def take_in(data: Any, columns: Columns | Mapping[str, Any] | None = None) -> Intake:
    """Read what a user hands over.

    Args:
        data: a `TimeSeries`, a pandas Series, a frame (long, where it has the columns of time and
            target, or of the key; else wide), or an array (time,) or (time, series).
        columns: of a long frame; None for `Columns` as it is.

    Raises:
        DataError: where the data can't be read: see `read_panel` and `read_series`.
        TypeError, ValueError: where ``columns`` makes no sense.
    """
    named, columns = columns is not None, as_columns(columns)
    if isinstance(data, (TimeSeries, pd.Series)):
        return _one_series(as_time_series(data), "series")
    if isinstance(data, Panel):
        check_forecasts(data.columns)
        return Intake(Form("long", "pandas"), data, data)
    frame = as_frame(data)
    if frame is None:
        array = _as_array(data)
        if array.ndim == 2:
            frame = pd.DataFrame(array, columns=range(array.shape[1]))
            panel = read_wide(frame)
            return Intake(Form("wide array"), panel, panel)
        return _one_series(as_time_series(array), "array")
    there = set(frame.columns)
    given = there | (set(data.index.names) if isinstance(data, pd.DataFrame) else set())
    backend = nw.get_native_namespace(frame).__name__
    keyed = columns.key in given
    long = keyed or {columns.time, columns.target} <= given
    if long or named:
        check_forecasts(columns, keyed)
        form = Form("long", backend, keyed=keyed)
        panel = read_panel(data, columns)
        return Intake(form, panel, panel)
    panel = read_wide(data)
    time = panel.time.name
    indexed = backend == "pandas" and time not in there
    if len(panel) == 1 and backend == "pandas":
        return _one_series(as_time_series(data), "series")
    return Intake(Form("wide", backend, indexed=indexed, time=str(time)), panel, panel)


def as_columns(given: Columns | Mapping[str, Any] | None) -> Columns:
    """Return the names of columns, given as `Columns`, as a mapping, or not at all.

    Raises:
        TypeError: where it is something else, or has a name that `Columns` hasn't.
    """
    if given is None:
        return Columns()
    if isinstance(given, Columns):
        return given
    if not isinstance(given, Mapping):
        raise TypeError(f"columns must be a Columns or a mapping, but is {type(given).__name__}")
    known = [field.name for field in fields(Columns)]
    wrong = [name for name in given if name not in (*known, "id")]  # which is key's old name
    if wrong:
        raise TypeError(f"columns has no part {wrong[0]!r}; it has {', '.join(known)}")
    return Columns(**given)


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


def give_back(form: Form, panel: Panel, forecast: Forecast) -> Any:
    """Return forecasts in the form in which the data came.

    Args:
        form: of the data.
        panel: the known steps.
        forecast: (series, horizon).
    """
    points, horizon = forecast.points, forecast.points.shape[1]
    bands: dict[str, np.ndarray] = {}
    for level, (low, high) in forecast.bands.items():
        bands |= {f"lo-{level:g}": low, f"hi-{level:g}": high}
    if form.layout == "array" and not bands:
        return points[0]
    if form.layout == "wide array" and not bands:
        return points.T.copy()
    stamps = panel.future_stamps(horizon)
    columns = {"model": points} | {f"model-{name}": ends for name, ends in bands.items()}
    if form.layout in ("series", "array"):
        index = stamps.rename(None)
        if bands:
            return pd.DataFrame({name: ends[0] for name, ends in columns.items()}, index=index)
        return pd.Series(points[0], index=index, name=panel.keys[0])
    if form.layout == "long":
        frame = {panel.columns.key: np.repeat(panel.keys, horizon)} if form.keyed else {}
        frame[panel.columns.time] = stamps
        frame |= {name: ends.ravel() for name, ends in columns.items()}
        return _as(form.backend, pd.DataFrame(frame))
    ends = [f"{key}-{name}" for key in panel.keys for name in bands]
    check_once([form.time, *panel.keys, *ends], "a wide table of forecasts")
    one = stamps[:horizon]  # a wide table's series end together
    frame = {}
    for i, key in enumerate(panel.keys):
        frame[key] = points[i]
        frame |= {f"{key}-{name}": ends[i] for name, ends in bands.items()}
    frame = pd.DataFrame(frame, index=one.rename(form.time))
    if form.indexed or form.layout == "wide array":
        return frame
    return _as(form.backend, frame.reset_index())


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


def _one_series(series: TimeSeries, layout: str) -> Intake:
    panel = known = panel_of(series)
    if series.known is not None:
        known = replace(panel, values=np.where(series.known[:, None], panel.values, np.nan))
    return Intake(Form(layout), panel, known)


def _as(backend: str, frame: pd.DataFrame) -> Any:
    """Turn a pandas frame into one of another library."""
    if backend in ("", "pandas"):
        return frame
    eager = nw.from_native(frame, eager_only=True)
    if backend == "polars":
        return eager.to_polars()
    if backend == "pyarrow":
        return eager.to_arrow()
    columns = {name: eager[name].to_list() for name in eager.columns}
    return nw.from_dict(columns, backend=cast(Any, backend)).to_native()  # it takes any name
