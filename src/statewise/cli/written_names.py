"""The names of the columns in the files that the command writes."""

from collections.abc import Hashable, Mapping

from statewise.sequences import Columns
from statewise.tasks.forecasting.result_names import (
    KEY,
    METHODS,
    TARGET,
    TIME,
    end_of,
    refuse_names,
)

_WRITTEN = {"model": "forecast", "seasonal naive": "seasonal_naive"}
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


def _ours(name: Hashable) -> bool:
    return name in _METHODS or end_of(name, _METHODS)
