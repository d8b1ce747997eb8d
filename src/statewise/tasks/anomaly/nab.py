"""The score of the Numenta Anomaly Benchmark: alarms weighed by how early in a window they come.

A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly
Benchmark", ICMLA 2015, section II; positions, profiles and the probationary part by the notes of
the benchmark (https://github.com/numenta/NAB/wiki).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from statewise.tasks.anomaly.intervals import spans_of

PROBATION, _LONGEST = 0.15, 5000  # of a series, at most of so many steps
_FAR = 3.0  # widths of a window after it, from which on a false alarm counts whole


class Profile(NamedTuple):
    """What an alarm costs.

    Attributes:
        hit: what a window's first alarm gives, at its first step.
        false_alarm: what an alarm outside of every window costs.
        miss: what a window without an alarm costs.
    """

    hit: float
    false_alarm: float
    miss: float


PROFILES = {
    "standard": Profile(1.0, 0.11, 1.0),
    "few false alarms": Profile(1.0, 0.22, 1.0),
    "few misses": Profile(1.0, 0.11, 2.0),
}


class Judged(NamedTuple):
    """What alarms of one series come to.

    Attributes:
        score: of these alarms, before it's normalised.
        hits: windows with an alarm.
        misses: windows without one.
        false_alarms: alarms outside of every window.
    """

    score: float
    hits: int
    misses: int
    false_alarms: int


def weight_of(position: float) -> float:
    """Return what an alarm is worth, ``2 / (1 + exp(5 y)) - 1``, -1 from three widths on.

    Args:
        position: y, in widths of the window: -1 at its beginning, 0 at its end, above 0 after it.

    >>> weight_of(-1.0), weight_of(0.0), weight_of(3.5)
    (0.986..., 0.0, -1.0)
    """
    return -1.0 if position > _FAR else float(2.0 / (1.0 + np.exp(5.0 * position)) - 1.0)


def probation_of(steps: int) -> int:
    """Return how many steps at the beginning of a series don't count.

    >>> probation_of(4032), probation_of(22695)
    (604, 750)
    """
    return int(min(PROBATION * steps, PROBATION * _LONGEST))


def judge(
    alarms: Iterable[int],
    windows: Sequence[tuple[int, int]],
    *,
    probation: int = 0,
    profile: str = "standard",
) -> Judged:
    """Weigh the alarms of one series.

    Of a window with the first step ``a`` and the last ``b``, only the first alarm counts, at
    ``y = -(b - t + 1) / (b - a + 1)``, as ``hit * w(y) / w(-1)``; w is `weight_of`. An alarm
    outside counts ``false_alarm * w((t - b) / (b - a))`` by the window before it, and
    ``-false_alarm`` where there is none; a window without an alarm ``-miss``.

    Args:
        alarms: numbers of steps.
        windows: the first and last step of each anomaly, in their order, without overlaps.
        probation: alarms at so many steps at the beginning don't count.
        profile: one of `PROFILES`.

    Raises:
        ValueError: for another profile, or windows that aren't in order.

    >>> judge([100], [(100, 199)])
    Judged(score=1.0, hits=1, misses=0, false_alarms=0)
    >>> judge([5, 7], [(100, 199)])
    Judged(score=-1.22, hits=0, misses=1, false_alarms=2)
    """
    if profile not in PROFILES:
        raise ValueError(f"profile={profile!r}: expected one of {', '.join(PROFILES)}")
    flat = [step for window in windows for step in window]
    if flat != sorted(flat) or any(len(window) != 2 for window in windows):
        raise ValueError(f"windows={list(windows)!r:.80}: expected (first, last) steps in order")
    hit, false_alarm, miss = PROFILES[profile]
    found: dict[int, float] = {}
    wrong: list[float] = []
    for step in sorted(set(map(int, alarms))):
        if step < probation:
            continue
        begun = [i for i, (first, _) in enumerate(windows) if first <= step]
        if not begun:
            wrong.append(-1.0)
            continue
        first, last = windows[begun[-1]]
        if step <= last:
            place = -(last - step + 1) / (last - first + 1)
            found.setdefault(begun[-1], weight_of(place) / weight_of(-1.0))
        else:
            wrong.append(weight_of((step - last) / max(last - first, 1)))
    missed = len(windows) - len(found)
    score = hit * sum(found.values()) + false_alarm * sum(wrong) - miss * missed
    return Judged(float(score), len(found), missed, len(wrong))


def alarms_of(scores: np.ndarray, threshold: float, quiet: int = 0) -> list[int]:
    """Return the steps that are alarms: those that reach the threshold.

    Args:
        scores: of each step; NaN where there is none.
        threshold: from which on a step is an alarm.
        quiet: how many steps below it have to come before an alarm is a new one; 0 for every step.

    >>> alarms_of(np.array([0.0, 5, 0, 5, 0, 0, 0, 5]), 4.0, quiet=2)
    [1, 7]
    """
    if quiet:
        return [first for first, _ in spans_of(scores, threshold, quiet)]
    return np.flatnonzero(np.nan_to_num(scores, nan=-np.inf) >= threshold).tolist()


def nab_score(judged: Iterable[Judged], profile: str = "standard") -> float:
    """Return the score of several series: 100 for every window at once, 0 for no alarm at all.

    ``100 (S - S_null) / (S_perfect - S_null)``, with S the sum over the series, and of n windows
    ``S_null = -miss n`` and ``S_perfect = hit n``.

    Raises:
        ValueError: where there is no window.

    >>> nab_score([judge([100], [(100, 199)]), judge([], [(7, 9)])])
    50.0
    """
    every = list(judged)
    count = sum(one.hits + one.misses for one in every)
    if not count:
        raise ValueError("there is no window: a score needs one anomaly at least")
    hit, _, miss = PROFILES[profile]
    null, perfect = -miss * count, hit * count
    return float(100 * (sum(one.score for one in every) - null) / (perfect - null))


def best_threshold(
    scores: Mapping[str, np.ndarray],
    windows: Mapping[str, Sequence[tuple[int, int]]],
    *,
    profile: str = "standard",
    quiet: int = 0,
    candidates: int = 400,
) -> tuple[float, float]:
    """Return the one threshold for all series that scores highest, and that score.

    This is how the benchmark's own table was made, of every detector alike: **with the labels
    known**. It tells how well scores order steps, not what a detector does by itself.

    Args:
        scores: of each step, by series; a step is an alarm where it reaches the threshold.
        windows: of each series.
        profile: one of `PROFILES`.
        quiet: an alarm counts only after so many steps without one, see `alarms_of`.
        candidates: how many thresholds are tried, quantiles of all scores.

    Raises:
        ValueError: where no score is a number.
    """
    every = np.concatenate([np.asarray(one, float).ravel() for one in scores.values()])
    every = np.unique(every[np.isfinite(every)])
    if not every.size:
        raise ValueError("scores: none of them is a number")
    # As many among the few highest as among the rest: alarms are rare.
    places = 1 - np.geomspace(1 / every.size, 1, candidates)
    tried = np.append(np.quantile(every, np.clip(places, 0, 1)), np.nextafter(every[-1], np.inf))
    best = (-np.inf, np.inf)
    for threshold in np.unique(tried):
        total = nab_score(
            [
                judge(
                    alarms_of(one, threshold, quiet),
                    windows[name],
                    probation=probation_of(len(one)),
                    profile=profile,
                )
                for name, one in scores.items()
            ],
            profile,
        )
        best = max(best, (total, float(threshold)))
    return best[1], best[0]
