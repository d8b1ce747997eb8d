"""`accelerate`: a model of stock Keras with its recurrent layers exchanged for this package's."""

import keras

from statewise.interop.accelerating.comparing import compare
from statewise.interop.accelerating.copies import Copies, build_alike, stock_layers
from statewise.interop.accelerating.taking_over import copy_training, copy_weights

__all__ = ["accelerate"]


def accelerate(model: keras.Model) -> keras.Model:
    """Return a copy of a stock model with the recurrent layers of this package in place of Keras's.

    Weights, random seeds, states of stateful layers, the compile settings and what the optimizer
    has gathered come along, so that a training goes on where it was. The outputs of both models are
    compared on random inputs (without padding) before the copy is returned.

    Functional and sequential models, nested ones and those with shared layers become a
    `statewise.Model` or `statewise.Sequential`. A model or a layer of a class of your own stays of
    that class, and is copied by its ``get_config``; recurrent layers that its ``__init__`` makes
    are exchanged where they stand.

    Args:
        model: built; it stays as it is.

    Returns:
        The copy; the model itself where it has none of Keras's recurrent layers.

    Raises:
        ValueError: where a layer can't be exchanged, naming it and the reason, or where the outputs
            differ.
        TypeError: for what is no model.

    >>> from keras import layers
    >>> stock = keras.Sequential([layers.Input((5, 2)), layers.LSTM(3), layers.Dense(1)])
    >>> ours = accelerate(stock)
    >>> type(ours).__module__, type(ours.layers[0]).__module__
    ('statewise.models.model', 'statewise.layers.rnn')
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"accelerate takes a model of Keras, but got {type(model).__name__}.")
    if not stock_layers(model):
        return model
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} isn't built, so it has no weights to take over. Call it on some "
            "data first, or give it an Input."
        )
    copy = Copies().of(model)
    build_alike(model, copy)
    left = stock_layers(copy)
    if left:
        layer = left[0]
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) is made in the build() or the call() "
            "of a class of your own, so it can't be exchanged. Make it in __init__, or take "
            f"statewise.layers.{type(layer).__name__} there."
        )
    copy_weights(model, copy)
    copy_training(model, copy)
    compare(model, copy)
    return copy
