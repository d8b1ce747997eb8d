r"""Recurrent layers that forget some of their recurrent weights in training, others each batch.

.. math:: h_t = f(x_t, h_{t-1}; U \odot M), \qquad M_{ij} \in \{0, 1 / (1 - p)\}

with one draw of :math:`M` for all steps of a batch. Outside training U is whole. Since the
recurrence is run as ever, on another matrix, the native kernels serve it.

Reference: Merity, Keskar and Socher, "Regularizing and optimizing LSTM language models",
arXiv:1708.02182 (2017), after Wan et al., "Regularization of neural networks using DropConnect"
(ICML 2013).
"""

from typing import Any

import keras

from statewise import layers

_register = keras.saving.register_keras_serializable(package="statewise")


class _DropsWeights:
    """What the layers have in common; to be named before a recurrent layer in a class's bases."""

    def __init__(self, units, *, weight_drop=0.0, **options):
        super().__init__(units, **options)
        self.weight_drop = weight_drop
        self.weight_drop_seed = keras.random.SeedGenerator(seed=options.get("seed"))

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Run the cell over time, in training with some recurrent weights at 0."""
        if not training or not self.weight_drop:
            return super().inner_loop(sequences, initial_state, mask, training=training)
        weights = self.cell.recurrent_kernel
        kernel = keras.ops.convert_to_tensor(weights)
        kernel = keras.random.dropout(kernel, self.weight_drop, seed=self.weight_drop_seed)
        # Past Keras's own __setattr__, which keeps track of a layer's weights.
        vars(self.cell)["recurrent_kernel"] = kernel
        try:
            return super().inner_loop(sequences, initial_state, mask, training=training)
        finally:
            vars(self.cell)["recurrent_kernel"] = weights

    def get_config(self):
        """Return the arguments with which the layer was made."""
        return {**super().get_config(), "weight_drop": self.weight_drop}


@_register
class WeightDropLSTM(_DropsWeights, layers.LSTM):
    """An `LSTM` with DropConnect on its recurrent weights."""


@_register
class WeightDropGRU(_DropsWeights, layers.GRU):
    """A `GRU` with DropConnect on its recurrent weights."""


@_register
class WeightDropSimpleRNN(_DropsWeights, layers.SimpleRNN):
    """A `SimpleRNN` with DropConnect on its recurrent weights."""


LAYERS: dict[str, Any] = {"lstm": WeightDropLSTM, "gru": WeightDropGRU, "rnn": WeightDropSimpleRNN}
