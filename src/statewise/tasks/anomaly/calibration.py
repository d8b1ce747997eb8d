"""How odd the steps of the training were: what a stream's tail begins with."""

from collections.abc import Sequence

import numpy as np

from statewise.tasks.anomaly.cells import LEAST_EXCESS, MEMORY, SCALES, TAIL, groups_of
from statewise.tasks.anomaly.networks import HELD, Tail

_LEAST = 32  # steps that the training is worth at least


def tail_of(odd: Sequence[np.ndarray], features: int) -> Tail:
    """Return the tail of what a network that is trained makes of its training.

    Args:
        odd: what `SurpriseCell` gave for each series, (time, groups + features).
        features: how many.
    """
    groups = groups_of(features)
    shape = (len(SCALES), groups)
    levels, excesses, averages = (np.zeros(shape, np.float32) for _ in range(3))
    for group in range(groups):
        parts = [_usable(one, group, groups, features) for one in odd]
        every = np.concatenate(parts)
        if not every.size:
            every, parts = np.zeros(1), [np.zeros(1)]
        for at, scale in enumerate(SCALES):
            # Each average begins at that of all: a series' first steps are no quiet ones.
            smoothed = [_smoothed(one, scale, every.mean()) for one in parts]
            # What was trained on errs less than what comes: the held-out steps may tell of more.
            late = [one[int((1 - HELD) * len(one)) :] for one in smoothed]
            told = [_above(np.concatenate(one)) for one in (smoothed, late) if sum(map(len, one))]
            levels[at, group], excesses[at, group] = np.max(told, axis=0)
            averages[at, group] = every.mean()
    steps = sum(len(one) for one in odd)
    return Tail(levels, excesses, averages, float(np.clip(steps, _LEAST, MEMORY)))


def _usable(odd: np.ndarray, group: int, groups: int, features: int) -> np.ndarray:
    """Return the oddness of a group, of the steps that have one."""
    known = odd[:, groups:] > 0
    there = known.any(1) if features > 1 and group == 0 else known[:, max(group - 1, 0)]
    return odd[there, group].astype(np.float64)


def _above(odd: np.ndarray) -> tuple[float, float]:
    """Return the level of a tail, and the mean excess over it."""
    level = np.quantile(odd, 1 - TAIL)
    over = odd[odd > level] - level
    return level, max(over.mean() if over.size else 0.0, LEAST_EXCESS)


def _smoothed(odd: np.ndarray, scale: int, begin: float) -> np.ndarray:
    from scipy.signal import lfilter  # it takes long to load

    if not odd.size:
        return odd
    keep = 1 - 1 / scale
    return lfilter([1 - keep], [1.0, -keep], odd, zi=[keep * begin])[0]
