"""Layers without a recurrent product, all of whose steps are computed at once: `MinGRU`, `MinLSTM`.

Equations: `statewise.recurrence.MinGRU` and `statewise.recurrence.MinLSTM`.
"""

import keras
from keras import ops

from statewise import recurrence
from statewise._keras_compat import DropoutRNNCell
from statewise.layers.arithmetic import ByEquations, function_of
from statewise.layers.of_one_cell import OfOneCell
from statewise.layers.units import with_whole_units

_register = keras.saving.register_keras_serializable(package="statewise")


class _MinimalCell(ByEquations, DropoutRNNCell, keras.Layer):
    """What both cells have in common: the weights and their arguments."""

    recurrent_dropout = 0.0  # there is no recurrent product

    @with_whole_units
    def __init__(
        self,
        units,
        activation="linear",
        *,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        seed=None,
        **kwargs,
    ):
        if units < 1:
            raise ValueError(f"units={units}: expected a whole number of units, 1 or more.")
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, dropout))
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed=seed)
        self.state_size = [units]
        self.output_size = units

    def build(self, input_shape):
        """Create the weights."""
        wide = len(self.equations().gates) * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], wide),
            name="kernel",
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(wide,),
                name="bias",
                initializer=self._first_bias,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def get_initial_state(self, batch_size=None):
        """Return zeros ``(batch, units)``."""
        return [ops.zeros((batch_size, self.units), self.compute_dtype)]

    def get_config(self):
        """Return the arguments with which the cell was made."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "seed": self.seed,
        }

    def _first_bias(self, shape, dtype=None):
        return self.bias_initializer(shape, dtype=dtype)


@_register
class MinGRUCell(_MinimalCell):
    """One step of a `MinGRU`: ``(x (batch, features), [h]) -> (output, [h])``.

    >>> import numpy as np
    >>> output, state = MinGRUCell(4)(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> output.shape
    (2, 4)
    """

    def equations(self) -> recurrence.Cell:
        """Return `statewise.recurrence.MinGRU`."""
        return recurrence.MinGRU(function_of(self.activation))


@_register
class MinLSTMCell(_MinimalCell):
    """One step of a `MinLSTM`: ``(x (batch, features), [h]) -> (output, [h])``.

    >>> import numpy as np
    >>> output, state = MinLSTMCell(4)(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> output.shape
    (2, 4)
    """

    def __init__(self, units, activation="linear", *, unit_forget_bias=True, **options):
        super().__init__(units, activation, **options)
        self.unit_forget_bias = unit_forget_bias

    def equations(self) -> recurrence.Cell:
        """Return `statewise.recurrence.MinLSTM`."""
        return recurrence.MinLSTM(function_of(self.activation))

    def get_config(self):
        """Return the arguments with which the cell was made."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}

    def _first_bias(self, shape, dtype=None):
        bias = super()._first_bias(shape, dtype)
        if not self.unit_forget_bias:
            return bias
        i, _, candidate = ops.split(bias, 3)
        return ops.concatenate([i, ops.ones_like(i), candidate])


@_register
class MinGRU(OfOneCell, cell=MinGRUCell):
    """A GRU without a recurrent product, its steps computed all at once (Feng et al., 2024).

    The gate and the candidate are made of the inputs alone, ``h = (1 - z) h + z (x W_h + b_h)``
    with ``z = sigmoid(x W_z + b_z)``: a step is linear in the state, so training runs over a long
    sequence in one pass or in a parallel scan, with less than half of a GRU's weights. A layer
    can't count or compare what it has seen; several on top of each other can.

    Args:
        units: how many values come out of a step.
        activation: of the candidate; linear in the paper.
        use_bias: whether there are biases.
        kernel_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint: as in Keras.
        dropout: which share of the inputs is dropped in training.
        seed: of the dropout.
        **options: those of `RNN`.

    Call arguments, shapes and errors as in `RNN`; the state is ``[h]``. Equations and reference:
    `statewise.recurrence.MinGRU`.

    >>> import numpy as np
    >>> layer = MinGRU(4, return_sequences=True)
    >>> layer(np.ones((2, 5, 3), "float32")).shape, layer.count_params()
    ((2, 5, 4), 32)
    """


@_register
class MinLSTM(OfOneCell, cell=MinLSTMCell):
    """An LSTM without a recurrent product, its steps computed all at once (Feng et al., 2024).

    The forget and the input gate are made of the inputs alone, and are divided by their sum:
    ``h = f / (f + i) h + i / (f + i) (x W_h + b_h)``. There is no output gate and no second state.
    See `MinGRU` for what that's for.

    Args:
        units: how many values come out of a step.
        activation: of the candidate; linear in the paper.
        use_bias: whether there are biases.
        unit_forget_bias: whether the forget gate's begin at 1.
        kernel_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint: as in Keras.
        dropout: which share of the inputs is dropped in training.
        seed: of the dropout.
        **options: those of `RNN`.

    Call arguments, shapes and errors as in `RNN`; the state is ``[h]``. Equations and reference:
    `statewise.recurrence.MinLSTM`.

    >>> import numpy as np
    >>> layer = MinLSTM(4, return_sequences=True)
    >>> layer(np.ones((2, 5, 3), "float32")).shape, layer.count_params()
    ((2, 5, 4), 48)
    """
