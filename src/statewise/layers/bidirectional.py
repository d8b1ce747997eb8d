"""`Bidirectional`: two recurrent layers, one for each direction of time."""

import keras


@keras.saving.register_keras_serializable(package="statewise")
class Bidirectional(keras.layers.Bidirectional):
    """Runs a recurrent layer forwards and a copy of it backwards, and merges their outputs.

    Same arguments and weights as `keras.layers.Bidirectional`: ``layer``, ``merge_mode`` ("concat",
    "sum", "mul", "ave" or None), ``backward_layer``.

    Returns:
        ``(batch, 2 * units)`` for "concat", with ``return_sequences``
        ``(batch, time, 2 * units)``; ``units`` for the other ways to merge.

    >>> import numpy as np
    >>> from statewise.layers import LSTM
    >>> Bidirectional(LSTM(4, return_sequences=True))(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 8)
    """

    def compute_mask(self, inputs, mask):
        """Return the mask of each output: that of the inputs where all time steps come out."""
        mask = keras.tree.flatten(mask)[0] if self.return_sequences else None
        outputs = [mask] * (2 if self.merge_mode is None else 1)
        if not self.return_state:
            return outputs if self.merge_mode is None else mask
        ways = (self.forward_layer, self.backward_layer)
        return outputs + [None] * sum(len(layer.state_size) for layer in ways)

    # Both directions go through floor 1, where the faster path is chosen.
    def _can_attempt_fused_lstm(self, *args, **kwargs):
        return False

    def _can_attempt_fused_gru(self, *args, **kwargs):
        return False
