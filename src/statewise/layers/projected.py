"""An LSTM that puts out, and carries on, a product of its output: `ProjectedLSTM`, and its cell."""

import keras

from statewise import recurrence
from statewise.layers.arithmetic import ByEquations, function_of
from statewise.layers.of_one_cell import OfOneCell
from statewise.layers.units import with_whole_units

_register = keras.saving.register_keras_serializable(package="statewise")


@_register
class ProjectedLSTMCell(ByEquations, keras.layers.LSTMCell):
    """One step of a `ProjectedLSTM`: ``(x (batch, features), [h, c]) -> (output, [h, c])``.

    >>> import numpy as np
    >>> state = [np.zeros((2, 3), "float32"), np.zeros((2, 8), "float32")]
    >>> output, (h, c) = ProjectedLSTMCell(8, 3)(np.ones((2, 5), "float32"), state)
    >>> output.shape, c.shape
    ((2, 3), (2, 8))
    """

    @with_whole_units
    def __init__(
        self,
        units,
        projection,
        *,
        projection_initializer="glorot_uniform",
        projection_regularizer=None,
        projection_constraint=None,
        **options,
    ):
        super().__init__(units, **options)
        if isinstance(projection, bool) or int(projection) != projection or projection < 1:
            raise ValueError(f"projection={projection!r}: expected a whole number, 1 or more.")
        self.projection = int(projection)
        self.projection_initializer = keras.initializers.get(projection_initializer)
        self.projection_regularizer = keras.regularizers.get(projection_regularizer)
        self.projection_constraint = keras.constraints.get(projection_constraint)
        self.state_size = [self.projection, self.units]
        self.output_size = self.projection

    def build(self, input_shape):
        """Create the weights: kernel, recurrent kernel, bias, projection."""
        super().build(input_shape)
        self.projection_kernel = self.add_weight(
            shape=(self.units, self.projection),
            name="projection_kernel",
            initializer=self.projection_initializer,
            regularizer=self.projection_regularizer,
            constraint=self.projection_constraint,
        )

    def add_weight(self, shape=None, **options):
        """Create a weight; the recurrent kernel has a row for each value of the projection."""
        if options.get("name") == "recurrent_kernel":
            shape = (self.projection, shape[1])
        return super().add_weight(shape=shape, **options)

    def equations(self) -> recurrence.Cell:
        """Return `statewise.recurrence.ProjectedLSTM`."""
        return recurrence.ProjectedLSTM(
            self.projection, function_of(self.activation), function_of(self.recurrent_activation)
        )

    def further_weights(self) -> list[keras.Variable]:
        """Return the projection, ``(units, projection)``."""
        return [self.projection_kernel]

    def get_config(self):
        """Return the arguments with which the cell was made."""
        return {
            **super().get_config(),
            "projection": self.projection,
            "projection_initializer": keras.initializers.serialize(self.projection_initializer),
            "projection_regularizer": keras.regularizers.serialize(self.projection_regularizer),
            "projection_constraint": keras.constraints.serialize(self.projection_constraint),
        }


@_register
class ProjectedLSTM(OfOneCell, cell=ProjectedLSTMCell):
    """Long short-term memory whose output is projected to fewer values (Sak et al., 2014).

    What comes out of a step and goes into the next is ``h = (o * tanh(c)) P``, with as many values
    as ``projection`` says; the cell state keeps its ``units``. PyTorch's
    ``nn.LSTM(features, units, proj_size=projection)``. Weights: kernel, recurrent kernel
    ``(projection, 4 * units)``, bias, projection ``(units, projection)``.

    Args:
        units: how many values the cell state has.
        projection: how many values come out of a step.
        projection_initializer, projection_regularizer, projection_constraint: of the projection.
        **options: those of `LSTM`.

    Call arguments, shapes and errors as in `RNN`, with ``projection`` for the outputs' ``units``;
    the state is ``[h (batch, projection), c (batch, units)]``. Equations and reference:
    `statewise.recurrence.ProjectedLSTM`.

    >>> import numpy as np
    >>> layer = ProjectedLSTM(8, 3, return_state=True)
    >>> output, h, c = layer(np.ones((2, 5, 4), "float32"))
    >>> output.shape, h.shape, c.shape
    ((2, 3), (2, 3), (2, 8))
    """
