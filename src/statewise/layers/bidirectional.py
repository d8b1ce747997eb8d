"""`Bidirectional`: two recurrent layers, one for each direction of time."""

import keras

from statewise.layers.masks import mask_of, mask_of_outputs


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

    def call(self, sequences, initial_state=None, mask=None, training=None):
        """Run over the sequences in both directions, see `keras.layers.Bidirectional`."""
        if initial_state is not None:
            self._check_initial_state(initial_state)
        mask = mask_of(sequences, mask)
        return super().call(sequences, initial_state, mask=mask, training=training)

    def compute_mask(self, inputs, mask):
        """Return the mask of each output: that of the inputs where all time steps come out."""
        mask = keras.tree.flatten(mask)[0] if self.return_sequences else None
        mask = mask_of_outputs(mask, self.forward_layer.go_backwards)
        outputs = [mask] * (2 if self.merge_mode is None else 1)
        if not self.return_state:
            return outputs if self.merge_mode is None else mask
        ways = (self.forward_layer, self.backward_layer)
        return outputs + [None] * sum(len(layer.state_size) for layer in ways)

    def _check_initial_state(self, state):
        """Refuse a given state that isn't that of both directions (Keras cuts it in two halves)."""
        ways = (self.forward_layer, self.backward_layer)
        count = sum(len(layer.state_size) for layer in ways)
        got = len(state) if isinstance(state, (list, tuple)) else None
        if got != count:
            raise ValueError(
                f"Layer {self.name!r} takes the states of both directions as its initial_state, a "
                f"list of {count}, forwards first; what came is "
                f"{'no list' if got is None else f'a list of {got}'}."
            )

    # Both directions go through floor 1, where the faster path is chosen.
    def _can_attempt_fused_lstm(self, *args, **kwargs):
        return False

    def _can_attempt_fused_gru(self, *args, **kwargs):
        return False
