"""A fitted forecaster as one file: a zip of plain parts, nothing in it that runs when it's read.

``forecaster.json`` has what was asked for and chosen, ``arrays.safetensors`` the weights,
``rows.parquet`` and ``series.parquet`` the panel that ``predict`` goes on from. The zip's comment
is a checksum of all before it. Who reads a file doesn't know where it comes from: what it claims
is compared with what it holds before anything is made of it (see `limits`).
"""

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.numpy

from statewise.sequences import Columns, DataError, Panel
from statewise.sequences.calendars import Calendar
from statewise.tasks.forecasting.serialization import limits
from statewise.tasks.forecasting.serialization.objects import as_objects, as_text
from statewise.tasks.forecasting.serialization.parts import (
    as_plain,
    bytes_of,
    damage_told,
    packed,
    write_parts,
)
from statewise.tasks.forecasting.serialization.sums import checked_sum
from statewise.tasks.forecasting.serialization.typed import typed

KIND = "a forecaster"
FORMAT = 2
_READS = (1, 2)  # 1 has no checksum, and can't hold keys of several types
_PARTS = ("forecaster.json", "arrays.safetensors", "rows.parquet", "series.parquet")


def write(path: Any, plain: dict[str, Any], arrays: dict[str, np.ndarray], panel: Panel) -> None:
    """Write the parts of a fitted forecaster; an existing file is replaced when all is written.

    Args:
        path: of the file.
        plain: what JSON can hold, and NumPy's numbers.
        arrays: by name.
        panel: the known steps.

    Raises:
        DataError: where keys or categories are of a type that no file can hold.
        OSError: where the file can't be written.
    """
    rows = pd.DataFrame({f"value_{i}": column for i, column in enumerate(panel.values.T)})
    rows["time"] = panel.time.to_numpy() if panel.time.dtype.kind in "iuf" else panel.time
    rows = rows.assign(**{f"future_{name}": column for name, column in panel.future.items()})
    series = pd.DataFrame(
        {"key": panel.keys, "steps": panel.lengths, "calendar": panel.calendar_of}
    )
    series = series.assign(**{f"static_{name}": column for name, column in panel.static.items()})
    mixed = []
    for frame in (rows, series):
        for name in frame.columns:
            text = as_text(frame[name], name)
            if text is not None:
                frame[name] = text
                mixed.append(name)
    plain = {
        "format": FORMAT,
        **plain,
        "calendars": [asdict(calendar) for calendar in panel.calendars],
        "columns": asdict(panel.columns),
        "channels": panel.values.shape[1],
        "time_name": panel.time.name,
        "mixed": mixed,
    }
    write_parts(
        path,
        {
            "forecaster.json": json.dumps(plain, default=as_plain),
            "arrays.safetensors": packed(arrays),
            "rows.parquet": rows.to_parquet(index=False),
            "series.parquet": series.to_parquet(index=False),
        },
    )


def read(path: Any) -> tuple[dict[str, Any], dict[str, np.ndarray], Panel]:
    """Return what `write` was given.

    Raises:
        DataError: where the file is none of a forecaster, is damaged, or of another format.
        FileNotFoundError: where there is none.
    """
    path = Path(path)
    data = bytes_of(path, KIND)
    with damage_told(path, KIND):
        return _read(path, data)


def _read(path: Path, data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray], Panel]:
    has_sum = checked_sum(data)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        limits.check_parts({name: file.getinfo(name).file_size for name in _PARTS}, len(data))
        plain = json.loads(file.read("forecaster.json"))
        if plain.get("format") not in _READS:
            raise DataError(
                f"{path} has the format {plain.get('format')!r:.40}, but this version of statewise "
                f"reads format {_READS[0]} to {_READS[-1]}: load it by the version that saved it, "
                "or fit again"
            )
        if plain["format"] > 1 and not has_sum:
            raise ValueError("its checksum is gone")
        arrays = safetensors.numpy.load(file.read("arrays.safetensors"))
        columns = _columns(plain["columns"])
        names = [f"value_{i}" for i in range(limits.check_channels(plain["channels"], data))]
        names += ["time", *(f"future_{name}" for name in columns.future)]
        of_series = ["key", "steps", "calendar", *(f"static_{name}" for name in columns.static)]
        series = limits.read_table(file.read("series.parquet"), of_series, len(data))
        _check_steps(series["steps"])
        count = int(series["steps"].sum())
        rows = limits.read_table(file.read("rows.parquet"), names, len(data), count)
    for frame in (rows, series):
        for name in set(plain.get("mixed", ())) & set(frame.columns):
            frame[name] = as_objects(frame[name])
    limits.check_numbers(plain, arrays)
    return plain, arrays, _panel(plain, columns, rows, series)


def _panel(plain: dict[str, Any], columns: Columns, rows, series) -> Panel:
    steps, calendar_of = series["steps"].to_numpy(), series["calendar"].to_numpy()
    calendars = tuple(typed(Calendar, one) for one in plain["calendars"])
    if calendar_of.dtype.kind not in "iu":
        raise TypeError("the calendars of its series are no whole numbers")
    if (calendar_of < 0).any() or (calendar_of >= len(calendars)).any():
        raise ValueError("its series name calendars that it hasn't")
    values = np.column_stack([rows[f"value_{i}"] for i in range(plain["channels"])])
    if values.dtype != np.float64:
        raise TypeError(f"its values are of {values.dtype}")
    time = pd.Index(rows["time"])
    if time.dtype.kind not in "iufM":
        raise TypeError(f"its time stamps are of {time.dtype}")
    return Panel(
        keys=series["key"].to_numpy(),
        offsets=np.concatenate([[0], np.cumsum(steps)]),
        values=values,
        time=time.rename(plain["time_name"]),
        calendars=calendars,
        calendar_of=calendar_of,
        columns=columns,
        future={name: rows[f"future_{name}"].to_numpy() for name in columns.future},
        static={name: series[f"static_{name}"].to_numpy() for name in columns.static},
    )


def _check_steps(steps: pd.Series) -> None:
    if steps.dtype.kind not in "iu":
        raise TypeError("the steps of its series are no whole numbers")
    if not len(steps) or (steps < 1).any():
        raise ValueError("it has no series, or one without a step")


def _columns(given: dict[str, Any]) -> Columns:
    if "key" not in given:  # as files of 0.1 call it
        given = {"key": given["id"], **{k: v for k, v in given.items() if k != "id"}}
    for name in (given["key"], given["time"], given["target"]):
        if isinstance(name, (list, dict)):
            raise TypeError(f"the name of a column is {name!r:.40}")
    parts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    return Columns(**parts)
