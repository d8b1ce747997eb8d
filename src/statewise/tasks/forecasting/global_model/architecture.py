"""What a global network is built of, and the weights that it begins with."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from statewise.recurrence import CELLS
from statewise.tasks.forecasting.distributions import LIKELIHOODS
from statewise.tasks.forecasting.initial_weights import glorot_uniform, orthogonal

LEVEL = 8  # so many latest values give the level of counts


@dataclass(frozen=True)
class Architecture:
    """What a network is built of. Everything a compiled program depends on is in here.

    Attributes:
        cell: "lstm", "gru" or "rnn".
        units: of each recurrent layer.
        layers: recurrent layers.
        channels: the target and the past-only inputs.
        inputs: numbers known for each step, those of the series' own included.
        categories: for each static category how many there are.
        season: steps in a season, 1 for none; an untrained network may repeat it.
        lookback: known steps to warm up over.
        likelihood: a name out of ``LIKELIHOODS``.
        gaps: whether the network sees which values were missing.
        season_seen: whether it sees the season before.
        shortcut: whether the head sees the features as they are.
        also: the steps of other seasons that it sees.
    """

    cell: str
    units: int
    layers: int
    channels: int
    inputs: int
    categories: tuple[int, ...]
    season: int
    lookback: int
    likelihood: str
    gaps: bool
    season_seen: bool = True
    shortcut: bool = True
    also: tuple[int, ...] = ()

    @property
    def seasons(self) -> tuple[int, ...]:
        """The steps of all seasons, first that of the one which may be repeated."""
        return (self.season, *self.also) if self.season > 1 else ()

    @property
    def near(self) -> tuple[int, ...]:
        """The season that is looked up among the latest values, the shortest."""
        return (min(self.seasons),) if self.seasons else ()

    @property
    def distant(self) -> tuple[int, ...]:
        """The other seasons, see `distant`."""
        return tuple(sorted(set(self.seasons) - set(self.near)))

    @property
    def averages(self) -> tuple[int, ...]:
        """Over how many latest values the averages run."""
        return tuple(sorted({4, 16, *self.near}))

    @property
    def reach(self) -> int:
        """So many values up to a step its features depend on."""
        return max(min(self.seasons, default=1) + 1, *self.averages, LEVEL)

    @property
    def features(self) -> int:
        """Numbers that come from the series themselves at each step."""
        seasonal = 2 * len(self.seasons) if self.season_seen else 0
        return self.channels * (1 + len(self.averages) + seasonal)

    @property
    def widths(self) -> tuple[int, ...]:
        """How many numbers stand for each static category."""
        return tuple(min(8, (count + 1) // 2) for count in self.categories)

    @property
    def seen(self) -> int:
        """Numbers that the first recurrent layer takes."""
        gaps = self.channels if self.gaps else 0
        return self.features + self.inputs + sum(self.widths) + gaps

    @property
    def outputs(self) -> int:
        """Numbers that the head gives for each channel."""
        return LIKELIHOODS[self.likelihood].outputs


def initial_weights(architecture: Architecture, seed: int) -> dict[str, Any]:
    """Draw a network's weights: a recurrent layer gate by gate, a head of zeros.

    Args:
        architecture: of the network.
        seed: of the draws; NumPy makes them, so they are the same everywhere.
    """
    rng = np.random.default_rng(seed)
    gates = len(CELLS[architecture.cell].gates)
    units, width = architecture.units, architecture.seen
    layers: list[list[np.ndarray]] = []
    for _ in range(architecture.layers):
        kernel = glorot_uniform(rng, width, gates * units, outputs=units)
        if architecture.gaps and not layers:  # where nothing was missing, it knows of no gaps
            kernel[-architecture.channels :] = 0
        recurrent = [orthogonal(rng, units, units) for _ in range(gates)]
        bias = np.zeros((2, gates * units) if architecture.cell == "gru" else gates * units)
        if architecture.cell == "lstm":
            bias[units : 2 * units] = 1  # the forget gate begins open
        layers.append([kernel, np.concatenate(recurrent, 1), bias])
        width = units
    outputs = architecture.channels * architecture.outputs
    weights = {
        "layers": layers,
        "head": np.zeros((units, outputs)),
        "bias": np.zeros(outputs),
        "tables": [
            0.1 * rng.normal(size=(count, width))
            for count, width in zip(architecture.categories, architecture.widths, strict=True)
        ],
    }
    if architecture.shortcut:
        weights["shortcut"] = np.zeros((architecture.seen, outputs))
    return jax.tree.map(lambda a: jax.device_put(a.astype(np.float32)), weights)
