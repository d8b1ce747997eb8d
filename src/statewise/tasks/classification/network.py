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
        keys: of the draws, one for the inputs, each layer and the summaries, as
            `jax.random.key_data` of implementation "rbg".
        part: of a layer's outputs, and of the summaries, that is left out.
        noise: added to the inputs, as a standard deviation.
    """

    keys: Array
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
    keys = iter(() if dropout is None else jax.random.wrap_key_data(dropout.keys, impl="rbg"))
    if dropout is not None:
        noise = jax.random.normal(next(keys), x.shape)
        x = x + dropout.noise * noise if dropout.noise else x
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
        summaries = _summaries_exactly if dropout is None else _summaries
        h = summaries(architecture, h, places)
    if dropout is not None:
        h = _dropped(h, dropout, next(keys))
    return h @ next(own) + next(own)


def _summaries(architecture: Architecture, h: Array, places: Places) -> Array:
    """Return mean, maximum and last of the outputs of each sequence, (rows, places, 3 * ...).

    Mean and last are products with a matrix of what each step counts, which learns quickly.
    """
    begins, ends, _ = places
    steps = jnp.arange(h.shape[1])
    inside = (steps >= begins[..., None]) & (steps < ends[..., None])
    mean = inside / jnp.maximum(ends - begins, 1)[..., None]
    counts = [mean, steps == ends[..., None] - 1, steps == begins[..., None]]
    read = jnp.einsum("rpt,rtu->rpu", jnp.concatenate(counts, 1).astype(h.dtype), h)
    mean, last, backwards = jnp.split(read, 3, 1)
    kept = _ends_of(architecture, last, backwards)
    return jnp.concatenate([mean, _maximum(h, inside), kept], -1)


def _summaries_exactly(architecture: Architecture, h: Array, places: Places) -> Array:
    """Return the same, to the bit alike wherever a sequence lies in its row: sums step by step."""
    begins, ends, _ = places
    steps = jnp.arange(h.shape[1])
    inside = (steps >= begins[..., None]) & (steps < ends[..., None])
    first = ((steps == begins[..., None]) & inside).any(1)
    stops = jnp.maximum(ends - 1, 0)[..., None]

    def step(total, now):
        h, begun, there = now
        total = jnp.where(begun, h, jnp.where(there, total + h, total))
        return total, total

    over = (h.swapaxes(0, 1), first.T[..., None], inside.any(1).T[..., None])
    _, totals = jax.lax.scan(step, jnp.zeros_like(h[:, 0]), over)
    total = jnp.take_along_axis(totals.swapaxes(0, 1), stops, 1)
    mean = total / jnp.maximum(ends - begins, 1)[..., None]
    last = jnp.take_along_axis(h, stops, 1)
    backwards = jnp.take_along_axis(h, begins[..., None], 1)
    kept = _ends_of(architecture, last, backwards)
    return jnp.concatenate([mean, _maximum(h, inside), kept], -1)


@jax.custom_vjp
def _maximum(h: Array, inside: Array) -> Array:
    """Return the maximum of each unit (rows, places, units) over the steps of each place.

    Args:
        h: (rows, time, units).
        inside: which steps are a place's, (rows, places, time).
    """
    most = jnp.where(inside[..., None], h[:, None], -jnp.inf).max(2)
    return jnp.where(inside.any(-1)[..., None], most, 0)


def _maximum_forward(h: Array, inside: Array) -> tuple[Array, tuple[Array, ...]]:
    most = _maximum(h, inside)
    return most, (h, inside, most)


def _maximum_backward(kept: tuple[Array, ...], gradient: Array) -> tuple[Array, None]:
    """Share a gradient out among the steps that have the maximum.

    JAX's own gradient keeps an array of all places times all steps.
    """
    h, inside, most = kept
    which = inside.astype(h.dtype)
    there = h == jnp.einsum("rpt,rpu->rtu", which, most)
    sharing = jnp.einsum("rpt,rtu->rpu", which, there.astype(h.dtype))
    share = gradient / jnp.maximum(sharing, 1)
    return jnp.where(there, jnp.einsum("rpt,rpu->rtu", which, share), 0), None


_maximum.defvjp(_maximum_forward, _maximum_backward)


def _ends_of(architecture: Architecture, last: Array, backwards: Array) -> Array:
    """Return what each direction put out last."""
    if not architecture.bidirectional:
        return last
    units = architecture.units
    return jnp.concatenate([last[..., :units], backwards[..., units:]], -1)


def _dropped(h: Array, dropout: Dropout, key: Array) -> Array:
    """Leave out a part of what a layer gave."""
    if not dropout.part:
        return h
    kept = jax.random.bernoulli(key, 1 - dropout.part, h.shape)
    return jnp.where(kept, h / (1 - dropout.part), 0)
