"""The arguments of `Forecaster`: refused where they make no sense, "auto" resolved."""

from collections.abc import Callable
from typing import Any

import numpy as np

from statewise.sequences import DataError, Panel, guess_season
from statewise.sequences._arrays import check_count
from statewise.sequences.panel import say_keys
from statewise.sequences.season import season_lengths
from statewise.tasks.networks import CELLS

LIKELIHOODS = ("gaussian", "student-t", "negative-binomial", "quantiles")
_SEASONS_LOOKED_AT = 200  # series that decide about the season


def check(forecaster: Any) -> None:
    """Refuse arguments that make no sense."""
    check_count(forecaster.horizon, "horizon")
    check_count(forecaster.seed, "seed", 0)
    check_count(forecaster.layers, "layers")
    for name, least in (("lookback", 2), ("units", 1), ("epochs", 1), ("season", 1)):
        value = getattr(forecaster, name)
        if isinstance(value, str):
            if value != "auto":
                raise ValueError(f'{name} must be a whole number or "auto", but is {value!r}')
        else:
            check_count(value, name, least)
    if forecaster.cell not in CELLS:
        raise ValueError(f"cell must be one of {', '.join(CELLS)}, but is {forecaster.cell!r}")
    if forecaster.likelihood not in ("auto", None, *LIKELIHOODS):
        raise ValueError(
            f"likelihood must be None, auto, {', '.join(LIKELIHOODS)}, but is "
            f"{forecaster.likelihood!r}"
        )


def given(value: Any) -> Any:
    """Return an argument, None for "auto"."""
    return None if value == "auto" else value


def levels_of(level: Any) -> list[float]:
    """Return the levels asked for, in percent."""
    levels = [] if level is None else list(np.atleast_1d(level))
    for one in levels:
        if not 0 < one < 100:
            raise ValueError(f"level must be between 0 and 100 percent, but is {one}")
    return levels


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
            "likelihood, or round the target."
        )


def season_of(panel: Panel) -> int:
    """Return the length that most of the series' seasons have, if at least a third has one.

    Some of them decide, evenly taken: the usual ones of many are found by few.
    """
    lengths = season_lengths(panel.calendar.frequency)
    if not lengths:
        return 1
    some = np.linspace(0, len(panel) - 1, min(len(panel), _SEASONS_LOOKED_AT)).round().astype(int)
    found = []
    for i in some:
        values = panel.values[panel.offsets[i] : panel.offsets[i + 1], 0]
        values = values[~np.isnan(values)]
        found.append(guess_season(panel.calendar.frequency, values) if len(values) else 1)
    counts = {length: found.count(length) for length in lengths}
    best = max(counts, key=counts.get)
    return best if 3 * counts[best] >= len(found) else 1
