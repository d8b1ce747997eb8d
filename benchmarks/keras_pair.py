"""What the two sides that have Keras's face are made of: ours, and stock Keras on JAX."""

import os
from typing import Any, NamedTuple

import numpy as np


class Library(NamedTuple):
    """A side's modules.

    Attributes:
        models: has ``Sequential`` and ``Model``.
        recurrent: has the recurrent layers and their wrappers.
        keras: Keras itself, for all else.
    """

    models: Any
    recurrent: Any
    keras: Any


def library(side: str) -> Library:
    """Return the modules of ``statewise`` or of stock Keras, with the seed set."""
    os.environ["KERAS_BACKEND"] = "jax"
    if side == "statewise":
        import statewise

        # isort: split
        import keras

        found = Library(statewise, statewise.layers, keras)
    else:
        import keras

        found = Library(keras, keras.layers, keras)
    keras.utils.set_random_seed(0)
    return found


def begin(model) -> None:
    """Give a model weights that depend on their shapes alone, and compile it."""
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.1)
    model.compile(loss="mse", optimizer="adam")
