"""The layers, as old code names and calls them.

Every layer of `statewise.layers` is here, and takes, besides today's arguments,

* the shape of the input, where it is the first layer of a model: ``batch_input_shape``,
  ``input_shape``, ``input_dim`` and ``input_length``. A layer that is called on a tensor takes it
  too, and has no use for it;
* the names of Keras 1, such as ``output_dim`` (``units``), ``init``, ``inner_activation``,
  ``dropout_W``, ``p``.

What is made is today's layer, so models of such layers are saved and loaded as any other.

>>> import warnings
>>> from statewise.interop.keras1.layers import LSTM
>>> with warnings.catch_warnings():
...     warnings.simplefilter("ignore", FutureWarning)
...     layer = LSTM(output_dim=4, input_shape=(3, 1))
>>> type(layer), layer.units
(<class 'statewise.layers.rnn.LSTM'>, 4)
"""

from statewise import layers as _today
from statewise.interop.keras1.layers import core as core
from statewise.interop.keras1.layers import embeddings as embeddings
from statewise.interop.keras1.layers import recurrent as recurrent
from statewise.interop.keras1.layers import wrappers as wrappers
from statewise.interop.keras1.layers._old_layers import old_layer

__all__ = sorted(name for name in dir(_today) if not name.startswith("_"))


def __getattr__(name: str):
    """Offer every layer, and the modules from which old code imports them."""
    if name.startswith("_") or not hasattr(_today, name):
        raise AttributeError(f"module 'statewise.interop.keras1.layers' has no attribute {name!r}")
    return old_layer(name)


def __dir__():
    return __all__
