"""How the networks are trained: each sequence once an epoch, many updates in one compiled program.

It is a trainer of its own beside that of `statewise.models`, as that of the global forecasting
model is: rows hold several sequences each, which are gathered from the values inside of the
program, so that one program serves all lengths and no batch is ever laid out. The learning rate
falls along half a cosine, and what is kept is a running average of the weights (Polyak and
Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30, 1992):
how long is trained is no delicate choice, and nothing has to be held out for it. The optimizer is
Keras's, its variables are made by `statewise.models`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import Array

from statewise.models.training.optimizer_variables import quick_variables
from statewise.recurrence import native_threads
from statewise.tasks.classification.network import Architecture, Dropout, initial_weights, tell
from statewise.tasks.classification.rows import Places, lay
from statewise.tasks.classification.sequences import Sequences
from statewise.tasks.forecasting.global_model.programs import THREADS, Program

TOGETHER = 32  # sequences of an update, about
RATE = 0.005
DROPOUT, NOISE = 0.3, 0.1
SMOOTHING = 0.05  # of the labels
UPDATES = 300  # where nobody says how many epochs
_EPOCHS = (20, 200)
_DECAY = 1e-3
_MEMORY = 0.97  # what an update leaves of the average of the weights
_CLIP = 1.0
_SPARE = 1.3  # room for updates, as a multiple of those that full rows would make
_CROWDED = 2.5  # sequences in a row at most, as a multiple of how many of mean length it takes

# Loops over small arrays: compiled in two thirds of the time, and as quick as with more effort.
COMPILED = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 1}

Weights = list[np.ndarray]
After = Callable[[int, float], None]


@dataclass(frozen=True, eq=False)
class Examples:
    """What networks learn from.

    Attributes:
        sequences: on the network's scale.
        targets: one-hot classes or scaled numbers, (sequences, outputs), or (steps, outputs) where
            each step has one; float32.
        weights: of each sequence, or step, float32.
    """

    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray


class Given(NamedTuple):
    """The examples as a program takes them; behind the last there is room for some more."""

    values: Array
    offsets: Array
    targets: Array
    weights: Array


class Settings(NamedTuple):
    """What a program is compiled for."""

    architecture: Architecture
    kind: str
    rows: int
    time: int
    most: int
    dropout: float
    noise: float
    smoothing: float


def epochs_for(sequences: int) -> int:
    """Return how many epochs make about `UPDATES` updates.

    >>> epochs_for(270), epochs_for(10), epochs_for(100_000)
    (34, 200, 20)
    """
    batches = -(-sequences // TOGETHER)
    return int(np.clip(-(-UPDATES // batches), *_EPOCHS))


class Trainer:
    """Trains networks of one architecture on the same examples.

    Args:
        architecture: of the networks.
        examples: what is learned from.
        kind: "classes" or "numbers".
        epochs: how long each is trained.
        seed: of everything that is drawn.
        early: whether to learn from beginnings of the sequences too.
    """

    def __init__(
        self,
        architecture: Architecture,
        examples: Examples,
        kind: str,
        epochs: int,
        seed: int,
        *,
        early: bool = False,
    ):
        self._epochs, self._seed, self._early = epochs, seed, early
        self._lengths = lengths = examples.sequences.lengths
        time, mean = int(lengths.max()), float(lengths.mean())
        rows = min(_roomy(int(np.ceil(TOGETHER * mean / time))), _roomy(len(lengths)))
        most = max(1, min(time // int(lengths.min()), int(np.ceil(_CROWDED * time / mean))))
        if early:
            most = max(most, int(np.ceil(2 * _CROWDED * time / mean)))
        self._settings = Settings(
            architecture, kind, rows, time, _roomy(most), DROPOUT, NOISE, SMOOTHING
        )
        self._room = _roomy(int(_SPARE * lengths.sum() / (rows * time)) + 1)
        with_room = [
            _with_room(examples.sequences.values),
            _with_room(examples.sequences.offsets[:-1].astype(np.int32)),
            _with_room(examples.targets),
            _with_room(examples.weights),
        ]
        self._given = Given(*map(jax.device_put, with_room))
        self._program = program_of(self._settings)  # once, for all that train side by side

    def train(self, members: np.ndarray, number: int, after: After) -> tuple[Weights, list[float]]:
        """Train a network on some of the sequences; return its weights, and each epoch's loss.

        Args:
            members: the places of the sequences.
            number: distinguishes what is drawn from what other networks draw.
            after: called after each epoch with the epochs done and the loss.
        """
        settings, rng = self._settings, np.random.default_rng([self._seed, number])
        weights = initial_weights(settings.architecture, rng)
        program, moments = self._program
        carried = weights, moments, weights, np.float32(0)
        losses = []
        for epoch in range(self._epochs):
            places, count = self._laid(members, rng)
            rate = RATE * 0.5 * (1 + np.cos(np.pi * (epoch + 0.5) / self._epochs))
            # Drawn here, since a program that derives keys takes longer to compile.
            shape = len(places.begins), settings.architecture.layers + 2, 4
            keys = rng.integers(0, 1 << 32, shape, np.uint32)
            carried, loss = program(carried, self._given, places, count, np.float32(rate), keys)
            losses.append(float(loss))
            after(epoch + 1, losses[-1])
        return [np.asarray(one) for one in carried[2]], losses

    def _laid(self, members: np.ndarray, rng: np.random.Generator) -> tuple[Places, int]:
        """Lay an epoch's sequences into rows; return them by update, with room for some more."""
        settings, lengths = self._settings, self._lengths
        if self._early:  # half of them end early, each somewhere
            drawn = np.ceil(rng.random(len(lengths)) * lengths).astype(int).clip(1)
            lengths = np.where(rng.random(len(lengths)) < 0.5, drawn, lengths)
        laid = lay(lengths, rng.permutation(members), settings.time, settings.most)
        order = rng.permutation(len(laid.begins))
        count = -(-len(order) // settings.rows)
        room = max(_roomy(count), self._room)
        shape = (room, settings.rows, settings.most)
        begins, ends = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        members = begins - 1
        for i, rows in enumerate(np.array_split(order, count)):  # all of about as many
            for whole, part in zip((begins, ends, members), laid, strict=True):
                whole[i, : len(rows)] = part[rows]
        return Places(begins, ends, members), count


@lru_cache(maxsize=16)
def program_of(settings: Settings) -> tuple[Program, list[np.ndarray]]:
    """Return the compiled program, and the values with which the optimizer's variables begin."""
    optimizer = keras.optimizers.AdamW(RATE, weight_decay=_DECAY, clipnorm=_CLIP)
    with quick_variables(optimizer):
        optimizer.build(
            [keras.Variable(np.zeros(one, np.float32)) for one in settings.architecture.shapes]
        )
    rate = next(i for i, v in enumerate(optimizer.variables) if v is optimizer.learning_rate)
    program = Program(partial(_train, settings, optimizer, rate), COMPILED)
    return program, [np.asarray(v.value) for v in optimizer.variables]


def _train(settings, optimizer, rate_at, carried, given, places, count, rate, keys):
    """Make ``count`` updates; return the weights after them, and the mean loss."""
    weights, moments, average, done = carried
    moments = [rate if i == rate_at else one for i, one in enumerate(moments)]

    def update(i, carried):
        weights, moments, average, done, sums = carried
        laid = Places(*(part[i] for part in places))
        dropout = Dropout(keys[i], settings.dropout, settings.noise)
        with native_threads(THREADS):
            (_, now), gradients = jax.value_and_grad(
                lambda w: _loss(settings, w, given, laid, dropout), has_aux=True
            )(weights)
        weights, moments = optimizer.stateless_apply(moments, gradients, weights)
        weights = list(weights)
        # At first it remembers little: the weights that were drawn are to be forgotten.
        done = done + 1
        new = jnp.maximum(1 - _MEMORY, 10 / (10 + done))
        average = [a + new * (w - a) for a, w in zip(average, weights, strict=True)]
        return weights, list(moments), average, done, sums + now

    begin = (weights, moments, average, done, jnp.zeros(2))
    weights, moments, average, done, sums = jax.lax.fori_loop(0, count, update, begin)
    return (weights, moments, average, done), sums[0] / jnp.maximum(sums[1], 1e-9)


def _loss(settings: Settings, weights, given: Given, places: Places, dropout: Dropout):
    """Return the mean loss of an update, and its sum with that of the weights."""
    begins, ends, members = places
    steps = jnp.arange(settings.time)
    inside = (steps >= begins[..., None]) & (steps < ends[..., None])  # (rows, places, time)
    source = given.offsets[members][..., None] + steps - begins[..., None]
    source = jnp.where(inside, source, 0).sum(1)  # (rows, time)
    x = jnp.where(inside.any(1)[..., None], given.values[source], 0)
    told = tell(settings.architecture, weights, x, places, dropout)
    if settings.architecture.per_step:
        truth = given.targets[source]
        counts = jnp.where(inside.any(1), given.weights[source], 0)
    else:
        truth = given.targets[members]
        counts = jnp.where(members >= 0, given.weights[members], 0)
    if settings.kind == "classes":
        classes = truth.shape[-1]
        truth = truth * (1 - settings.smoothing) + settings.smoothing / classes
        losses = -(truth * jax.nn.log_softmax(told)).sum(-1)
    else:
        losses = ((told - truth) ** 2).mean(-1)
    total, weight = (losses * counts).sum(), counts.sum()
    return total / jnp.maximum(weight, 1e-9), jnp.stack([total, weight])


def _roomy(count: int) -> int:
    """Return a count that a few others are rounded up to, so that what was compiled serves again.

    >>> [_roomy(n) for n in (1, 5, 13, 270, 1000)]
    [1, 5, 14, 320, 1024]
    """
    step = 1 << max(0, count.bit_length() - 3)
    return -(-count // step) * step


def _with_room(array: np.ndarray) -> np.ndarray:
    lacking = _roomy(len(array)) - len(array)
    return np.pad(array, [(0, lacking), *[(0, 0)] * (array.ndim - 1)])
