"""The network: recurrent layers over a sequence, what they made of it, and what follows from that.

Of the outputs h(t) of the last recurrent layer, steps t = 1..n, three summaries are taken, each a
vector, and a dense layer reads them side by side::

    mean(t) h(t)      max(t) h(t)      h(n), of the way backwards h(1): its last

In the mean every step counts, in the maximum one step is enough, and the last has what the state
kept of the whole. Where each step has a target, the dense layer reads h(t) of each instead.

Several sequences may follow each other in a row (see `rows`): at each one's begin the state is the
initial one, and summaries are taken of each by itself.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from statewise.recurrence import CELLS, Weights, run
from statewise.tasks.classification.rows import Places
from statewise.tasks.forecasting.initial_weights import glorot_uniform, orthogonal


@dataclass(frozen=True)
class Architecture:
    """What a network is made of.

    Attributes:
        features: of an input step.
        outputs: how many numbers it tells: a score for each class, or the numbers themselves.
        cell: "lstm", "gru" or "rnn".
        units: of a recurrent layer, in each direction.
        layers: how many recurrent layers.
        bidirectional: whether a sequence is read backwards too.
        per_step: whether it tells something of each step.
    """

    features: int
    outputs: int
    cell: str
    units: int
    layers: int
    bidirectional: bool
    per_step: bool

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of its weights: of each layer and direction three, then of the head two."""
        gates, ways = len(CELLS[self.cell].gates), 1 + self.bidirectional
        wide, found = gates * self.units, list[tuple[int, ...]]()
        for layer in range(self.layers):
            read = ways * self.units if layer else self.features
            bias = (2, wide) if self.cell == "gru" else (wide,)
            found += [(read, wide), (self.units, wide), bias] * ways
        told = ways * self.units * (1 if self.per_step else 3)
        return [*found, (told, self.outputs), (self.outputs,)]

    @property
    def weights(self) -> int:
        """How many weights it has."""
        return sum(int(np.prod(shape)) for shape in self.shapes)


class Dropout(NamedTuple):
    """What is drawn in training.

    Attributes:
        key: of the draws.
        part: of a layer's outputs, and of the summaries, that is left out.
        noise: added to the inputs, as a standard deviation.
    """

    key: Array
    part: float
    noise: float


def initial_weights(architecture: Architecture, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw the weights that a network begins with, as Keras would."""
    units, found = architecture.units, []
    for number, shape in enumerate(architecture.shapes):
        head = number >= len(architecture.shapes) - 2
        if not head and number % 3 == 1:
            gates = shape[1] // units
            drawn = np.hstack([orthogonal(rng, units, units) for _ in range(gates)])
        elif len(shape) == 2 and (head or number % 3 == 0):
            drawn = glorot_uniform(rng, *shape)
        else:
            drawn = np.zeros(shape)
            if architecture.cell == "lstm" and not head:
                drawn[units : 2 * units] = 1  # to forget little at first
        found.append(drawn.astype(np.float32))
    return found


def tell(
    architecture: Architecture,
    weights: list[Array],
    x: Array,
    places: Places,
    dropout: Dropout | None = None,
) -> Array:
    """Return what a network tells of each sequence in some rows, or of each step.

    Args:
        architecture: of it.
        weights: as ``architecture.shapes`` says.
        x: (rows, time, features).
        places: where sequences lie in the rows.
        dropout: what is drawn; None where nothing is learned.

    Returns:
        (rows, places, outputs); what is told where no sequence lies means nothing. With
        ``per_step`` (rows, time, outputs).
    """
    begins, ends, members = places
    steps, there = jnp.arange(x.shape[1]), members >= 0
    inside = (steps >= begins[..., None]) & (steps < ends[..., None]) & there[..., None]
    valid = inside.any(1)  # (rows, time)
    first = ((steps == begins[..., None]) & inside).any(1)
    last = ((steps == ends[..., None] - 1) & inside).any(1)
    keys = iter(() if dropout is None else jax.random.split(dropout.key, architecture.layers + 1))
    if dropout is not None and dropout.noise:
        x = x + dropout.noise * jax.random.normal(jax.random.fold_in(dropout.key, 7), x.shape)
    cell, own = CELLS[architecture.cell], iter(weights)
    start = cell.initial_state(x.shape[0], architecture.units, x.dtype)
    h = x
    for layer in range(architecture.layers):
        if layer and dropout is not None:
            h = _dropped(h, dropout, next(keys))
        ways = []
        for backwards in (False, True)[: 1 + architecture.bidirectional]:
            given: Any = Weights(next(own), next(own), next(own))
            begun = last if backwards else first
            if backwards:  # a sequence begins at its end there
                turned = jnp.flip(h, 1)
                result = run(
                    cell, turned, start, given, mask=jnp.flip(valid, 1), resets=jnp.flip(begun, 1)
                )
                ways.append(jnp.flip(cast(Array, result.outputs), 1))
            else:
                result = run(cell, h, start, given, mask=valid, resets=begun)
                ways.append(cast(Array, result.outputs))
        h = jnp.concatenate(ways, -1)
    if not architecture.per_step:
        h = _summaries(architecture, h, places, valid, first)
    if dropout is not None:
        h = _dropped(h, dropout, next(keys))
    return h @ next(own) + next(own)


def _summaries(
    architecture: Architecture,
    h: Array,
    places: Places,
    valid: Array,
    first: Array,
) -> Array:
    """Return mean, maximum and last of the outputs of each sequence, (rows, places, 3 * ...)."""
    begins, ends, _ = places
    stops = jnp.maximum(ends - 1, 0)[..., None]
    zeros = jnp.zeros_like(h[:, 0])

    # Step by step, so that a sum is the same to the bit wherever a sequence lies in its row.
    def step(carried, now):
        total, most, where = carried
        h, begun, there, t = now
        value, begun, there = jax.lax.stop_gradient(h), begun[:, None], there[:, None]
        total = jnp.where(begun, h, jnp.where(there, total + h, total))
        more = begun | (there & (value > most))
        carried = total, jnp.where(more, value, most), jnp.where(more, t, where)
        return carried, (total, carried[2])

    over = (h.swapaxes(0, 1), first.T, valid.T, jnp.arange(h.shape[1]))
    _, found = jax.lax.scan(step, (zeros, zeros, jnp.zeros(zeros.shape, jnp.int32)), over)
    totals, wheres = (jnp.take_along_axis(one.swapaxes(0, 1), stops, 1) for one in found)
    mean = totals / jnp.maximum(ends - begins, 1)[..., None]
    most = jnp.take_along_axis(h, wheres, 1)
    last = jnp.take_along_axis(h, stops, 1)
    if architecture.bidirectional:
        units = architecture.units
        backwards = jnp.take_along_axis(h, begins[..., None], 1)
        last = jnp.concatenate([last[..., :units], backwards[..., units:]], -1)
    return jnp.concatenate([mean, most, last], -1)


def _dropped(h: Array, dropout: Dropout, key: Array) -> Array:
    """Leave out a part of what a layer gave."""
    if not dropout.part:
        return h
    kept = jax.random.bernoulli(key, 1 - dropout.part, h.shape)
    return jnp.where(kept, h / (1 - dropout.part), 0)
