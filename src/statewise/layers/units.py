"""How many units a cell or layer has: any whole number."""

import functools
import inspect
import operator

import numpy as np


def with_whole_units(init):
    """Return a cell's or layer's constructor that takes any whole number as ``units``, NumPy's too.

    Keras computes with ``units`` as it comes, so that 4 times ``np.int8(100)`` overflows.

    >>> import keras
    >>> init = with_whole_units(keras.layers.LSTM.__init__)
    >>> init(keras.layers.LSTM.__new__(keras.layers.LSTM, 2), 2.5)
    Traceback (most recent call last):
    ...
    TypeError: units=2.5: expected a whole number of units, 1 or more.
    """

    @functools.wraps(init)
    def checked(self, units, *args, **kwargs):
        try:
            whole = operator.index(units)
        except TypeError:
            whole = None
        if whole is None or isinstance(units, (bool, np.bool_)):
            raise TypeError(f"units={units!r}: expected a whole number of units, 1 or more.")
        init(self, whole, *args, **kwargs)

    checked.__signature__ = inspect.signature(init)  # Keras notes the arguments by their names
    return checked
