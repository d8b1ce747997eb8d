"""Floor 4: the names and arguments of Keras 1 and 2, for code that was written with them.

``import statewise.interop.keras1 as keras`` (or ``from statewise.interop.keras1.layers import
LSTM``) runs old code as it stands. Each old spelling that it meets (``batch_input_shape``,
``nb_epoch``, ``lr``, ...) gives one `OldSpellingWarning` that names today's. Only the spelling is
old: what is made are the layers of `statewise.layers`, models that are saved as those of
`statewise.models`, and Keras's optimizers, with today's defaults.

Names that aren't given here (``callbacks``, ``losses``, ``utils``, ...) are Keras's of today.

>>> import warnings
>>> import statewise.interop.keras1 as keras
>>> with warnings.catch_warnings(record=True):
...     warnings.simplefilter("always")
...     model = keras.models.Sequential([keras.layers.LSTM(4, input_shape=(3, 1))])
>>> type(model.layers[0])
<class 'statewise.layers.rnn.LSTM'>
"""

import keras as _keras

from statewise.interop.keras1 import layers, models, optimizers
from statewise.interop.keras1.models import Model, Sequential
from statewise.interop.keras1.spelling import OldSpellingWarning

__all__ = ["Model", "OldSpellingWarning", "Sequential", "layers", "models", "optimizers"]


def __getattr__(name: str):
    """Offer what else Keras has under this name."""
    if not name.startswith("_") and hasattr(_keras, name):
        return getattr(_keras, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}, nor has Keras")


def __dir__():
    return sorted({*__all__, *dir(_keras)})
