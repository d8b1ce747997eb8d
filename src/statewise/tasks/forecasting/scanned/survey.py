"""What must be known of a panel before it is learned from block by block: found in one pass."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from statewise.sequences import DataError, Panel
from statewise.sequences.panel import format_keys
from statewise.sequences.placing import placed
from statewise.tasks.forecasting.engine import Arguments, least_known
from statewise.tasks.forecasting.global_model.features import Encoder
from statewise.tasks.forecasting.scanned.encoding import InputSurvey
from statewise.tasks.forecasting.scanned.panel import ScannedPanel
from statewise.tasks.forecasting.scanned.sample import SeriesSample
from statewise.tasks.forecasting.training_data import any_known, check_counts

_SERIES = 5000  # of the sample
_SHARE = 4  # the sample has one in so many of the rows that may be in memory
_LISTED = 1000  # keys of series that were left out


@dataclass
class Survey:
    """What is known of a panel after one pass.

    Attributes:
        sample: some of its series, on the calendar of all.
        encoder: of the inputs of all.
        series: how many are learned from.
        rows: how many rows these have.
        missing: how many of these have a missing value.
        lowest: the lowest value of the target; NaN where there is none.
        short: how many series have too few rows, and are left out.
        short_keys: the keys of the first of them.
    """

    sample: Panel
    encoder: Encoder
    series: int = 0
    rows: int = 0
    missing: int = 0
    lowest: float = np.nan
    short: int = 0
    short_keys: list[Any] = field(default_factory=list)


def least_rows(arguments: Arguments) -> int:
    """Return how many rows a series must have, to be learned from."""
    return least_known(arguments.lookback) + arguments.horizon


def long_enough(rows: Panel, least: int) -> np.ndarray:
    """Whether a series has so many rows, and two values among them, (series,) bool."""
    return (rows.lengths >= least) & any_known(rows, 2)


def survey_of(
    scan: ScannedPanel, arguments: Arguments, progress: Callable[[str, int, int, float], None]
) -> Survey:
    """Read a panel once.

    Args:
        scan: the panel.
        arguments: of the forecaster.
        progress: called after each block.

    Raises:
        DataError: where it can't be learned from; see `learnable`.
    """
    inputs, least = InputSurvey(), least_rows(arguments)
    sample = SeriesSample(rows=max(1, scan.rows // _SHARE), series=_SERIES, seed=arguments.seed)
    found = Survey(None, Encoder())  # type: ignore[arg-type]  # the sample is whole at the end
    for rows in scan.surveyed(progress, "reading"):
        check_counts(rows, arguments.likelihood)
        kept = long_enough(rows, least)
        if not kept.all():
            found.short += int((~kept).sum())
            room = _LISTED - len(found.short_keys)
            found.short_keys += rows.keys[~kept][:room].tolist()
            rows = rows.select(np.flatnonzero(kept))
        if not len(rows):
            continue
        unknown = np.isnan(rows.values).any(axis=1)
        if unknown.any() and arguments.missing == "raise":
            _refuse_missing(rows, unknown)
        inputs.add(rows)
        sample.add(rows)
        found.series += len(rows)
        found.rows += len(rows.values)
        found.missing += int(unknown.sum())
        found.lowest = float(np.fmin(found.lowest, np.fmin.reduce(rows.values[:, 0])))
    if found.short and (arguments.short == "raise" or not found.series):
        _refuse_short(found, arguments)
    found.encoder = inputs.encoder()
    found.sample = placed(sample.taken(), scan.grid())
    return found


def notes_of(survey: Survey, arguments: Arguments) -> list[str]:
    """Say what was learned from, and on what the choices stand."""
    notes = [
        f"learned from {survey.series:,} series of {survey.rows:,} rows, block by block; season, "
        "scale, transform, length of the training and intervals were chosen on a sample of "
        f"{len(survey.sample):,} of them, of {len(survey.sample.values):,} steps"
    ]
    if survey.short:
        notes.append(f"left out: {_short(survey, arguments)}")
    if survey.missing:
        notes.append(
            f"{survey.missing:,} of {survey.rows:,} rows have missing values: they don't count in "
            "the loss, and the network is shown the last known value in their place, a season "
            "later that of the latest season known"
        )
    return notes


def _short(survey: Survey, arguments: Arguments) -> str:
    horizon, need = arguments.horizon, least_rows(arguments)
    return (
        f"{survey.short:,} of {survey.short + survey.series:,} series have too few rows to learn "
        f"from: {format_keys(np.array([*survey.short_keys[:5]], object))}"
        + (f" and {survey.short - 5:,} more" if survey.short > 5 else "")
        + f"; lookback {need - horizon} + horizon {horizon} need at least {need} with a value "
        "among them"
    )


def _refuse_short(survey: Survey, arguments: Arguments) -> None:
    more = ', or go on without them by short="drop"' if survey.series else ""
    raise DataError(f"{_short(survey, arguments)}: take a shorter horizon or lookback{more}")


def _refuse_missing(rows: Panel, unknown: np.ndarray) -> None:
    row = int(unknown.argmax())
    key = rows.keys[int(np.searchsorted(rows.offsets, row, "right")) - 1 :][:1]
    raise DataError(
        f"a value is missing at {rows.time[row]} of series {format_keys(key)}: fill it in, or "
        'leave such values out of the loss by missing="mask"'
    )
