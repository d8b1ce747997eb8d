"""What a panel must be to be learned from: long enough, of counts for counts, with a season."""

from dataclasses import replace

import numpy as np

from statewise.sequences import DataError, Panel
from statewise.sequences.panel import format_keys
from statewise.tasks.forecasting.engine import Arguments, TrainingData, least_known
from statewise.tasks.forecasting.known_steps import absent_note, on_calendar
from statewise.tasks.forecasting.seasons import LONGEST, Seasons, best_first, seasons_of


def on_season(
    panel: Panel, arguments: Arguments, *, longest: int = LONGEST
) -> tuple[TrainingData, bool]:
    """Return a panel by the steps that its seasons count; and whether these are tentative.

    Args:
        panel: the known steps.
        arguments: of the forecaster; its seasons are found where it names none.
        longest: no season that is longer is found, but for the calendar's first.
    """
    if isinstance(arguments.season, int):
        found = Seasons((arguments.season,))
    elif arguments.season is None:
        found = seasons_of(panel, arguments.horizon, longest=longest)
    else:
        found = Seasons(best_first(panel, arguments.season, arguments.horizon))
    season, *also = found.lengths or (1,)
    by_step = on_calendar(panel, found.lengths)
    notes = absent_note(len(panel.values), len(by_step.values))
    return TrainingData(by_step, season, notes, [], tuple(also)), found.tentative


def learnable(panel: Panel, arguments: Arguments) -> tuple[TrainingData, bool]:
    """Return those series of a panel that a network for all of them can learn from.

    And whether their seasons are tentative, see `seasons`.

    Raises:
        DataError: where series are too short, values missing or no counts, and that isn't allowed.
    """
    short = _too_short(panel, arguments)
    notes = []
    left_out = panel.keys[short].tolist()
    if left_out:
        notes = [f"left out: {_refused_if_asked(panel, short, arguments)}"]
        panel = panel.select(np.flatnonzero(~short))
    notes += _missing_note(panel, arguments.missing)
    check_counts(panel, arguments.likelihood)
    found, tentative = on_season(panel, arguments)
    return replace(found, notes=notes + found.notes, left_out=left_out), tentative


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
            f"{panel.time[row]} the series {format_keys([key])} has {target[row]:g}. Take another "
            + ("likelihood." if (target < 0).any() else "likelihood, or round the target.")
        )


def _too_short(panel: Panel, arguments: Arguments) -> np.ndarray:
    """Whether a series is too short to learn from, (series,)."""
    need = least_known(arguments.lookback) + arguments.horizon
    return (panel.lengths < need) | ~any_known(panel, 2)


def _refused_if_asked(panel: Panel, short: np.ndarray, arguments: Arguments) -> str:
    """Refuse series that are too short where that was asked for; else say that they are."""
    least, horizon = least_known(arguments.lookback), arguments.horizon
    what = f"{short.sum()} of {len(panel)} series have" if len(panel) > 1 else "the series has"
    message = (
        f"{what} too few time steps to learn from: {format_keys(panel.keys[short])}; lookback "
        f"{least} + horizon {horizon} need at least {least + horizon} with a value among them"
    )
    if arguments.short == "raise" or short.all():
        raise DataError(
            f"{message}: take a shorter horizon or lookback"
            + ("" if short.all() else ', or go on without them by short="drop"')
        )
    return message


def _missing_note(panel: Panel, missing: str) -> list[str]:
    """Say how many values are missing, if any; refuse them where that was asked for."""
    unknown = np.isnan(panel.values).any(axis=1)
    if not unknown.any():
        return []
    row = int(unknown.argmax())
    key = panel.keys[int(np.searchsorted(panel.offsets, row, "right")) - 1 :][:1]
    what = f"{unknown.sum()} of {len(unknown)} steps have missing values"
    if missing == "raise":
        raise DataError(
            f"{what}, the first at {panel.time[row]} of series {format_keys(key)}: fill them in, "
            'or leave them out of the loss by missing="mask"'
        )
    return [
        f"{what}: they don't count in the loss, and the network is shown the last known value "
        "in their place, a season later that of the latest season known"
    ]
