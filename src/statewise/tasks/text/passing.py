"""A trained network run over texts: how likely each token was, and the state after them."""

from collections.abc import Iterable, Iterator, Sequence

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise.layers import Carry
from statewise.models import Model
from statewise.models.structure import recurrent_layers

_STEPS = 512  # that are run at once, of a long text
_ROWS = 32  # texts that are run beside each other


class Passes:
    """Compiled passes over texts.

    Texts are run in parts of powers of two, up to so many steps, so that a handful of programs
    serves all lengths.

    Args:
        model: what `network` gives, trained.
        mark: the number that stands before a document.
    """

    def __init__(self, model: Model, mark: int):
        self._model, self._mark = model, mark
        self.layers = recurrent_layers(model)
        self._told = jax.jit(self._tell)
        self._after = jax.jit(self.run)

    def log_likelihoods(self, parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the log-likelihood of each token of one document, in nats, float64 (time,).

        Args:
            parts: the document's numbers, in pieces of any lengths.
        """
        states, before = self._fresh(1), self._mark
        for piece in _in_steps(parts):
            count, size = len(piece), _power_of_two(len(piece))
            # What is behind the end changes nothing of what's before.
            given = np.zeros((2, 1, size), np.int32)
            given[0, 0, :count] = [before, *piece[:-1]]
            given[1, 0, :count] = piece
            told, states = self._told(self.values(), *given, states)
            yield np.asarray(told, np.float64)[0, :count]
            before = piece[-1]

    def states(self, texts: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """Return the states after texts, for each layer its arrays ``(texts, units)``."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        found: list[list[np.ndarray]] | None = None
        for first in range(0, len(order), _ROWS):
            some = order[first : first + _ROWS]
            _, after = self.scores_and_states([texts[i] for i in some])
            for layer, arrays in enumerate(after):
                for i, array in enumerate(arrays):
                    if found is None:
                        found = [[] for _ in self.layers]
                    if len(found[layer]) <= i:
                        found[layer].append(np.zeros((len(texts), array.shape[1]), array.dtype))
                    found[layer][i][some] = np.asarray(array)[: len(some)]
        return found or []

    def scores_and_states(self, texts: Sequence[np.ndarray]):
        """Run over some texts beside each other, each laid to end with the last step.

        Returns:
            The scores of what comes next ``(rows, tokens)``, and for each layer the arrays of its
            state ``(rows, units)``; there may be more rows than texts.
        """
        rows, longest = _power_of_two(len(texts)), 1 + max(map(len, texts))
        size = min(_STEPS, _power_of_two(longest))
        steps = -(-longest // size) * size
        numbers = np.full((rows, steps), self._mark, np.int32)
        resets = np.zeros((rows, steps), bool)
        for row, text in enumerate(texts):
            numbers[row, steps - len(text) :] = text
            resets[row, steps - len(text) - 1] = True
        states = self._fresh(rows)
        for first in range(0, steps, size):
            part = slice(first, first + size)
            told, states = self._after(self.values(), numbers[:, part], states, resets[:, part])
        return told[:, -1], states

    def _fresh(self, rows: int):
        """Return zeros: the state before the first step."""
        return [
            [np.zeros((rows, size), np.float32) for size in keras.tree.flatten(layer.state_size)]
            for layer in self.layers
        ]

    def values(self):
        """Return the values of the model's variables."""
        model = self._model
        return (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )

    def run(self, values, numbers, states, resets=None):
        """Run the model: its scores ``(batch, time, tokens)`` and the states after the last step.

        Args:
            values: as `values` gives them.
            numbers: of tokens, ``(batch, time)``.
            states: for each layer its arrays ``(batch, units)``.
            resets: bool ``(batch, time)``, where a text begins; None for nowhere.
        """
        with Carry(dict(zip(self.layers, states, strict=True)), resets) as carry:
            scores, _ = self._model.stateless_call(*values, numbers[..., None], training=False)
        return scores, carry.ended(self.layers)

    def _tell(self, values, numbers, told, states):
        scores, states = self.run(values, numbers, states)
        chosen = jnp.take_along_axis(scores, told[..., None], axis=-1)[..., 0]
        return chosen - jax.nn.logsumexp(scores, axis=-1), states


def _in_steps(parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the same numbers, as many at a time as are run at once; at the end the rest."""
    rest: np.ndarray = np.zeros(0, np.int32)
    for part in parts:
        rest = np.concatenate([rest, part])
        whole = len(rest) - len(rest) % _STEPS
        for first in range(0, whole, _STEPS):
            yield rest[first : first + _STEPS]
        rest = rest[whole:]
    if len(rest):
        yield rest


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()
