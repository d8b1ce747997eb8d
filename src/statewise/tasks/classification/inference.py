"""What trained networks tell of sequences, and how that hangs on each input: compiled programs.

All batches of rows of one length have one shape, whatever is asked for, so a sequence's result is
the same alone and among others.
"""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from statewise.tasks.classification.network import Architecture, tell
from statewise.tasks.classification.rows import Batch, Places, batches
from statewise.tasks.classification.sequences import Sequences
from statewise.tasks.classification.training import COMPILED, Weights
from statewise.tasks.forecasting.global_model.programs import Program


class Networks:
    """Trained networks of one architecture, whose answers are averaged.

    Args:
        architecture: of the networks.
        members: the weights of each.
        longest: the steps of the longest sequence that was learned from.
    """

    def __init__(self, architecture: Architecture, members: list[Weights], longest: int):
        self.architecture, self.members, self.longest = architecture, members, longest

    def scores(self, sequences: Sequences) -> np.ndarray:
        """Return the mean of the networks' answers, (sequences, outputs) or (steps, outputs)."""
        per_step = self.architecture.per_step
        count = len(sequences.values) if per_step else len(sequences)
        told = np.empty((count, self.architecture.outputs), np.float32)
        run = programs_of(self.architecture).run
        for batch in batches(sequences, self.longest):
            answers = np.asarray(run(self.members, batch.x, batch.places))
            if per_step:
                _put(told, sequences, batch, answers)
            else:
                there = batch.places.members >= 0
                told[batch.places.members[there]] = answers[there]
        return told

    def gradients(self, sequences: Sequences, targets: np.ndarray) -> np.ndarray:
        """Return how a score hangs on each input: its gradient, (steps, features).

        Args:
            sequences: on the network's scale.
            targets: whose score it is, a weight for each output, (sequences, outputs); where each
                step has scores, their sum over the steps is taken.
        """
        found = np.empty(sequences.values.shape, np.float32)
        pull = programs_of(self.architecture).pull
        for batch in batches(sequences, self.longest):
            members = batch.places.members
            wanted = np.where((members >= 0)[..., None], targets[members], 0).astype(np.float32)
            answers = np.asarray(pull(self.members, batch.x, batch.places, wanted))
            _put(found, sequences, batch, answers)
        return found


class Programs(NamedTuple):
    """The programs of an architecture; they are compiled once for each shape.

    Attributes:
        run: members, x and places to the mean of the answers.
        pull: members, x, places and weights of the outputs to the gradient by x.
    """

    run: Program
    pull: Program


@lru_cache(maxsize=16)
def programs_of(architecture: Architecture) -> Programs:
    """Return the programs of an architecture."""

    def mean(members: list[list[Array]], x: Array, places: Places) -> Array:
        told = [tell(architecture, weights, x, places) for weights in members]
        return jnp.stack(told).mean(0)

    def pull(members: list[list[Array]], x: Array, places: Places, wanted: Array) -> Array:
        def score(x):
            told = mean(members, x, places)
            if not architecture.per_step:
                return (told * wanted).sum()
            begins, ends, _ = places
            steps = jnp.arange(x.shape[1])
            inside = (steps >= begins[..., None]) & (steps < ends[..., None])
            return jnp.einsum("rpt,rto,rpo->", inside.astype(told.dtype), told, wanted)

        return jax.grad(score)(x)

    return Programs(Program(mean, COMPILED), Program(pull, COMPILED))


def _put(told: np.ndarray, sequences: Sequences, batch: Batch, answers: np.ndarray) -> None:
    """Put what was told of each step of a batch where it belongs."""
    begins, ends, members = batch.places
    for row, place in np.argwhere(members >= 0):
        i = members[row, place]
        begin, end = sequences.offsets[i : i + 2]
        told[begin:end] = answers[row, begins[row, place] : ends[row, place]]
