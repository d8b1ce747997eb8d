"""Panels filled up to a round number of series, so that blocks share compiled programs."""

from dataclasses import replace

import numpy as np

from statewise.sequences import Panel
from statewise.tasks.forecasting.training_data import any_known

_FILL = "filled up"  # part of a key


def filled_up(panel: Panel) -> Panel:
    """Return a panel filled up to a round number of series: programs are compiled for a number.

    The shortest one is repeated, by an eighth of their number at most. Where inputs must be known
    for the future of each series, none is put in.
    """
    count = len(panel)
    step = 1 << max(0, count.bit_length() - 4)
    more = -count % step
    moved = any_known(panel, 2)  # others would be warned of
    if not more or panel.columns.future or not moved.any():
        return panel
    shortest = np.full(more, int(np.argmin(np.where(moved, panel.lengths, np.inf))))
    filled = panel.select(np.concatenate([np.arange(count), shortest]))
    keys = np.empty(len(filled), object)
    keys[:count] = panel.keys
    for i in range(more):  # they stand behind all others
        keys[count + i] = (_FILL, i)
    return replace(filled, keys=keys)
