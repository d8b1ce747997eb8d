"""What the copies of Keras's tests import in the place of Keras's own; see `keras_suite`."""

import types

import keras as _keras
from keras.src import models as _models
from keras.src.backend.jax.trainer import JAXTrainer

from statewise import layers
from statewise.models import Functional, Model, Sequential
from statewise.models.inference.forecasting import Forecasting
from statewise.models.inference.stepping import Stepping
from statewise.models.training.running import Running

__all__ = ["Functional", "Model", "Sequential", "Trainer", "keras", "layers", "models"]


class Trainer(Forecasting, Stepping, Running, JAXTrainer):
    """What our models are beside Keras's `Layer`."""


def _with(module, **replaced):
    """Return a module that offers what another does, but for some names."""
    view = types.ModuleType(module.__name__, module.__doc__)
    view.__getattr__ = lambda name: getattr(module, name)
    vars(view).update(replaced)
    return view


_classes = {"Model": Model, "Sequential": Sequential}
models = _with(_models, Functional=Functional, **_classes)
keras = _with(_keras, layers=layers, models=_with(_keras.models, **_classes), **_classes)
