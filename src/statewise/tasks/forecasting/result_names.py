"""The names of a result's own columns, kept apart from those of the user's.

A result has columns of the table that was given (keys, time, target) beside its own. Where both
have one name, one of them would be lost without a word: so that is refused, before anything is
learned where the names are known by then.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping

from statewise.sequences import Columns, DataError
from statewise.sequences.tables import free_name

MODEL, NAIVE, SEASONAL_NAIVE = "model", "naive", "seasonal naive"
PEERS = ("AutoETS", "AutoARIMA", "AutoTheta")
METHODS = (MODEL, NAIVE, SEASONAL_NAIVE, *PEERS)  # what there are forecasts of
_OF_BACKTESTS = ("window", "step", "cutoff", *METHODS)
_OF_ERRORS = ("step", "forecast", "MAE", "RMSE", "sMAPE", "MASE", "WQL")
_LEVEL = r"[0-9.e+-]+"
_COVERAGE = re.compile(rf"coverage-{_LEVEL}")
KEY, TIME, TARGET = "column of keys", "column of time", "target"


def end_of(name: Hashable, methods: Iterable[str] = (MODEL,)) -> bool:
    """Tell whether a column may be an end of an interval of one of these ways to forecast.

    >>> end_of("model-lo-80"), end_of("model-lo"), end_of("remodel-lo-80")
    (True, False, False)
    """
    each = "|".join(map(re.escape, methods))
    return re.fullmatch(rf"({each})-(lo|hi)-{_LEVEL}", str(name)) is not None


def check_forecasts(columns: Columns, keyed: bool = True) -> None:
    """Refuse columns of a long table that have a name of the forecasts' columns.

    Args:
        columns: of the table.
        keyed: whether it has a column of keys.

    Raises:
        DataError: it names the column, and what to do.

    >>> check_forecasts(Columns(key="model"))
    Traceback (most recent call last):
    ...
    statewise.sequences.tables.DataError: the column of keys is named 'model', ...
    """
    taken = ({KEY: columns.key} if keyed else {}) | {TIME: columns.time}
    refuse_names(taken, lambda name: name == MODEL or end_of(name), "the forecasts")


def check_backtest(columns: Columns) -> None:
    """Refuse columns that have a name of those in a backtest's tables.

    Raises:
        DataError: it names the column, and what to do.
    """
    key = {KEY: columns.key}
    taken = key | {TIME: columns.time, TARGET: columns.target}
    refuse_names(
        taken, lambda n: n in _OF_BACKTESTS or end_of(n, METHODS), "a backtest's forecasts"
    )
    refuse_names(key, lambda n: n in _OF_ERRORS or bool(_COVERAGE.fullmatch(str(n))), "its errors")


def check_once(names: Iterable[Hashable], result: str) -> None:
    """Refuse a result that would have two columns of one name.

    Args:
        names: of all its columns.
        result: what it is, for the message.

    Raises:
        DataError: where a name is there twice.

    >>> check_once(["ds", "a", "a-lo-80", "a-lo-80"], "a wide table of forecasts")
    Traceback (most recent call last):
    ...
    statewise.sequences.tables.DataError: a wide table of forecasts would have two columns ...
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{result} would have two columns named {twice[0]!r}, one of the series and one of its "
            "own: rename that series"
        )


def refuse_names(
    taken: Mapping[str, Hashable], reserved: Callable[[Hashable], bool], where: str
) -> None:
    """Refuse columns of the user's that have a reserved name.

    Args:
        taken: the names by what they are.
        reserved: tells a reserved name.
        where: what would have two columns of the name.

    Raises:
        DataError: it names the column, and what to do.
    """
    for part, name in taken.items():
        if reserved(name):
            raise DataError(
                f"the {part} is named {name!r}, which is the name of a column of {where}, and "
                f"would be lost there: rename it, for example to {free_name(f'{name}_', taken)!r}"
            )
