"""A fitted forecaster as one file: a zip of plain parts, nothing in it that runs when it's read.

``forecaster.json`` has what was asked for and chosen, ``arrays.safetensors`` the weights,
``rows.parquet`` and ``series.parquet`` the panel that ``predict`` goes on from.
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

FORMAT = 1


def write(path: Any, plain: dict[str, Any], arrays: dict[str, np.ndarray], panel: Panel) -> None:
    """Write the parts of a fitted forecaster; an existing file is replaced when all is written.

    Args:
        path: of the file.
        plain: what JSON can hold.
        arrays: by name.
        panel: the known steps.

    Raises:
        OSError: where the file can't be written.
    """
    path = Path(path)
    plain = {
        "format": FORMAT,
        **plain,
        "calendars": [asdict(calendar) for calendar in panel.calendars],
        "columns": asdict(panel.columns),
        "channels": panel.values.shape[1],
        "time_name": panel.time.name,
    }
    rows = pd.DataFrame({f"value_{i}": column for i, column in enumerate(panel.values.T)})
    rows["time"] = panel.time.to_numpy() if panel.time.dtype.kind in "iuf" else panel.time
    rows = rows.assign(**{f"future_{name}": column for name, column in panel.future.items()})
    series = pd.DataFrame(
        {"key": panel.keys, "steps": panel.lengths, "calendar": panel.calendar_of}
    )
    series = series.assign(**{f"static_{name}": column for name, column in panel.static.items()})
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    partial = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("forecaster.json", json.dumps(plain))
            file.writestr("arrays.safetensors", safetensors.numpy.save(arrays))
            file.writestr("rows.parquet", rows.to_parquet(index=False))
            file.writestr("series.parquet", series.to_parquet(index=False))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read(path: Any) -> tuple[dict[str, Any], dict[str, np.ndarray], Panel]:
    """Return what `write` was given.

    Raises:
        DataError: where the file is none of a forecaster, is damaged, or of another format.
        FileNotFoundError: where there is none.
    """
    try:
        with zipfile.ZipFile(path) as file:
            plain = json.loads(file.read("forecaster.json"))
            if plain.get("format") != FORMAT:
                raise DataError(
                    f"{path} has the format {plain.get('format')}, but this version of statewise "
                    f"reads format {FORMAT}: load it by the version that saved it, or fit again"
                )
            arrays = safetensors.numpy.load(file.read("arrays.safetensors"))
            rows = pd.read_parquet(io.BytesIO(file.read("rows.parquet")))
            series = pd.read_parquet(io.BytesIO(file.read("series.parquet")))
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise DataError(f"{path} is no file of a forecaster, or is damaged: {error}") from None
    names = {k: tuple(v) if isinstance(v, list) else v for k, v in plain["columns"].items()}
    columns = Columns(**names)
    panel = Panel(
        keys=series["key"].to_numpy(),
        offsets=np.concatenate([[0], np.cumsum(series["steps"].to_numpy())]),
        values=np.column_stack([rows[f"value_{i}"] for i in range(plain["channels"])]),
        time=pd.Index(rows["time"]).rename(plain["time_name"]),
        calendars=tuple(Calendar(**one) for one in plain["calendars"]),
        calendar_of=series["calendar"].to_numpy(),
        columns=columns,
        future={name: rows[f"future_{name}"].to_numpy() for name in columns.future},
        static={name: series[f"static_{name}"].to_numpy() for name in columns.static},
    )
    return plain, arrays, panel
