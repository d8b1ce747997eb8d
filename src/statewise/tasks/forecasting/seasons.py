"""Which seasons a model looks at: those of the calendar, unless they plainly lead astray.

The calendar offers lengths (hours: the day and the week), where it offers none the values do, if
they plainly repeat themselves. How many steps a network looks back, and whether a day without a row
counts as a step, must be settled before it is trained. So small regressions tell beforehand: from
origins before the validation part they learn to forecast by what lies near, and by the seasons
before, and are measured in the validation part. That takes milliseconds, for two hundred series
evenly taken out of a panel at most.

* What the values confirm (see `guess_season`) is taken, in any case.
* The calendar's likeliest length is taken too, unless a regression errs a tenth more by it. A
  network makes more of a season than a regression does, and what it can't use it leaves alone; but
  what it isn't given it can't learn. If nothing else speaks for it, the season is tentative:
  candidates with it and without it are trained, and validation decides.
* Other lengths are taken where a regression errs less by them: there may be several.

The first of a model's seasons is the one whose repetition, the seasonal naive forecast, errs least
in the validation part.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from statewise.sequences import Panel
from statewise.sequences.cycles import find_cycle
from statewise.sequences.season import find_season, season_lengths
from statewise.tasks.forecasting.known_steps import on_calendar
from statewise.tasks.forecasting.season_validation import SeasonValidation

LONGEST = 2048  # steps: what a global network looks back on is held in memory for each window
_SERIES = 200  # that decide
_SHARE = 3  # one in so many series has to have a season, or be long enough for it
_ASTRAY = 1.1  # times the error without a season, from which on it isn't even tried
_GAIN = 0.99  # of the error without another season, below which it is worth its inputs


class Seasons(NamedTuple):
    """What a model is to look at.

    Attributes:
        lengths: the steps of each season, the one that repeats itself best first.
        tentative: whether nothing but the calendar speaks for them.
    """

    lengths: tuple[int, ...]
    tentative: bool = False


def seasons_of(panel: Panel, horizon: int, *, longest: int = LONGEST) -> Seasons:
    """Return the seasons that a model is to look at.

    Args:
        panel: the training part.
        horizon: steps to forecast.
        longest: no season that is longer, but for the calendar's first.
    """
    some = _some(panel)
    lengths = offered(some)
    if not lengths:
        return Seasons(())
    validation = SeasonValidation.of(on_calendar(some, lengths), horizon)
    confirmed = _confirmed(validation.panel, lengths)
    sure = [confirmed] if confirmed > 1 else []
    rest = [one for one in lengths if validation.shows(one) and one not in sure]
    rest = [one for one in rest if one <= longest or one == lengths[0]]
    error = validation.error(sure) if rest else 0.0
    tentative: list[int] = []
    if lengths[0] in rest:
        likeliest = validation.error([*sure, lengths[0]])
        if likeliest <= _ASTRAY * error:
            rest.remove(lengths[0])
            (sure if likeliest <= _GAIN * error else tentative).append(lengths[0])
            error = likeliest
    while rest:
        errors = {one: validation.error([*sure, *tentative, one]) for one in rest}
        best = min(rest, key=lambda one: errors[one])
        if not errors[best] <= _GAIN * error:
            break
        error = errors[best]
        sure.append(best)
        rest.remove(best)
    return Seasons(validation.ranked([*sure, *tentative]), bool(tentative) and not sure)


def best_first(panel: Panel, seasons: Sequence[int], horizon: int) -> tuple[int, ...]:
    """Return given seasons, the one that repeats itself best in the validation part first."""
    some = _some(panel)
    return SeasonValidation.of(on_calendar(some, seasons), horizon).ranked(seasons)


def best_repeated(panel: Panel, horizon: int) -> int:
    """Return the season whose repetition errs least in the validation part, 1 where there is none.

    All that are offered are compared, whether a model looks at them or not.

    Args:
        panel: what is known.
        horizon: steps to forecast.

    >>> import pandas as pd
    >>> from statewise.sequences import read_panel
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> best_repeated(read_panel(pd.DataFrame({"ds": days, "y": days.day_of_week * 1.0})), 7)
    7
    """
    some = _some(panel)
    lengths = offered(some)
    return best_first(some, lengths, horizon)[0] if lengths else 1


def offered(panel: Panel) -> list[int]:
    """Return the lengths that the calendar offers, or else the values show, the likeliest first.

    A third of the series at least is longer than each of them.
    """
    lengths = season_lengths(panel.calendar.frequency)
    if not lengths:
        cycle = _most_frequent([find_cycle(panel.values[rows, 0]) for rows in _rows(panel)])
        lengths = [cycle] if cycle > 1 else []
    return [one for one in lengths if _SHARE * (panel.lengths > one).sum() >= len(panel)]


def _some(panel: Panel) -> Panel:
    """Return some of the series, evenly taken: the usual seasons of many are found by few."""
    if len(panel) <= _SERIES:
        return panel
    return panel.select(np.linspace(0, len(panel) - 1, _SERIES).round().astype(int))


def _rows(panel: Panel) -> list[slice]:
    return [slice(*panel.offsets[i : i + 2]) for i in range(len(panel))]


def _confirmed(panel: Panel, lengths: list[int]) -> int:
    """Return the season that the values of most series confirm, 1 where few have one."""
    frequency = panel.calendar.frequency
    if not season_lengths(frequency):
        return lengths[0]  # the values showed it
    return _most_frequent([find_season(frequency, panel.values[rows, 0]) for rows in _rows(panel)])


def _most_frequent(found: list[int]) -> int:
    """Return the length above 1 that is found most often, 1 where less than a third has it."""
    lengths = [one for one in dict.fromkeys(found) if one > 1]
    best = max(lengths, key=found.count, default=1)
    return best if best > 1 and _SHARE * found.count(best) >= len(found) else 1
