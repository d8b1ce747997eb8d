"""An LSTM with layer normalisation: `LayerNormLSTM`, and its cell."""

import keras

from statewise import recurrence
from statewise.layers.arithmetic import ByEquations, function_of
from statewise.layers.of_one_cell import OfOneCell
from statewise.layers.units import with_whole_units

_register = keras.saving.register_keras_serializable(package="statewise")
_NORMALISED = ("kernel", "recurrent", "state")


@_register
class LayerNormLSTMCell(ByEquations, keras.layers.LSTMCell):
    """One step of a `LayerNormLSTM`: ``(x (batch, features), [h, c]) -> (output, [h, c])``.

    >>> import numpy as np
    >>> zeros = np.zeros((2, 4), "float32")
    >>> output, (h, c) = LayerNormLSTMCell(4)(np.ones((2, 3), "float32"), [zeros, zeros])
    >>> c.shape
    (2, 4)
    """

    @with_whole_units
    def __init__(
        self,
        units,
        *arguments,
        norm_gamma_initializer="ones",
        norm_beta_initializer="zeros",
        norm_epsilon=1e-3,
        **options,
    ):
        super().__init__(units, *arguments, **options)
        self.dropout_mask_count = None  # one mask for all gates: they are normalised together
        self.norm_gamma_initializer = keras.initializers.get(norm_gamma_initializer)
        self.norm_beta_initializer = keras.initializers.get(norm_beta_initializer)
        self.norm_epsilon = norm_epsilon

    def build(self, input_shape):
        """Create the weights: an LSTM's, then gamma and beta of each of the normalisations."""
        super().build(input_shape)
        sizes = (4 * self.units, 4 * self.units, self.units)
        self.norms = [
            self.add_weight(shape=(size,), name=f"{name}_norm_{weight}", initializer=initializer)
            for name, size in zip(_NORMALISED, sizes, strict=True)
            for weight, initializer in (
                ("gamma", self.norm_gamma_initializer),
                ("beta", self.norm_beta_initializer),
            )
        ]

    def equations(self) -> recurrence.Cell:
        """Return `statewise.recurrence.LayerNormLSTM`."""
        return recurrence.LayerNormLSTM(
            function_of(self.activation), function_of(self.recurrent_activation), self.norm_epsilon
        )

    def further_weights(self) -> list[keras.Variable]:
        """Return gamma and beta of the products of the inputs and of ``h``, and of the cell."""
        return self.norms

    def get_config(self):
        """Return the arguments with which the cell was made."""
        return {
            **super().get_config(),
            "norm_gamma_initializer": keras.initializers.serialize(self.norm_gamma_initializer),
            "norm_beta_initializer": keras.initializers.serialize(self.norm_beta_initializer),
            "norm_epsilon": self.norm_epsilon,
        }


@_register
class LayerNormLSTM(OfOneCell, cell=LayerNormLSTMCell):
    """An LSTM with layer normalisation (Ba et al., 2016), as TensorFlow Addons had it.

    The product of the inputs, that of the previous output and the cell state are normalised in
    every step, each with a scale (gamma) and a shift (beta) for each of its values. Weights: those
    of an `LSTM`, then gamma and beta of the three, in this order.

    Args:
        units: how many values come out of a step.
        norm_gamma_initializer: how the scales begin.
        norm_beta_initializer: how the shifts begin.
        norm_epsilon: what is added to a variance.
        **options: those of `LSTM`, by position too.

    Call arguments, shapes and errors as in `RNN`; the state is ``[h, c]``, with ``c`` normalised.
    Equations and references: `statewise.recurrence.LayerNormLSTM`.

    >>> import numpy as np
    >>> layer = LayerNormLSTM(4, return_sequences=True)
    >>> layer(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 4)
    >>> [tuple(weight.shape) for weight in layer.weights]
    [(3, 16), (4, 16), (16,), (16,), (16,), (16,), (16,), (4,), (4,)]
    """
