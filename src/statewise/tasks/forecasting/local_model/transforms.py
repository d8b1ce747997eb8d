"""The ways to bring a series on a scale a network learns well on, among which validation chooses.

A recurrent network's units saturate: it can't put out values far above those it was trained on, so
a growing series has to be made level first. Differences (to the step before, to the same step of
the season before, or both) take trend and season out of what the network sees and put them back
into what it says; the logarithm does the same for swings that grow with the level. What is left is
brought to mean 0 and standard deviation 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statewise.sequences import Difference, Log, Pipeline, StandardScaler


@dataclass(frozen=True)
class TransformSpec:
    """One way to transform a series.

    Attributes:
        log: whether to take the logarithm first.
        lags: differences to take then, one after the other.
    """

    log: bool
    lags: tuple[int, ...]

    @property
    def steps_lost(self) -> int:
        """By so many steps the series becomes shorter."""
        return sum(self.lags)

    def __str__(self) -> str:
        """Say it in words."""
        parts = ["logarithm"] if self.log else []
        parts += [f"difference over {lag} step" + ("s" if lag > 1 else "") for lag in self.lags]
        return ", ".join(parts) or "none"

    def fit(self, train: np.ndarray) -> Pipeline:
        """Return the transforms, scaling included, fitted on the training part."""
        logs = [Log()] if self.log else []
        return Pipeline([*logs, *map(Difference, self.lags), StandardScaler()]).fit(train)


def transform_specs(
    train: np.ndarray, *, seasons: Sequence[int], most_lost: int
) -> list[TransformSpec]:
    """Return the candidates for a training part, the plainest first.

    Args:
        train: its values, (time,). The logarithm is a candidate where all are above 0.
        seasons: the steps of each season; 1 is none.
        most_lost: so many steps may be lost; candidates that lose more are left out.

    >>> [str(one) for one in transform_specs(np.array([3.0, -1.0]), seasons=[4], most_lost=1)]
    ['none', 'difference over 1 step']
    """
    lags: list[tuple[int, ...]] = [(), (1,)]
    for season in seasons:
        if season > 1:
            lags += [(season,), (season, 1)]
    logs = (False, True) if train.min() > 0 else (False,)
    return [TransformSpec(log, each) for log in logs for each in lags if sum(each) <= most_lost]
