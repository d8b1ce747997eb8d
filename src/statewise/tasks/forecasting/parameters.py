"""The arguments of `Forecaster`: refused where they make no sense, "auto" resolved."""

import copy
import inspect
import os
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Self

import numpy as np

from statewise.recurrence import CELLS
from statewise.sequences import Panel
from statewise.sequences.arrays import check_count
from statewise.tasks.forecasting.engine import Arguments

LIKELIHOODS = ("gaussian", "student-t", "negative-binomial", "quantiles")
_MOST_STEPS = 1_000_000
_MOST_LAYERS = 64
_MOST_SEASONS = 8
_WEIGHT = 4 * 4  # bytes in training: itself, its gradient, and the optimizer's two averages


def check(forecaster: Any) -> None:
    """Refuse arguments that make no sense; NumPy's whole numbers become Python's.

    The sum of two np.int8 may be negative.
    """
    for name, least in (("horizon", 1), ("seed", 0), ("layers", 1)):
        setattr(forecaster, name, check_count(getattr(forecaster, name), name, least))
    if isinstance(forecaster.season, (list, tuple, range, np.ndarray)):
        forecaster.season = _seasons(forecaster.season)
    for name, least in (("lookback", 2), ("units", 1), ("epochs", 1), ("season", 1)):
        value = getattr(forecaster, name)
        if isinstance(value, str):
            if value != "auto":
                raise ValueError(f'{name} must be a whole number or "auto", but is {value!r}')
        elif not isinstance(value, tuple):
            setattr(forecaster, name, check_count(value, name, least))
    for name in ("lookback", "season"):
        value = getattr(forecaster, name)
        value = max(value) if isinstance(value, tuple) else value
        if value != "auto" and value > _MOST_STEPS:
            raise ValueError(f"{name} must be at most {_MOST_STEPS:,} steps, but is {value:,}")
    if forecaster.layers > _MOST_LAYERS:
        raise ValueError(f"layers must be at most {_MOST_LAYERS}, but is {forecaster.layers:,}")
    if forecaster.cell not in CELLS:
        raise ValueError(f"cell must be one of {', '.join(CELLS)}, but is {forecaster.cell!r}")
    if forecaster.likelihood not in ("auto", None, *LIKELIHOODS):
        raise ValueError(
            f"likelihood must be None, auto, {', '.join(LIKELIHOODS)}, but is "
            f"{forecaster.likelihood!r}"
        )
    _check_units(forecaster)


def _seasons(given: Iterable[Any]) -> tuple[int, ...]:
    """Return several seasons as a tuple, each once.

    Raises:
        TypeError, ValueError: where they are none, too many, or no seasons.
    """
    seasons = tuple(dict.fromkeys(check_count(one, "season", 2) for one in given))
    if not 1 <= len(seasons) <= _MOST_SEASONS:
        raise ValueError(
            f"season must name 1 to {_MOST_SEASONS} different numbers of steps where it is a "
            f"sequence, but names {len(seasons)}: give a number for one season, 1 for none"
        )
    return seasons


def _check_units(forecaster: Any) -> None:
    """Refuse units for whose weights there is no room: not after an hour, and not with an abort."""
    units, layers = forecaster.units, forecaster.layers
    if units == "auto":
        return
    held = _WEIGHT * len(CELLS[forecaster.cell].gates) * units**2 * (2 * layers - 1)
    if 2 * held > (memory := _memory()):
        raise ValueError(
            f"units={units:,} in {layers} layers of {forecaster.cell} take some "
            f"{held / 1e9:.3g} GB to train, but this machine has {memory / 1e9:.3g} GB: take fewer"
        )


class Parameters:
    """What shows and changes the arguments of a class, as scikit-learn's estimators do."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments, as scikit-learn's ``get_params`` does."""
        return {name: getattr(self, name) for name in arguments_of(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change arguments, as scikit-learn's ``set_params`` does, and return the forecaster.

        Raises:
            ValueError: for a name that is no argument.
        """
        known = arguments_of(type(self))
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no argument {name!r}; it has {', '.join(known)}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({given})"


def arguments_of(kind: type) -> tuple[str, ...]:
    """Return the names of a class's arguments; those that it hands on are its base's."""
    names: dict[str, None] = {}
    for one in kind.__mro__:
        if "__init__" not in vars(one):
            continue
        parameters = list(inspect.signature(vars(one)["__init__"]).parameters.values())[1:]
        open_ended = [p for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        names |= dict.fromkeys(p.name for p in parameters if p not in open_ended)
        if not any(p.kind == p.VAR_KEYWORD for p in open_ended):
            break
    return tuple(names)


def arguments_for(forecaster: Any, short: str = "raise", missing: str = "mask") -> Arguments:
    """Return the arguments of a forecaster and of its ``fit``, None for "auto".

    Raises:
        TypeError, ValueError: where one makes no sense.
    """
    check(forecaster)
    for name, value, words in (
        ("short", short, ("raise", "drop")),
        ("missing", missing, ("mask", "raise")),
    ):
        if value not in words:
            raise ValueError(f"{name} must be one of {', '.join(words)}, but is {value!r}")
    names = [field.name for field in fields(Arguments) if field.name not in ("short", "missing")]
    given = {name: getattr(forecaster, name) for name in names}
    given = {name: None if value == "auto" else value for name, value in given.items()}
    return Arguments(**given, short=short, missing=missing)


def fresh(forecaster: Any, **changes: Any) -> Any:
    """Return a copy that isn't fitted: of the same class, with all that was set on it.

    Args:
        forecaster: whatever was fitted before.
        changes: arguments that are other ones.
    """
    made = copy.copy(forecaster)
    for name in list(vars(made)):
        if name in ("_engine", "_form", "_laid_out_by", "_scanned") or (
            name[-1] == "_" and name[0] != "_"
        ):
            delattr(made, name)
    return made.set_params(**changes)


def levels_of(level: Any) -> list[float]:
    """Return the levels asked for, in percent, each once.

    Raises:
        TypeError: where they are no numbers.
        ValueError: where one isn't from 1 to below 100.

    >>> levels_of(80), levels_of([80, 95.5])
    ([80.0], [80.0, 95.5])
    """
    if level is None:
        return []
    try:
        given = np.asarray(level)
    except ValueError:  # sequences within
        given = np.asarray("")
    if given.ndim > 1 or (given.size and given.dtype.kind not in "iuf"):
        raise TypeError(
            f"level must be numbers of percent, such as level=[80, 95], but is {level!r:.80}"
        )
    levels = {f"{one:g}": float(one) for one in given.ravel()}  # columns are named so
    for one in levels.values():
        if 0 < one < 1:
            raise ValueError(
                f"level must be between 1 and 100 percent, but is {one:g}: it is no fraction, "
                f"write {100 * one:g} for {100 * one:g} percent"
            )
        if not 1 <= one < 100:
            raise ValueError(f"level must be between 0 and 100 percent, but is {one:g}")
    return list(levels.values())


def check_size(horizon: int, panel: Panel, numbers: int) -> None:
    """Refuse forecasts for which there is no room, before anything is made.

    Args:
        horizon: steps to forecast.
        panel: of the series.
        numbers: that are held at once for each step of a series.

    Raises:
        ValueError: where there are too many steps, or they take most of the machine's memory.
    """
    if horizon > _MOST_STEPS:
        raise ValueError(
            f"horizon must be at most {_MOST_STEPS:,} steps, but is {horizon:,}: forecast fewer "
            "steps, or longer ones"
        )
    held, memory = 8 * horizon * len(panel) * numbers, _memory()
    if 2 * held > memory:
        raise ValueError(
            f"horizon={horizon:,} for {len(panel):,} series takes some {held / 1e9:.3g} GB, but "
            f"this machine has {memory / 1e9:.3g} GB: forecast fewer steps, or some series at a "
            "time as new_data"
        )


def _memory() -> int:
    """Return the machine's memory in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # there is no telling on Windows
        return 16 << 30
