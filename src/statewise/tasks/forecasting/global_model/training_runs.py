"""Networks that learn from a panel, several at a time.

A small network's update is many short pieces of work that follow each other, too short for two
processors to share. Two networks that train at the same time keep both busy: on two cores three of
them take twice as long as one, not three times.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.config import Request, draw_windows, schedule_of
from statewise.tasks.forecasting.global_model.features import Arrays
from statewise.tasks.forecasting.global_model.training import Trainer

Result = TypeVar("Result")


class TrainingRun:
    """A network in training, and the windows that it's shown.

    Args:
        architecture: of the network.
        data: the panel, on the network's scale.
        lengths: how many steps of each series may be looked at.
        request: what was asked for.
        number: distinguishes the run's initial weights and windows from those of others.

    Attributes:
        losses: the mean loss of each epoch.
    """

    def __init__(
        self,
        architecture: Architecture,
        data: Arrays,
        lengths: np.ndarray,
        request: Request,
        number: int,
    ):
        self._lengths, self._request = lengths, request
        self._training = Trainer(architecture, schedule_of(request), data, request.seed + number)
        self._rng = np.random.default_rng([request.seed, number])
        self._begins = np.asarray(data.begins)
        self.losses: list[float] = []

    @property
    def weights(self) -> dict:
        """The network's weights so far."""
        return self._training.weights

    def epoch(self) -> float:
        """Train for an epoch, and return its mean loss."""
        drawn = draw_windows(self._rng, self._lengths, self._begins, self._request)
        self.losses.append(self._training.epoch(*drawn))
        return self.losses[-1]


def in_threads(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Return the results of all calls, in their order; wait for all of them.

    An exception of any call is raised, the first call's first.

    >>> in_threads([lambda: 1, lambda: 2])
    [1, 2]
    """
    if len(calls) < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
