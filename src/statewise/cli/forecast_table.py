"""The rows of forecast.csv: the held-out steps beside their truth, and those beyond the end."""

import math
from typing import Any

import numpy as np
import pandas as pd

from statewise.cli.written_names import as_written
from statewise.sequences.stamp_words import format_stamps
from statewise.sequences.tables import free_name
from statewise.tasks.evaluation.beyond import Beyond
from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.evaluation.result import Backtest
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.result_names import MODEL

HELD_OUT, FUTURE = "held out", "future"  # in the column "part"


def forecast_table(
    held: Backtest | None,
    beyond: Beyond | None,
    *,
    keyed: bool,
    time: str | None = None,
) -> pd.DataFrame:
    """Return the rows of forecast.csv, with the names that its columns have there.

    Those of each series stand together, its held-out steps first. The column "part" tells them from
    those beyond the end, whose truth is missing; it's left out with "truth" where nothing was held
    out.

    Args:
        held: forecasts of held-out steps; None where nothing was held out.
        beyond: forecasts beyond the end; None where there are none.
        keyed: whether the user's table has a column of keys.
        time: what to call the column of time; None for its name in the panel.
    """
    parts = []
    if held is not None:
        parts.append((HELD_OUT, held.origins, held.arrays))
    if beyond is not None:
        parts.append((FUTURE, beyond.origins, beyond.arrays))
    columns = parts[0][1].panel.columns
    time = columns.time if time is None else time
    taken = [time, *([columns.key] if keyed else [])]
    part = free_name("part", taken)
    frames = []
    for what, origins, arrays in parts:
        keys, stamps, truth = _rows(origins)
        frame: dict[str, Any] = {columns.key: keys} if keyed else {}
        frame |= {time: stamps, part: what, "truth": truth}
        frames.append(pd.DataFrame(frame | _points(arrays, naive_ends=keyed)))
    table = pd.concat(frames, ignore_index=True)
    if held is None:
        table = table.drop(columns=[part, "truth"])
    if keyed and len(parts) == 2:
        codes, _ = pd.factorize(table[columns.key])
        table = table.iloc[np.argsort(codes, kind="stable")].reset_index(drop=True)
    return table


def _rows(origins: Origins) -> tuple[np.ndarray, pd.Index, np.ndarray]:
    """Return key, stamp and truth of each step to forecast."""
    rows, panel = origins.rows(), origins.panel
    keys = np.repeat(panel.keys, rows[0].size)
    return keys, panel.time[rows.ravel()], origins.truth().ravel()


def _points(arrays: dict[str, Forecast], *, naive_ends: bool) -> dict[str, np.ndarray]:
    """Return points and ends of intervals by their names in the file."""
    columns = {}
    for name, forecast in arrays.items():
        columns[as_written(name)] = forecast.points.ravel()
        if name != MODEL and not naive_ends:
            continue
        for level, (low, high) in forecast.bands.items():
            columns[as_written(f"{name}-lo-{level:g}")] = low.ravel()
            columns[as_written(f"{name}-hi-{level:g}")] = high.ravel()
    return columns


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON can hold them: stamps as text, None for what is missing.

    >>> records(pd.DataFrame({"day": pd.to_datetime(["2024-01-01"]), "truth": [np.nan], "n": [3]}))
    [{'day': '2024-01-01', 'truth': None, 'n': 3}]
    """
    columns = {}
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            columns[str(name)] = format_stamps(pd.Index(column)).tolist()
        else:
            columns[str(name)] = [plain(value) for value in column.tolist()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: None for a number that is missing or infinite.

    >>> plain(np.float64(2.5)), plain(float("nan")), plain(pd.Timestamp("2024-01-01")), plain((1,))
    (2.5, None, '2024-01-01 00:00:00', [1])
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
