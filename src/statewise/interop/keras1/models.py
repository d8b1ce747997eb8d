"""The models, as old code calls them: ``Model(input=x, output=y)``, ``fit(..., nb_epoch=10)``."""

import keras
from keras.saving import get_registered_name

from statewise import models
from statewise._keras_compat import (
    functional_init_arguments,
    is_empty,
    noted_input_shape,
    save_as,
)
from statewise.interop.keras1.spelling import rename

__all__ = ["Model", "Sequential", "load_model"]


def _saved_as(today: type):
    """Let a model be saved as one of ``today``, so that whoever loads it needs nothing of this."""

    def register(cls):
        # Keras's own decorator would also have files of today's models loaded as old ones.
        save_as(cls, get_registered_name(today))
        return cls

    return register


class _OldArguments:
    """The methods that take old arguments."""

    def fit(self, *args, **kwargs):
        """Train, as `statewise.Model.fit` does; takes ``nb_epoch`` for ``epochs``."""
        return super().fit(*args, **rename(kwargs, {"nb_epoch": "epochs"}, "fit"))


class _OldModel(type):
    """Lets a model be made of ``input`` and ``output``."""

    def __call__(cls, *args, **kwargs):
        names = {"input": "inputs", "output": "outputs"}
        return super().__call__(*args, **rename(kwargs, names, cls.__name__))


@_saved_as(models.Model)
class Model(_OldArguments, models.Model, metaclass=_OldModel):
    """`statewise.Model`, by its old arguments too: ``Model(input=..., output=...)``, ``nb_epoch``.

    It is saved as a `statewise.Model`.

    >>> import warnings
    >>> from statewise import layers
    >>> words = layers.Input((5,))
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", FutureWarning)
    ...     model = Model(input=words, output=layers.Embedding(10, 3)(words))
    >>> model.output_shape
    (None, 5, 3)
    """

    def __new__(cls, *args, **kwargs):
        """Choose the functional kind of model where a graph of layers is given."""
        if cls is Model and functional_init_arguments(args, kwargs):
            cls = Functional
        return super().__new__(cls, *args, **kwargs)


@_saved_as(models.Functional)
class Functional(Model, models.Functional):
    """What ``Model(input=..., output=...)`` gives."""


@_saved_as(models.Sequential)
class Sequential(_OldArguments, models.Sequential):
    """`statewise.Sequential`, by its old arguments too.

    Its first layer may say the shape of the input (``batch_input_shape`` and the like), and
    ``fit`` takes ``nb_epoch``. It is saved as a `statewise.Sequential`.

    >>> import warnings
    >>> from statewise.interop.keras1.layers import LSTM
    >>> model = Sequential()
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", FutureWarning)
    ...     model.add(LSTM(4, batch_input_shape=(1, 3, 1), stateful=True))
    >>> model.input_shape, model.output_shape
    ((1, 3, 1), (1, 4))
    """

    def add(self, layer, rebuild=True):
        """Add a layer on top, and first the input that the model's first layer speaks of."""
        shape = noted_input_shape(layer)
        if shape is not None and is_empty(self):
            dtype = "int32" if isinstance(layer, keras.layers.Embedding) else None
            batch = getattr(layer, "_input_batch_size", None)
            super().add(keras.layers.InputLayer(batch_shape=(batch, *shape), dtype=dtype))
        super().add(layer, rebuild=rebuild)


def load_model(path, custom_objects=None, compile=True):
    """Load a saved model, as `statewise.load_model` does, into one that takes old arguments.

    >>> import os, tempfile
    >>> from statewise.layers import GRU, Input
    >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
    >>> models.Sequential([Input((3, 1)), GRU(2)]).save(path)
    >>> isinstance(load_model(path), Sequential)
    True
    """
    kinds = (Model, Functional, Sequential)
    here = {get_registered_name(kind): kind for kind in kinds}
    with keras.saving.custom_object_scope(here):
        return models.load_model(path, custom_objects=custom_objects, compile=compile)
