"""The scores behind probabilities: what a softmax was given, kept for a loss that wants it.

The logarithm of a probability is best computed from the scores (the logits): it's exact where the
probability is too small for float32, and needs one pass over a large vocabulary instead of four.
Models are written with a softmax at their end all the same, since it's probabilities that people
want to see. So while a loss is being computed, that softmax remembers what it was given; and where
a `Dense` made the scores, what that was given, so that they need not be laid out at all.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import keras
from jax import Array

from statewise._keras_compat import with_attribute


class Projection(NamedTuple):
    """What scores were made of: ``scores = inputs @ kernel + bias``.

    Attributes:
        inputs: ``(..., features)``.
        kernel: ``(features, classes)``.
        bias: ``(classes,)``, or None.
    """

    inputs: Array
    kernel: Array
    bias: Array | None


class _Kept(NamedTuple):
    # An entry holds its array, so that no other one can have its id.
    array: Array
    scores: Array | None = None
    projection: Projection | None = None


_kept: ContextVar[dict[int, _Kept] | None] = ContextVar("kept", default=None)

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
    _keep(_Kept(probabilities, scores=scores))
    return probabilities


@contextmanager
def keeping_scores(
    layers: Iterable[keras.Layer], dense: Iterable[keras.layers.Dense] = ()
) -> Iterator[None]:
    """While in this context, let the softmax of these layers remember its scores.

    Args:
        layers: those for which `ends_with_softmax` holds.
        dense: layers that shall remember what their outputs were made of.
    """
    token = _kept.set({})
    try:
        with ExitStack() as stack:
            for layer in layers:
                stack.enter_context(with_attribute(layer, "activation", remembering_softmax))
            for layer in dense:
                stack.enter_context(with_attribute(layer, "call", _remembering_call(layer)))
            yield
    finally:
        _kept.reset(token)


def scores_of(probabilities: Array) -> Array | None:
    """Return the scores of which ``probabilities`` is the softmax, if they were kept."""
    return _entry(probabilities).scores


def projection_of(scores: Array | None) -> Projection | None:
    """Return what ``scores`` were made of, if that was kept."""
    return None if scores is None else _entry(scores).projection


def moved(before: Array, move: Callable[[Array], Array]) -> Array:
    """Return ``move(before)``; what was kept for ``before`` is moved along.

    Args:
        before: any array.
        move: changes the axes before the last one.
    """
    after, entry = move(before), _entry(before)
    if entry.scores is not None:
        _keep(_Kept(after, scores=moved(entry.scores, move)))
    elif entry.projection is not None:
        projection = entry.projection
        _keep(_Kept(after, projection=projection._replace(inputs=move(projection.inputs))))
    return after


def _remembering_call(layer: keras.layers.Dense) -> Callable:
    def call(inputs, *args, **kwargs):
        activation = layer.activation

        def remembering(outputs):
            kernel = keras.ops.convert_to_tensor(layer.kernel)
            bias = None if layer.bias is None else keras.ops.convert_to_tensor(layer.bias)
            _keep(_Kept(outputs, projection=Projection(inputs, kernel, bias)))
            return outputs if activation is None else activation(outputs)

        with with_attribute(layer, "activation", remembering):
            return type(layer).call(layer, inputs, *args, **kwargs)

    return call


def _entry(array: Array) -> _Kept:
    kept = _kept.get()
    return (kept and kept.get(id(array))) or _Kept(array)


def _keep(entry: _Kept) -> None:
    kept = _kept.get()
    if kept is not None:
        kept[id(entry.array)] = entry
