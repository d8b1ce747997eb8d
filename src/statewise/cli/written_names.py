"""The names in what the command prints and writes: columns of files, and series."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from statewise.sequences import Columns, Panel
from statewise.tasks.forecasting.result_names import (
    KEY,
    METHODS,
    TARGET,
    TIME,
    end_of,
    refuse_names,
)

_WRITTEN = {"model": "forecast", "seasonal naive": "seasonal_naive"}
_NAMELESS = re.compile(r"|\d+|Unnamed: \d+")
_METHODS = tuple(_WRITTEN.get(name, name) for name in METHODS)


def as_written(name: Hashable) -> str:
    """Return what a column of results is called in a file; the user's own keep their names.

    >>> [as_written(n) for n in ("model", "model-lo-80", "seasonal naive-hi-80", "car_model")]
    ['forecast', 'forecast-lo-80', 'seasonal_naive-hi-80', 'car_model']
    """
    for ours, there in _WRITTEN.items():
        if name == ours or end_of(name, (ours,)):
            return there + str(name)[len(ours) :]
    return str(name)


def check_forecast_file(taken: Mapping[str, Hashable]) -> None:
    """Refuse columns of the user's that have the name of another one in forecast.csv.

    Args:
        taken: their names, by what they are.

    Raises:
        DataError: it names the column, and what to do.
    """
    refuse_names(taken, lambda name: name == "truth" or _ours(name), "forecast.csv")


def check_backtest_file(columns: Columns) -> None:
    """Refuse columns of the user's that have the name of another one in backtest.csv.

    Raises:
        DataError: it names the column, and what to do.
    """
    taken = {KEY: columns.key, TIME: columns.time, TARGET: columns.target}
    refuse_names(taken, _ours, "backtest.csv")


def target_name(name: Hashable, file: Any = None) -> str:
    """Return what to call one series: as its column, or where that has no name as the file.

    >>> target_name("sold"), target_name("0", Path("shops/sales.csv.gz")), target_name("")
    ('sold', 'sales', 'the series')
    """
    text = "" if name is None else str(name).strip()
    if not _NAMELESS.fullmatch(text):
        return text
    stem = Path(file).name.split(".")[0] if isinstance(file, (str, Path)) else ""
    return stem if stem.strip("-") else "the series"


def series_label(panel: Panel, i: int) -> str:
    """Return what to call one series of a panel.

    >>> from statewise.sequences import read_wide
    >>> import pandas as pd
    >>> wide = read_wide(pd.DataFrame({"north": [1.0, 2, 3], "7": [3.0, 2, 1]}))
    >>> series_label(wide, 0), series_label(wide, 1)
    ('north', 'series 7')
    """
    columns, key = panel.columns, str(panel.keys[i])
    default = Columns()
    named = key
    if _NAMELESS.fullmatch(key.strip()):
        named = f"{'series' if columns.key == default.key else columns.key} {key}"
    if columns.target in (default.target, key):
        return named
    return f"{columns.target}, {named}"


def _ours(name: Hashable) -> bool:
    return name in _METHODS or end_of(name, _METHODS)
