"""A panel cut into blocks of series, which workers forecast by themselves."""

from collections.abc import Iterator

import numpy as np

from statewise.sequences import Panel
from statewise.tasks.forecasting.global_model.ordering import order_of

_MOST, _LEAST, _BLOCKS = 1024, 16, 16


def places_of_blocks(keys: np.ndarray) -> list[np.ndarray]:
    """Return for each block the places of its series in a panel; each series is in one.

    How many series a block has depends on how many there are, and not on who forecasts them: what
    is drawn for a series is the same with one worker and with fifty. Neither does it depend on the
    order in which they came.

    Args:
        keys: of the panel, (series,).

    >>> [len(places) for places in places_of_blocks(np.arange(40))]
    [16, 16, 8]
    """
    size = int(np.clip(1 << (-(-len(keys) // _BLOCKS) - 1).bit_length(), _LEAST, _MOST))
    order = order_of(keys)
    return [order[begin : begin + size] for begin in range(0, len(order), size)]


def blocks_of(panel: Panel, places: list[np.ndarray]) -> Iterator[Panel]:
    """Yield the blocks of a panel, one after the other as they are asked for."""
    for which in places:
        yield panel.select(which)
