"""In which form data came in, and forecasts given back in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import narwhals as nw
import numpy as np
import pandas as pd

from statewise.sequences import Panel
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.frame_types import as_columns, as_index
from statewise.tasks.forecasting.result_names import check_once
from statewise.tasks.forecasting.serialization.typed import typed
from statewise.tasks.forecasting.written_stamps import WAYS, written


@dataclass(frozen=True)
class Form:
    """In which form data came in, and forecasts go out.

    Attributes:
        layout: "series", "array", "long", "wide" or "mapping" (a series by key); a "wide array" is
            (time, series).
        backend: the library of a frame, as narwhals calls it; "" where it is none.
        keyed: whether a long frame has a column of keys.
        indexed: whether a wide pandas frame, or the series of a mapping, have their time as the
            index.
        time: the name of a wide frame's column of time.
        types: of the columns of key (where there is one) and time, in words; of all levels.
        levels: the names of the levels of a long table's index, where its keys and times stand
            there; empty where they are columns.
        time_at: which level is the time.
        flat: whether these levels are columns after all, several of them making the key.
        bare: whether a table with such an index was a Series.
        name: of that Series.
        freq: of an index of time stamps that tells its own.
        written: in which way times came as whole numbers or text, such as "yyyymmdd"; "" for
            stamps.
    """

    layout: str
    backend: str = ""
    keyed: bool = True
    indexed: bool = False
    time: Any = "ds"
    types: tuple[str, ...] = ()
    levels: tuple[Any, ...] = ()
    time_at: int = -1
    flat: bool = False
    bare: bool = False
    name: Any = None
    freq: str = ""
    written: str = ""


_LAYOUTS = ("series", "array", "long", "wide", "wide array", "mapping")
_BACKENDS = ("", "pandas", "polars", "pyarrow", "modin.pandas", "cudf")


def form_of(given: Mapping[str, Any]) -> Form:
    """Return the form that a file tells of.

    Raises:
        TypeError, ValueError: where it tells of none that there is.
    """
    form = typed(Form, given)
    names = _as_tuples((form.time, form.name, *form.levels))  # JSON has none
    form = replace(form, time=names[0], name=names[1], levels=names[2:])
    if (
        form.layout not in _LAYOUTS
        or form.backend not in _BACKENDS
        or form.written not in WAYS
        or any(isinstance(name, dict) for name in names)
        or not (0 <= form.time_at < len(form.levels) or form.levels == ())
    ):
        raise ValueError(f"it tells of the form {given!r:.80}")
    return form


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, (list, tuple)) else value


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
    if form.layout == "wide array" and not bands:
        return points.T.copy()
    columns = {"model": points} | {f"model-{name}": ends for name, ends in bands.items()}
    if form.layout in ("series", "array", "mapping"):
        return _one_by_one(form, panel, columns)
    stamps = written(panel.future_stamps(horizon), form.written)
    if form.levels and form.flat:
        return _with_key_columns(form, panel, stamps, columns)
    if form.levels:
        return _with_levels(form, panel, stamps, columns)
    if form.layout == "long":
        frame = {panel.columns.key: np.repeat(panel.keys, horizon)} if form.keyed else {}
        frame[panel.columns.time] = stamps
        names = list(frame)
        frame |= {name: ends.ravel() for name, ends in columns.items()}
        return _as(form, pd.DataFrame(frame), names)
    ends = [f"{key}-{name}" for key in panel.keys for name in bands]
    check_once([form.time, *panel.keys, *ends], "a wide table of forecasts")
    one = stamps[:horizon]  # a wide table's series end together
    frame = {}
    for i, key in enumerate(panel.keys):
        frame[key] = points[i]
        frame |= {f"{key}-{name}": ends[i] for name, ends in bands.items()}
    if form.indexed or form.layout == "wide array":
        return pd.DataFrame(frame, index=_index_like(form, one).rename(form.time))
    frame = pd.DataFrame(frame, index=one.rename(form.time)).reset_index()
    return _as(form, frame, [form.time])


def _one_by_one(form: Form, panel: Panel, columns: dict[str, np.ndarray]) -> Any:
    """Return each forecast by itself; of a mapping, all of them by key."""
    horizon, made = columns["model"].shape[1], {}
    bare = len(columns) == 1
    plain = bare and (form.layout == "array" or (form.layout == "mapping" and not form.indexed))
    stamps = pd.RangeIndex(0) if plain else panel.future_stamps(horizon)
    stamps = written(stamps, form.written)
    for i, key in enumerate(panel.keys.tolist()):
        own = {name: ends[i] for name, ends in columns.items()}
        if form.backend == "polars":
            frame = _as(form, pd.DataFrame(own), [])
            made[key] = frame["model"].alias(str(panel.keys[0])) if bare else frame
        elif plain:
            made[key] = own["model"]
        else:
            index = _index_like(form, stamps[i * horizon : (i + 1) * horizon]).rename(None)
            made[key] = (
                pd.Series(own["model"], index, name=key) if bare else pd.DataFrame(own, index)
            )
    return made if form.layout == "mapping" else next(iter(made.values()))


def _with_levels(
    form: Form, panel: Panel, stamps: pd.Index, columns: dict[str, np.ndarray]
) -> pd.DataFrame | pd.Series:
    """Return forecasts whose keys and times are the levels of an index, as they came."""
    horizon = columns["model"].shape[1]
    types = dict(zip(range(len(form.levels)), form.types, strict=False))
    several = len(form.levels) > 2
    parts = iter(zip(*panel.keys, strict=True) if several else [panel.keys.tolist()])
    levels = []
    for at in range(len(form.levels)):
        level = stamps if at == form.time_at else pd.Index(list(next(parts))).repeat(horizon)
        levels.append(as_index(level, types.get(at, "")))
    index = pd.MultiIndex.from_arrays(levels, names=form.levels)
    if form.bare and len(columns) == 1:
        return pd.Series(columns["model"].ravel(), index, name=form.name)
    return pd.DataFrame({name: ends.ravel() for name, ends in columns.items()}, index)


def _with_key_columns(
    form: Form, panel: Panel, stamps: pd.Index, columns: dict[str, np.ndarray]
) -> Any:
    """Return forecasts in a long frame of several columns of keys, as it came."""
    horizon = columns["model"].shape[1]
    parts = iter(zip(*panel.keys, strict=True))
    frame: dict[Any, Any] = {
        name: stamps if at == form.time_at else pd.Index(list(next(parts))).repeat(horizon)
        for at, name in enumerate(form.levels)
    }
    names = list(frame)
    frame |= {name: ends.ravel() for name, ends in columns.items()}
    return _as(form, pd.DataFrame(frame), names)


def _index_like(form: Form, stamps: pd.Index) -> pd.Index:
    """Return stamps as an index of the type, and of the frequency, that came."""
    index = as_index(stamps, form.types[-1] if form.types else "")
    if form.freq and isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        try:
            return type(index)(index, freq=form.freq)
        except ValueError:  # the stamps that came didn't show it: one of a few steps
            return index
    return index


def _as(form: Form, frame: pd.DataFrame, names: list[Any]) -> Any:
    """Turn a pandas frame into one of another library, with columns of the types that came.

    Args:
        form: which library, and the types of columns.
        frame: of forecasts.
        names: of these columns.
    """
    words = dict(zip(names, form.types, strict=False))
    if form.backend in ("", "pandas"):
        for name, told in words.items():
            frame[name] = as_index(pd.Index(frame[name], tupleize_cols=False), told)
        return frame
    eager = nw.from_native(frame, eager_only=True)
    if form.backend in ("polars", "pyarrow"):
        native = eager.to_polars() if form.backend == "polars" else eager.to_arrow()
        return as_columns(nw.from_native(native, eager_only=True), words).to_native()
    columns = {name: eager[name].to_list() for name in eager.columns}
    return nw.from_dict(columns, backend=cast(Any, form.backend)).to_native()  # it takes any name
