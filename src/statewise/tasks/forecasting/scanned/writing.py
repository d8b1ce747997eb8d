"""Forecasts of a panel that is never in memory whole, written block by block."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import DataError, Panel
from statewise.tasks.forecasting.engine import Engine
from statewise.tasks.forecasting.scanned.files import ENDINGS, PartsFolder, Sink, one_file
from statewise.tasks.forecasting.scanned.panel import ScannedPanel

Forecasting = Callable[[Any], pd.DataFrame]  # of what stands for the series of a block


@dataclass(frozen=True)
class ForecastFiles:
    """What was written.

    Attributes:
        path: the file, or the folder.
        files: those in it, in their order, or the one file.
        series: how many series were forecast by this call.
        found: how many series a call before, that was stopped, had read for what was there.
        left_out: how many series were read, but had too few values to be forecast.
        skipped: files that could not be read, where the scan leaves these out.
    """

    path: Path
    files: list[Path]
    series: int
    found: int
    left_out: int
    skipped: list[Any]


def write_forecasts(
    blocks: Callable[[int], Any],
    forecast: Forecasting,
    output: Path,
    request: dict[str, Any],
    skipped: Sequence[Any] = (),
) -> ForecastFiles:
    """Forecast block by block, and write what comes out.

    Args:
        blocks: takes how many series to pass over, and yields panels (or None) and how many series
            were read for each.
        forecast: makes a table of forecasts of a panel.
        output: a file that ends in .parquet or .csv, or a folder.
        request: what is asked for, as JSON can hold it.
        skipped: a list that grows by the files that couldn't be read.

    Raises:
        FileExistsError, OSError: see `PartsFolder` and `one_file`.
        ValueError: where nobody knows what to write by such a name.
    """
    if is_file(output):
        with one_file(output) as sink:
            series, left_out = _written(blocks(0), forecast, sink)
        return ForecastFiles(output, [output], series, 0, left_out, list(skipped))
    with PartsFolder(output, request) as folder:
        series, left_out = _written(blocks(folder.found), forecast, folder)
        notes = [{"path": one.path, "reason": one.reason} for one in skipped]
        folder.finish(skipped=notes)
    return ForecastFiles(output, folder.parts, series, folder.found, left_out, list(skipped))


def is_file(output: Path) -> bool:
    """Whether forecasts make one file, not a folder of some.

    Raises:
        ValueError: for a name that tells neither.

    >>> is_file(Path("a.parquet")), is_file(Path("a"))
    (True, False)
    """
    if output.is_dir() or not output.suffix:
        return False
    if output.suffix.lower() in ENDINGS:
        return True
    raise ValueError(
        f"output={str(output)!r}: forecasts are written to a file that ends in "
        f"{' or '.join(ENDINGS)}, or to a folder, whose name has no ending (or that is there)"
    )


def _written(blocks: Any, forecast: Forecasting, sink: Sink) -> tuple[int, int]:
    """Write forecasts of each block; return how many series that were, and were left out."""
    series = left_out = waiting = 0
    for panel, count in blocks:
        waiting += count
        if panel is None:
            left_out += count
            continue
        sink.write(forecast(panel), waiting)
        series, left_out, waiting = series + len(panel), left_out + count - len(panel), 0
    return series, left_out


def request_of(
    engine: Engine, data: ScannedPanel | Panel, horizon: int, levels: list[float], future: Any
) -> dict[str, Any]:
    """Return what makes forecasts the same: in words where they are short, or else by a digest."""
    plain, arrays = engine.state()
    known = [json.dumps(plain, sort_keys=True, default=str)]
    known += [f"{name} {array.shape} {_digest(array.tobytes())}" for name, array in arrays.items()]
    columns = asdict(data.columns).items()
    return {
        "forecaster": _digest("\n".join(known).encode()),
        "source": _of_panel(data) if isinstance(data, Panel) else fingerprint(data),
        "columns": {name: list(v) if isinstance(v, tuple) else v for name, v in columns},
        "horizon": horizon,
        "level": list(levels),
        "rows": len(data.values) if isinstance(data, Panel) else data.rows,
        "future": None if future is None else _of_future(future),
    }


def fingerprint(scan: ScannedPanel) -> str:
    """Return what tells a panel's files, and that nobody changed them since.

    What isn't made of files is like nothing else, not even itself.
    """
    if not scan.scan.files:
        return secrets.token_hex(8)
    told = []
    for path in scan.scan.files:
        about = os.stat(path)
        told.append(f"{os.path.abspath(path)} {about.st_size} {about.st_mtime_ns}")
    return _digest("\n".join(told).encode())


def _of_future(future: Any) -> str:
    if isinstance(future, pd.DataFrame):
        return _digest(pd.util.hash_pandas_object(future, index=True).to_numpy().tobytes())
    if isinstance(future, (str, os.PathLike)):
        return _digest(Path(future).read_bytes())
    return secrets.token_hex(8)


def _of_panel(panel: Panel) -> str:
    told = [repr(panel.keys.tolist()).encode(), panel.values.tobytes(), panel.offsets.tobytes()]
    told.append(pd.util.hash_pandas_object(panel.time, index=False).to_numpy().tobytes())
    return _digest(b"".join(told))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def with_a_value(rows: Panel) -> np.ndarray:
    """Tell that all series are kept, and refuse those without any value.

    Raises:
        DataError: naming the first of them.
    """
    known = np.logical_or.reduceat(~np.isnan(rows.values[:, 0]), rows.offsets[:-1])
    if not known.all():
        raise DataError(f"the series {rows.keys[int((~known).argmax())]!r} has no value")
    return np.ones(len(rows), bool)
