r"""Cross-entropy between class numbers and a softmax, computed from its scores.

.. math:: -\log p_k = \log \sum_j e^{s_j} - s_k

Keras on JAX computes it from the probabilities, by a one-hot array as large as they are. With a
vocabulary of 10,000 that takes most of the time of a training step. Here it's one pass over the
scores for the loss, and one for the gradient, softmax minus one-hot.

It's the same to rounding, but for one thing: Keras on JAX takes every probability below 1e-7 for
1e-7, where the loss is 16.1 and its gradient 0. From scores the loss goes on to grow, and a class
held for impossible is learned all the same (so it is with Keras on TensorFlow).

Where a `Dense` made many scores and nothing but the loss looks at them, they aren't even laid out:
see `projected_cross_entropy`.
"""

import copy

import jax
import jax.numpy as jnp
import keras
from jax import Array

from statewise._keras_compat import (
    CompileLoss,
    Functional,
    LossFunctionWrapper,
    all_layers,
    compiled_metrics,
    get_keras_mask,
    loss_options,
    producer,
    reduce_weighted_values,
    single_losses,
)
from statewise.layers import TimeDistributed
from statewise.layers.scores import Projection, ends_with_softmax, projection_of, scores_of
from statewise.layers.time_distributed import folds
from statewise.models.losses.projected_cross_entropy import pays, projected_cross_entropy

_KERAS = keras.losses.sparse_categorical_crossentropy


def softmax_layers(model: keras.Model) -> list[keras.Layer]:
    """Return the layers whose softmax is an output of the model, where they can be told.

    >>> dense = keras.layers.Dense(3, activation="softmax")
    >>> model = keras.Sequential([keras.Input((2,)), dense])
    >>> softmax_layers(model) == [dense]
    True
    """
    if isinstance(model, keras.Sequential):
        last = [model.layers[-1]] if model.layers else []
    elif isinstance(model, Functional):
        last = [producer(output) for output in model.outputs]
    else:
        return []  # what a call of the user's own does with its layers can't be told
    found: dict[int, keras.Layer] = {}
    for layer in last:
        while type(layer) is TimeDistributed and folds(layer.layer):
            layer = layer.layer
        inner = softmax_layers(layer) if isinstance(layer, keras.Model) else [layer]
        found |= {id(one): one for one in inner if ends_with_softmax(one)}
    return list(found.values())


def projecting_layers(model: keras.Model) -> list[keras.layers.Dense]:
    """Return the layers that shall remember what their scores were made of.

    Where metrics look at the outputs these must be laid out for them anyway: then there are none.

    >>> dense = keras.layers.Dense(3)
    >>> model = keras.Sequential([keras.Input((2,)), dense, keras.layers.Softmax()])
    >>> model.compile(loss="mse")
    >>> projecting_layers(model) == [dense]
    True
    >>> model.compile(loss="mse", metrics=["accuracy"])
    >>> projecting_layers(model)
    []
    """
    if compiled_metrics(model) is not None:
        return []
    return [layer for layer in all_layers(model) if type(layer) is keras.layers.Dense]


def use_scores(compile_loss: CompileLoss | None) -> None:
    """Let the sparse cross-entropies of a built loss look for scores; others stay as they are."""
    flat = single_losses(compile_loss)
    for position, entry in enumerate(flat):
        if isinstance(entry.loss, LossFunctionWrapper) and entry.loss.fn is _KERAS:
            loss = copy.copy(entry.loss)  # the user's own object may be in use elsewhere
            loss.fn = sparse_cross_entropy
            flat[position] = entry._replace(loss=_Sum(loss))


def sparse_cross_entropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """Return what `keras.losses.sparse_categorical_crossentropy` does, from scores if it can.

    Args:
        y_true: class numbers ``(batch, ...)`` or ``(batch, ..., 1)``; one that is no class counts
            as no error, as in Keras.
        y_pred: ``(batch, ..., classes)``: scores if ``from_logits``, else probabilities.
        from_logits: which of them.
        ignore_class: a class number whose places are left out.
        axis: the axis of the classes.

    Returns:
        ``(batch, ...)``.

    >>> y, p = jnp.array([1]), jnp.array([[0.25, 0.75]])
    >>> bool(jnp.allclose(sparse_cross_entropy(y, p), _KERAS(y, p)))
    True
    """
    scores = _scores(y_pred, from_logits, ignore_class, axis)
    classes = _class_numbers(y_true, y_pred)
    if scores is None or classes is None:
        return _KERAS(y_true, y_pred, from_logits, ignore_class, axis)
    return _from_scores(scores, classes)


def _scores(y_pred, from_logits=False, ignore_class=None, axis=-1) -> Array | None:
    """Return the scores behind ``y_pred``, where they are known and are all that's needed."""
    if ignore_class is not None or axis not in (-1, y_pred.ndim - 1):
        return None
    return y_pred if from_logits else scores_of(y_pred)


def _class_numbers(y_true, y_pred) -> Array | None:
    """Return the class numbers ``(batch, ...)``; None where Keras is to say what is wrong."""
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    return jnp.asarray(y_true, "int32") if y_true.shape == y_pred.shape[:-1] else None


class _Sum(keras.losses.Loss):
    """A sparse cross-entropy that is summed without laying out its scores, where that pays.

    Args:
        loss: the cross-entropy.
    """

    def __init__(self, loss: LossFunctionWrapper):
        super().__init__(name=loss.name, reduction=loss.reduction, dtype=loss.dtype)
        self._loss = loss

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return what the cross-entropy returns."""
        projection, classes = self._projection(y_pred), _class_numbers(y_true, y_pred)
        if projection is None or classes is None:
            return self._loss(y_true, y_pred, sample_weight)

        def reduced(losses):
            mask = get_keras_mask(y_pred)
            return reduce_weighted_values(
                losses, sample_weight, mask, self.reduction, dtype=self.dtype
            )

        # Keras's reduction is a weighted sum, and these are the weights.
        weights = jax.grad(reduced)(jnp.zeros(classes.shape, self.dtype))
        inputs, kernel, bias = projection
        return projected_cross_entropy(
            inputs.reshape(-1, inputs.shape[-1]),
            kernel,
            jnp.zeros(kernel.shape[1:], kernel.dtype) if bias is None else bias,
            classes.reshape(-1),
            weights.reshape(-1),
        )

    def _projection(self, y_pred) -> Projection | None:
        """Return what the scores were made of, where this class can do with that alone."""
        projection = projection_of(_scores(y_pred, **loss_options(self._loss)))
        if projection is None or self.reduction in (None, "none"):
            return None
        rows = projection.inputs.size // projection.inputs.shape[-1]
        dtypes = {a.dtype for a in projection if a is not None}
        serves = pays(rows, projection.kernel.shape[1]) and dtypes == {jnp.dtype(self.dtype)}
        return projection if serves else None


@jax.custom_vjp
def _from_scores(scores: Array, classes: Array) -> Array:
    return _forward(scores, classes)[0]


def _forward(scores, classes):
    normaliser = jax.nn.logsumexp(scores, axis=-1)
    valid = (classes >= 0) & (classes < scores.shape[-1])
    chosen = jnp.take_along_axis(scores, jnp.where(valid, classes, 0)[..., None], axis=-1)[..., 0]
    return jnp.where(valid, normaliser - chosen, 0), (scores, normaliser, classes, valid)


def _backward(kept, cotangent):
    scores, normaliser, classes, valid = kept
    weight = jnp.where(valid, cotangent, 0)[..., None]
    one_hot = jnp.arange(scores.shape[-1]) == classes[..., None]  # fused, never laid out
    return (jnp.exp(scores - normaliser[..., None]) - one_hot) * weight, None


_from_scores.defvjp(_forward, _backward)
