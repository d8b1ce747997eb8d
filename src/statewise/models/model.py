"""`Sequential` and `Model`: Keras's models, run by compiled epochs, with their state at hand."""

import keras

from statewise._keras_compat import Functional as KerasFunctional
from statewise._keras_compat import functional_init_arguments, make_functional
from statewise.models.exporting import Exporting
from statewise.models.inference.forecasting import Forecasting
from statewise.models.inference.stepping import Stepping
from statewise.models.saving import Saving
from statewise.models.training.running import Running

_register = keras.saving.register_keras_serializable(package="statewise")


@_register
class Model(Forecasting, Stepping, Saving, Exporting, Running, keras.Model):
    """A model of layers, functional or subclassed: `keras.Model` and what recurrence needs.

    ``Model(inputs, outputs)`` is built from a graph of layers; a subclass defines ``call``.
    Everything of `keras.Model` is there. What is added or done differently:

    * ``fit``, ``evaluate`` and ``predict`` run the batches of an epoch in one compiled program;
    * the state of stateful layers is carried between batches and calls, and ``reset_states()``
      forgets it; it's a value that can be read, set and saved, see `step`;
    * ``forecast(x, horizon)`` continues sequences by feeding outputs back.

    >>> import numpy as np
    >>> from statewise import layers
    >>> inputs = layers.Input((5, 2))
    >>> model = Model(inputs, layers.LSTM(2, return_sequences=True)(inputs))
    >>> model.predict(np.ones((3, 5, 2), "float32"), verbose=0).shape
    (3, 5, 2)
    """

    def __new__(cls, *args, **kwargs):
        """Make a `Functional` model where inputs and outputs are given."""
        if cls is Model and functional_init_arguments(args, kwargs):
            cls = Functional
        return super().__new__(cls)

    def __init__(self, *args, **kwargs):
        """Begin a model of layers; of inputs and outputs, if a subclass was given these."""
        if functional_init_arguments(args, kwargs) and not isinstance(self, KerasFunctional):
            make_functional(type(self), Model, Functional)
            KerasFunctional.__init__(self, *args, **kwargs)
        else:
            super().__init__(*args, **kwargs)


@_register
class Functional(Model, KerasFunctional):
    """The model that ``Model(inputs, outputs)`` gives; see `Model`.

    >>> from statewise import layers
    >>> inputs = layers.Input((5, 2))
    >>> type(Model(inputs, layers.LSTM(2)(inputs))).__name__
    'Functional'
    """


@_register
class Sequential(Forecasting, Stepping, Saving, Exporting, Running, keras.Sequential):
    """A stack of layers: `keras.Sequential` with everything that `Model` adds.

    >>> import numpy as np
    >>> from statewise import layers
    >>> model = Sequential([layers.LSTM(4), layers.Dense(1)])
    >>> model.compile(loss="mse", optimizer="adam")
    >>> x, y = np.random.default_rng(0).normal(size=(92, 3, 1)), np.zeros((92, 1))
    >>> history = model.fit(x, y, epochs=3, verbose=0)
    >>> len(history.history["loss"])
    3
    """
