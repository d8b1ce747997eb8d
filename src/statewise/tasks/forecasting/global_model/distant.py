"""Seasons that lie further back than the latest values a closed loop carries along.

Of several seasons the shortest is looked up among the latest values, forecast ones included. What
stood a longer one before is looked up in the panel, once for all steps: a window would have to be
as long as that season, and the loop would copy it at each step. Where even that lies ahead of what
is known, the latest season known stands in.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.features import Arrays


class Distant(NamedTuple):
    """What stood long seasons before the step that comes next.

    Attributes:
        before: the values, (batch, steps, seasons, channels).
        move: by how much the series moved there.
        there: whether it had begun then, (batch, steps, seasons, 1) bool.
    """

    before: Array
    move: Array
    there: Array

    def steps(self, begin: int, stop: int) -> "Distant":
        """Return those of some steps."""
        return jax.tree.map(lambda a: a[:, begin:stop], self)


def look_back(
    architecture: Architecture, data: Arrays, first: Array, begin: Array, horizon: int
) -> Distant | None:
    """Look up the long seasons of each step from the warm-up's first one on; None where none is.

    Args:
        architecture: of the network.
        data: the panel.
        first: the row of the first step to forecast, (batch,).
        begin: the row at which the series begins, (batch,).
        horizon: steps to forecast.
    """
    if not architecture.distant:
        return None
    values: Any = data.values if data.seasonal is None else data.seasonal
    season = jnp.array(architecture.distant)
    # Of the steps known, the last value known of each is now; the next one is asked for.
    now = first[:, None] + jnp.arange(-architecture.lookback, horizon)
    rows = now[..., None] + 1 - season  # (batch, steps, seasons)
    beyond = jnp.maximum(rows - (first[:, None, None] - 1), 0)
    rows = rows - -(-beyond // season) * season
    there = rows - 1 >= begin[:, None, None]
    rows = jnp.maximum(rows, begin[:, None, None] + 1)
    before = values[rows]
    return Distant(before, before - values[rows - 1], there[..., None])
