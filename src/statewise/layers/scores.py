"""The scores behind probabilities: what a softmax was given, kept for a loss that wants it.

The logarithm of a probability is best computed from the scores (the logits): it's exact where the
probability is too small for float32, and needs one pass over a large vocabulary instead of four.
Models are written with a softmax at their end all the same, since it's probabilities that people
want to see. So while a loss is being computed, that softmax remembers what it was given.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import keras
from jax import Array

_kept: ContextVar[dict[int, tuple[Array, Array]] | None] = ContextVar("kept", default=None)

# Layers that end by applying `activation` to the last axis; a subclass may do something else.
_ENDS_WITH_ACTIVATION = (keras.layers.Activation, keras.layers.Dense)


def ends_with_softmax(layer: keras.Layer) -> bool:
    """Whether the output of ``layer`` is a softmax over its last axis, and nothing after it.

    >>> ends_with_softmax(keras.layers.Dense(3, activation="softmax"))
    True
    >>> ends_with_softmax(keras.layers.Dense(3))
    False
    """
    return type(layer) in _ENDS_WITH_ACTIVATION and layer.activation is keras.activations.softmax


def remembering_softmax(scores: Array) -> Array:
    """Return the softmax over the last axis, and remember what it was given."""
    probabilities = keras.activations.softmax(scores)
    _keep(probabilities, scores)
    return probabilities


@contextmanager
def keeping_scores(layers: Iterable[keras.Layer]) -> Iterator[None]:
    """While in this context, let the softmax of these layers remember its scores.

    Args:
        layers: those for which `ends_with_softmax` holds.
    """
    layers = list(layers)
    token = _kept.set({})
    for layer in layers:
        layer.activation = remembering_softmax
    try:
        yield
    finally:
        for layer in layers:
            layer.activation = keras.activations.softmax
        _kept.reset(token)


def scores_of(probabilities: Array) -> Array | None:
    """Return the scores of which ``probabilities`` is the softmax, if they were kept."""
    kept = _kept.get()
    # An entry holds its probabilities, so that no other array can have their id.
    return kept[id(probabilities)][1] if kept and id(probabilities) in kept else None


def moved(before: Array, move: Callable[[Array], Array]) -> Array:
    """Return ``move(before)``; scores kept for ``before`` are moved along."""
    after, scores = move(before), scores_of(before)
    if scores is not None:
        _keep(after, move(scores))
    return after


def _keep(probabilities: Array, scores: Array) -> None:
    kept = _kept.get()
    if kept is not None:
        kept[id(probabilities)] = (probabilities, scores)
