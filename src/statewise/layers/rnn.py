"""The recurrent layers: `RNN` for any cell, `SimpleRNN`, `GRU` and `LSTM`, and their cells.

Arguments, defaults, weights, masking and saved files are Keras 3's; see `keras.layers` for every
argument. Equations stand in `statewise.recurrence.cells`, the layout of the weights in
`statewise.recurrence.layout`, and what differs from Keras in `statewise.layers.recurrent`.
"""

import keras

from statewise.layers.recurrent import Recurrent
from statewise.layers.units import with_whole_units

_register = keras.saving.register_keras_serializable(package="statewise")


@_register
class SimpleRNNCell(keras.layers.SimpleRNNCell):
    """One step of a `SimpleRNN`: ``(x (batch, features), [h]) -> (output, [h])``.

    Same arguments as `keras.layers.SimpleRNNCell`.

    >>> import numpy as np
    >>> output, state = SimpleRNNCell(4)(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> output.shape
    (2, 4)
    """

    keras_cell = keras.layers.SimpleRNNCell
    __init__ = with_whole_units(keras.layers.SimpleRNNCell.__init__)


@_register
class GRUCell(keras.layers.GRUCell):
    """One step of a `GRU`: ``(x (batch, features), [h]) -> (output, [h])``.

    Same arguments as `keras.layers.GRUCell`.

    >>> import numpy as np
    >>> output, state = GRUCell(4)(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> output.shape
    (2, 4)
    """

    keras_cell = keras.layers.GRUCell
    __init__ = with_whole_units(keras.layers.GRUCell.__init__)


@_register
class LSTMCell(keras.layers.LSTMCell):
    """One step of an `LSTM`: ``(x (batch, features), [h, c]) -> (output, [h, c])``.

    Same arguments as `keras.layers.LSTMCell`.

    >>> import numpy as np
    >>> zeros = np.zeros((2, 4), "float32")
    >>> output, (h, c) = LSTMCell(4)(np.ones((2, 3), "float32"), [zeros, zeros])
    >>> c.shape
    (2, 4)
    """

    keras_cell = keras.layers.LSTMCell
    __init__ = with_whole_units(keras.layers.LSTMCell.__init__)


@_register
class RNN(Recurrent, keras.layers.RNN):
    """Runs any cell, or a stack of cells, over sequences.

    Same arguments as `keras.layers.RNN`: ``cell`` (or a list of cells), ``return_sequences``,
    ``return_state``, ``go_backwards``, ``stateful``, ``unroll``, ``zero_output_for_mask``.

    Call arguments:
        sequences: ``(batch, time, features)``.
        initial_state: arrays of the cell's state, ``(batch, units)`` each; None for zeros.
        mask: bool ``(batch, time)``, False where a step is to be passed over.
        training: whether dropout is active.

    Returns:
        The last output ``(batch, units)``, or with ``return_sequences`` all of them
        ``(batch, time, units)``; with ``return_state`` followed by the arrays of the state.

    Raises:
        ValueError: for a sequence without time steps, and where a stateful layer carries the
            state of another number of samples than came.

    >>> import numpy as np
    >>> stack = RNN([LSTMCell(8), LSTMCell(4)], return_sequences=True)
    >>> stack(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 4)
    """


@_register
class SimpleRNN(Recurrent, keras.layers.SimpleRNN):
    """Elman's recurrent layer: ``h = activation(x W + h U + b)``.

    Same arguments as `keras.layers.SimpleRNN`. Call arguments, shapes and errors as in `RNN`;
    the state is ``[h]``.

    >>> import numpy as np
    >>> SimpleRNN(4)(np.ones((2, 5, 3), "float32")).shape
    (2, 4)
    """

    __init__ = with_whole_units(keras.layers.SimpleRNN.__init__)


@_register
class GRU(Recurrent, keras.layers.GRU):
    """Gated recurrent unit (Cho et al., 2014); both forms of the reset gate by ``reset_after``.

    Same arguments as `keras.layers.GRU`. Call arguments, shapes and errors as in `RNN`;
    the state is ``[h]``. Equations: `statewise.recurrence.GRU`.

    >>> import numpy as np
    >>> GRU(4, return_sequences=True)(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 4)
    """

    __init__ = with_whole_units(keras.layers.GRU.__init__)


@_register
class LSTM(Recurrent, keras.layers.LSTM):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997).

    Same arguments as `keras.layers.LSTM`. Call arguments, shapes and errors as in `RNN`;
    the state is ``[h, c]``. Equations: `statewise.recurrence.LSTM`.

    A stateful layer goes on where it stopped, until it's reset:

    >>> import numpy as np
    >>> tanks = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    >>> layer = LSTM(4, stateful=True)
    >>> first, second = layer(tanks[:, :2]), layer(tanks[:, 2:])
    >>> layer.reset_states()
    >>> bool(np.allclose(second, layer(tanks), atol=1e-6))
    True
    """

    __init__ = with_whole_units(keras.layers.LSTM.__init__)
