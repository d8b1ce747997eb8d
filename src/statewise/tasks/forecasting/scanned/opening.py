"""What `Forecaster` takes in place of a panel in memory: paths, scans, and data sets of Arrow."""

import os
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import dataset

from statewise.sequences import Columns, DataError
from statewise.sequences.arrays import check_count
from statewise.sequences.layout import Asked, find_layout
from statewise.sequences.scanning.data_files import DataFile, UnreadableFileError, find_files
from statewise.sequences.scanning.scan import PanelScan, scan_panel
from statewise.sequences.tables import listed, load_table
from statewise.tasks.forecasting.found_columns import as_columns
from statewise.tasks.forecasting.result_names import check_forecasts
from statewise.tasks.forecasting.scanned.kinds import ROWS, is_path
from statewise.tasks.forecasting.scanned.panel import ScannedPanel

_PLACES = 8  # in the files, at which rows are looked at to find out what their columns are
_LOOKED_AT = 400  # rows at each


def opened(
    data: Any, columns: Columns | Mapping[str, Any] | None = None, rows: int = ROWS
) -> ScannedPanel:
    """Return what is to be read block by block.

    Args:
        data: a path, a list of paths, a `PanelScan`, a data set, scanner or reader of pyarrow; a
            `ScannedPanel` comes back as it is.
        columns: which columns hold what; None finds it out.
        rows: how many rows may be in memory at a time.

    Raises:
        DataError: where it can't be read, or nothing tells what its columns are.
        TypeError, ValueError: where ``rows`` is no whole number from 1 on, or ``columns`` makes no
            sense.
    """
    if isinstance(data, ScannedPanel):
        return data
    rows = check_count(rows, "rows")
    if isinstance(data, PanelScan):
        return ScannedPanel(data, _of_scan(data, columns), rows)
    named = found_in(data) if columns is None else as_columns(columns)
    check_forecasts(named)
    scan = scan_panel(data, key=named.key, time=named.time, columns=[named.target, *named.inputs])
    folder = Path(data) if is_path(data) and Path(data).is_dir() else None
    return ScannedPanel(scan, named, rows, folder)


def found_in(data: Any, asked: Asked | None = None) -> Columns:
    """Find out which columns of files hold what.

    Args:
        data: a path, paths, or a data set, scanner or reader of pyarrow.
        asked: what is known already.

    Raises:
        DataError: where it can't be found out: it says to name them.
    """
    asked, usual = asked or Asked(), Columns()
    names = _names(data)
    if asked == Asked() and {usual.key, usual.time, usual.target} <= set(names):
        return usual
    heads = _heads(data)
    if heads is None or not len(heads):
        raise DataError(
            f"nothing tells which of the columns {listed(names)} hold what: name them by "
            "columns={'key': ..., 'time': ..., 'target': ...}"
        )
    layout = find_layout(load_table(heads), asked)
    key = [layout.key] if layout.key is not None else []
    if len(layout.key_columns) > 1 or layout.time is None or layout.wide or not key:
        what = "several columns make the key" if layout.key_columns else "it isn't told which"
        raise DataError(
            "a panel that is read block by block is a long table with one column of keys, one of "
            f"times and one target, out of {listed(names)}; {what}: name them by "
            "columns={'key': ..., 'time': ..., 'target': ...}"
        )
    return replace(usual, key=key[0], time=layout.time, target=layout.targets[0])


def _of_scan(scan: PanelScan, columns: Columns | Mapping[str, Any] | None) -> Columns:
    """Return which columns of a scan hold what: its key and time are named there."""
    if columns is None:
        usual = Columns.target
        only = scan.columns[0] if len(scan.columns) == 1 else usual
        target = usual if usual in scan.columns else only
        named = Columns(key=scan.key, time=scan.time, target=target)
    elif isinstance(columns, Columns):
        named = columns
    else:
        named = as_columns({"key": scan.key, "time": scan.time, **columns})
    check_forecasts(named)
    for part, name, own in (("key", named.key, scan.key), ("time", named.time, scan.time)):
        if name != own:
            raise DataError(f"columns has {part}={name!r}, but the scan was made with {own!r}")
    missing = [name for name in (named.target, *named.inputs) if name not in scan.columns]
    if missing:
        raise DataError(
            f"the scan reads no column {missing[0]!r}; it reads {listed(scan.columns)}: name the "
            "target by columns={'target': ...}, or scan that column too"
        )
    return named


def _names(data: Any) -> list[str]:
    if isinstance(data, dataset.Scanner):
        return list(data.projected_schema.names)
    if isinstance(data, (dataset.Dataset, pa.RecordBatchReader)):
        return list(data.schema.names)
    for file in _files(data):
        try:
            return list(file.schema.names)
        except UnreadableFileError:  # the scan itself says so, or leaves it out
            continue
    return []


def _heads(data: Any) -> pd.DataFrame | None:
    """Return some rows of several places, so that several series are among them."""
    if isinstance(data, (dataset.Dataset, dataset.Scanner)):
        return data.head(_PLACES * _LOOKED_AT).to_pandas()
    if isinstance(data, pa.RecordBatchReader):
        return None  # it could be read once only
    files, parts = _files(data), []
    every = max(1, -(-len(files) // _PLACES))
    for file in files[::every]:
        try:
            parts += _heads_of(file, max(1, _PLACES // len(files[::every])))
        except UnreadableFileError:
            continue
    return pd.concat(parts, ignore_index=True) if parts else None


def _heads_of(file: DataFile, places: int) -> list[pd.DataFrame]:
    batches = file.batches(list(file.schema.names), _LOOKED_AT, {})
    return [batch.slice(0, _LOOKED_AT).to_pandas() for batch in islice(batches, places)]


def _files(data: Any) -> list[DataFile]:
    found = find_files(list(map(os.fspath, data)) if isinstance(data, (list, tuple)) else data)
    return found or []
