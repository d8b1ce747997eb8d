"""Scores cut into intervals, and what a step's score is called."""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from statewise.tasks.anomaly.cells import SCALES
from statewise.tasks.anomaly.data import Taken

QUIET = max(SCALES)  # steps below the threshold that end an interval


class Reading(NamedTuple):
    """What a step, or several, came to.

    Attributes:
        score: minus the decimal logarithm of how likely such a step was; NaN where there is none.
        by_feature: the same of each feature, (features,).
        is_anomaly: whether the score reaches the threshold.
    """

    score: float | np.ndarray
    by_feature: np.ndarray
    is_anomaly: bool | np.ndarray


def spans_of(scores: np.ndarray, threshold: float, quiet: int = QUIET) -> list[tuple[int, int]]:
    """Return the first and last step of each interval, strictly by what came before.

    An interval begins where a score reaches the threshold, and ends at its last step that does
    before ``quiet`` steps that don't.

    >>> spans_of(np.array([0.0, 5, 0, 5, 0, 0, 0, 5]), 4.0, quiet=2)
    [(1, 3), (7, 7)]
    """
    high = np.flatnonzero(np.nan_to_num(scores, nan=-np.inf) >= threshold)
    if not high.size:
        return []
    cuts = np.flatnonzero(np.diff(high) > quiet)
    begins, ends = high[np.append(0, cuts + 1)], high[np.append(cuts, len(high) - 1)]
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def table_of(taken: Taken, scores: Mapping[Hashable, np.ndarray], threshold: float) -> pd.DataFrame:
    """Return intervals, a row each: key, begin, end, steps, score, feature, worst.

    Args:
        taken: the data.
        scores: of each row, (time, 1 + features), by key.
        threshold: from which on a step is an anomaly.
    """
    rows = []
    for key, one in taken.series.items():
        stamps: Sequence = range(len(one.values)) if one.index is None else one.index
        stamps = stamps if one.time is None else one.time
        of_key = scores[key]
        for first, last in spans_of(of_key[:, 0], threshold):
            inside = of_key[first : last + 1]
            worst = first + int(np.nanargmax(inside[:, 0]))
            odd = inside[worst - first, 1:]
            feature = 0 if np.isnan(odd).all() else int(np.nanargmax(odd))
            rows.append(
                {
                    "key": key,
                    "begin": stamps[first],
                    "end": stamps[last],
                    "steps": last - first + 1,
                    "score": float(of_key[worst, 0]),
                    "feature": one.names[feature],
                    "worst": stamps[worst],
                }
            )
    names = ["key", "begin", "end", "steps", "score", "feature", "worst"]
    return pd.DataFrame(rows, columns=names)
