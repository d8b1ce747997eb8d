"""Learning from a panel that is never in memory whole.

One pass counts its series, measures its inputs and draws a sample of them. On the sample is chosen
what `GlobalModel` chooses on a panel: seasons, transform, length of the training, intervals. Then
the networks are trained on windows of all series, brought together in further passes.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from statewise.sequences import Panel
from statewise.tasks.forecasting.engine import Arguments
from statewise.tasks.forecasting.global_model.config import request_of
from statewise.tasks.forecasting.global_model.model import GlobalModel
from statewise.tasks.forecasting.global_model.window_pool import Wider
from statewise.tasks.forecasting.known_steps import on_calendar
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.scanned.panel import Keep, ScannedPanel
from statewise.tasks.forecasting.scanned.survey import (
    least_rows,
    long_enough,
    notes_of,
    survey_of,
)
from statewise.tasks.forecasting.training_data import on_season


def fit_scanned(
    scan: ScannedPanel, arguments: Arguments, progress: Progress
) -> tuple[GlobalModel, int]:
    """Choose on a sample of a panel, and train on all of it.

    Args:
        scan: the panel.
        arguments: of the forecaster.
        progress: called after each block and each epoch.

    Returns:
        The model, and how many series it learned from.

    Raises:
        DataError: where it can't be learned from.
    """
    survey = survey_of(scan, arguments, progress)
    found, tentative = on_season(survey.sample, arguments)
    of_sample = [f"of the sample, {note}" for note in found.notes]
    training = replace(
        found, notes=notes_of(survey, arguments) + of_sample, left_out=survey.short_keys
    )

    def blocks() -> Iterator[Panel]:
        panels = scan.panels(progress, "collecting", series=survey.series, keep=keeps(arguments))
        return (on_calendar(panel, training.laid_out_by) for panel, _ in panels if panel)

    wider = Wider(blocks, survey.series, survey.encoder, survey.lowest)
    request = request_of(training, arguments, tentative)
    return GlobalModel.learned(training, request, progress, wider), survey.series


def keeps(arguments: Arguments) -> Keep:
    """Return what tells which series are learned from."""
    return partial(long_enough, least=least_rows(arguments))
