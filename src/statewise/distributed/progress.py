"""How far workers are, told as `Forecaster.fit` tells how far it is."""

import math
from collections.abc import Callable

from statewise.tasks.forecasting.progress import Progress, as_progress

FORECASTING = "forecasting"  # the phase in which workers forecast, block by block


def counted(
    progress: Progress | bool | None, blocks: int, series: int, phase: str = FORECASTING
) -> Callable[[int], None]:
    """Return what an executor calls with the number of blocks done.

    Args:
        progress: called with the phase, the series done, how many there are, and NaN for a loss;
            True for a bar, on stdout.
        blocks: how many there are, of the same size but for the last.
        series: in all of them.
        phase: what goes on.

    >>> told = []
    >>> counted(lambda *all_of_it: told.append(all_of_it), 3, 40)(2)
    >>> told
    [('forecasting', 28, 40, nan)]
    """
    show = as_progress(progress)
    size = -(-series // blocks)
    return lambda done: show(phase, min(done * size, series), series, math.nan)
