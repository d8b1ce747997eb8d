"""The arguments of `Forecaster`: refused where they make no sense, "auto" resolved."""

import copy
import inspect
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from statewise.sequences import DataError, Panel
from statewise.sequences.arrays import check_count
from statewise.sequences.holidays import with_absent
from statewise.sequences.panel import say_keys
from statewise.sequences.season import find_season, season_lengths
from statewise.tasks.forecasting.local_model.ensemble import CELLS, GATES

LIKELIHOODS = ("gaussian", "student-t", "negative-binomial", "quantiles")
_MOST_STEPS = 1_000_000
_MOST_LAYERS = 64
_WEIGHT = 4 * 4  # bytes in training: itself, its gradient, and the optimizer's two averages
_SEASONS_LOOKED_AT = 200  # series that decide about the season


def check(forecaster: Any) -> None:
    """Refuse arguments that make no sense; NumPy's whole numbers become Python's.

    The sum of two np.int8 may be negative.
    """
    for name, least in (("horizon", 1), ("seed", 0), ("layers", 1)):
        setattr(forecaster, name, check_count(getattr(forecaster, name), name, least))
    for name, least in (("lookback", 2), ("units", 1), ("epochs", 1), ("season", 1)):
        value = getattr(forecaster, name)
        if isinstance(value, str):
            if value != "auto":
                raise ValueError(f'{name} must be a whole number or "auto", but is {value!r}')
        else:
            setattr(forecaster, name, check_count(value, name, least))
    for name in ("lookback", "season"):
        value = getattr(forecaster, name)
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


def _check_units(forecaster: Any) -> None:
    """Refuse units for whose weights there is no room: not after an hour, and not with an abort."""
    units, layers = forecaster.units, forecaster.layers
    if units == "auto":
        return
    held = _WEIGHT * GATES[forecaster.cell] * units**2 * (2 * layers - 1)
    if 2 * held > (room := _memory()):
        raise ValueError(
            f"units={units:,} in {layers} layers of {forecaster.cell} take some "
            f"{held / 1e9:.3g} GB to train, but this machine has {room / 1e9:.3g} GB: take fewer"
        )


def arguments_of(kind: type) -> tuple[str, ...]:
    """Return the names of a class's arguments; those that it hands on are its base's."""
    names: dict[str, None] = {}
    for one in kind.__mro__:
        if "__init__" not in vars(one):
            continue
        parameters = list(inspect.signature(one.__init__).parameters.values())[1:]
        open_ended = [p for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        names |= dict.fromkeys(p.name for p in parameters if p not in open_ended)
        if not any(p.kind == p.VAR_KEYWORD for p in open_ended):
            break
    return tuple(names)


def given(value: Any) -> Any:
    """Return an argument, None for "auto"."""
    return None if value == "auto" else value


def fresh(forecaster: Any, **changes: Any) -> Any:
    """Return a copy that isn't fitted: of the same class, with all that was set on it.

    Args:
        forecaster: whatever was fitted before.
        changes: arguments that are other ones.
    """
    made = copy.copy(forecaster)
    for name in list(vars(made)):
        if name in ("_engine", "_panel", "_form") or (name[-1] == "_" and name[0] != "_"):
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
    held, room = 8 * horizon * len(panel) * numbers, _memory()
    if 2 * held > room:
        raise ValueError(
            f"horizon={horizon:,} for {len(panel):,} series takes some {held / 1e9:.3g} GB, but "
            f"this machine has {room / 1e9:.3g} GB: forecast fewer steps, or some series at a time "
            "as new_data"
        )


def _memory() -> int:
    """Return the machine's memory in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # there is no telling on Windows
        return 16 << 30


def named(levels: list[float], interval: Callable) -> dict[str, np.ndarray]:
    """Return the ends of intervals by name, such as lo-80 and hi-80."""
    bands = {}
    for level in levels:
        low, high = interval(float(level))
        bands |= {f"lo-{level:g}": low, f"hi-{level:g}": high}
    return bands


def any_known(panel: Panel, least: int) -> np.ndarray:
    """Whether a series has so many known values at least, (series,)."""
    known = (~np.isnan(panel.values[:, 0])).astype(int)
    return np.add.reduceat(known, panel.offsets[:-1]) >= least


def check_counts(panel: Panel, likelihood: str | None) -> None:
    """Refuse a target that holds no counts where the likelihood is one of counts.

    Raises:
        DataError: naming the first value that is no count.
    """
    if likelihood != "negative-binomial":
        return
    target = panel.values[:, 0]
    wrong = (target < 0) | (target % 1 > 0)  # false where a value is missing
    if wrong.any():
        row = int(wrong.argmax())
        key = panel.keys[int(np.searchsorted(panel.offsets, row, side="right")) - 1]
        raise DataError(
            f"the negative binomial is for counts, whole numbers from 0 on, but at "
            f"{panel.time[row]} the series {say_keys([key])} has {target[row]:g}. Take another "
            + ("likelihood." if (target < 0).any() else "likelihood, or round the target.")
        )


def season_of(panel: Panel) -> int:
    """Return the length that most of the series' seasons have, if at least a third has one.

    Some of them decide, evenly taken: the usual ones of many are found by few. Steps of the
    calendar that have no row count as steps.
    """
    frequency = panel.calendar.frequency
    lengths = season_lengths(frequency)
    if not lengths:
        return 1
    panel = with_absent(panel)
    some = np.linspace(0, len(panel) - 1, min(len(panel), _SEASONS_LOOKED_AT)).round().astype(int)
    found = []
    for i in some:
        found.append(find_season(frequency, panel.values[slice(*panel.offsets[i : i + 2]), 0]))
    counts = {length: found.count(length) for length in lengths}
    best = max(counts, key=counts.get)
    return best if 3 * counts[best] >= len(found) else 1
