"""How far workers are, told as `Forecaster.fit` tells how far it is."""

import math
from collections.abc import Callable

import keras

from statewise.tasks.forecasting.progress import Progress

FORECASTING = "forecasting"  # the phase in which workers forecast, block by block


def counted(
    progress: Progress | bool | None, most: int, phase: str = FORECASTING
) -> Callable[[int], None] | None:
    """Return what an executor calls with the number of tasks done.

    Args:
        progress: called with the phase, the tasks done, how many there are, and NaN for a loss;
            True for a bar, on stdout.
        most: how many there are.
        phase: what goes on.

    >>> told = []
    >>> counted(lambda *all_of_it: told.append(all_of_it), 3)(1)
    >>> told
    [('forecasting', 1, 3, nan)]
    """
    if callable(progress):
        return lambda done: progress(phase, done, most, math.nan)
    if not progress:
        return None
    bar = keras.utils.Progbar(most, unit_name="block")
    return lambda done: bar.update(done, finalize=done == most)
