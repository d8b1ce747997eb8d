"""Weights by class: of samples, and of the steps of sequences."""

import numbers
from collections.abc import Mapping

import keras
import numpy as np

from statewise._keras_compat import compute_output_spec


class ClassWeights:
    """Looks up the weight of every target by its class.

    Keras's own look-up knows one class for each sample. Here targets may be sequences too (or
    pictures, or anything of more axes): then each step has a weight of its own.

    Args:
        model: the model whose outputs the targets are for; its outputs say whether targets are
            numbers of classes, one axis less than the outputs (or with a last axis of length 1),
            or one-hot.
        weights: the weight of each class by its number; a class that isn't there has weight 1.

    Raises:
        TypeError: if the weights aren't numbers by whole numbers.
    """

    def __init__(self, model: keras.Model, weights: Mapping[int, float]):
        if not isinstance(weights, Mapping) or not all(
            isinstance(number, numbers.Integral) and isinstance(weight, numbers.Real)
            for number, weight in weights.items()
        ):
            raise TypeError(
                "class_weight gives each class, by its number, a weight, such as {0: 1.0, 1: 5.0}; "
                f"got {weights!r:.200}."
            )
        self.weights = weights
        self._model = model
        self._outputs: tuple[int, ...] | None = None

    def of(self, x, y) -> np.ndarray:
        """Return the weights for targets ``y`` of inputs ``x``: ``(batch,)``, ``(batch, time)``...

        Raises:
            ValueError: for a model of several outputs.
        """
        if keras.tree.is_nested(y):
            raise ValueError(
                "class_weight is for models of one output, and y is several arrays. Give a "
                "sample_weight for each output."
            )
        y = keras.ops.convert_to_numpy(y)
        classes = np.round(self._classes(x, y)).astype(int)
        known, places = np.unique(classes, return_inverse=True)
        weights = np.asarray([self.weights.get(int(c), 1.0) for c in known])
        return weights[places].reshape(classes.shape).astype(keras.config.floatx())

    def _classes(self, x, y: np.ndarray) -> np.ndarray:
        if y.ndim < 2:
            return y
        if y.shape[-1] == 1:
            return y[..., 0]
        # (batch, time) are classes of steps for outputs (batch, time, classes), one-hot otherwise.
        if len(self._output_shape(x)) == y.ndim + 1:
            return y
        sums = y.sum(axis=-1)  # 0 where a step is padded
        if not np.all(np.isclose(sums, 1, atol=1e-3) | (sums == 0)):
            raise ValueError(
                f"class_weight needs one class for each target, but y, of the shape {y.shape}, has "
                "rows that are no one-hot vectors. Give a sample_weight instead."
            )
        return y.argmax(axis=-1)

    def _output_shape(self, x) -> tuple:
        if self._outputs is None:
            inputs = keras.tree.map_structure(
                lambda a: keras.KerasTensor(a.shape, keras.backend.standardize_dtype(a.dtype)),
                keras.tree.map_structure(_array, x),
            )
            outputs = keras.tree.flatten(compute_output_spec(self._model, inputs, training=False))
            if len(outputs) > 1:
                raise ValueError("class_weight is for models of one output; this one has several.")
            self._outputs = tuple(outputs[0].shape)
        return self._outputs


def _array(a):
    return a if hasattr(a, "dtype") and hasattr(a, "shape") else np.asarray(a)


def both_weights() -> ValueError:
    """Return the error of weights for classes beside weights for samples."""
    return ValueError(
        "sample_weight and class_weight came together: give one of them. (Multiply them, if both "
        "are meant, and give the product as sample_weight.)"
    )
