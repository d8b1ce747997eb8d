"""Cells of autoencoders: a decoder that feeds back, and a window that is reconstructed live."""

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise import recurrence
from statewise.recurrence import Weights

_LSTM = recurrence.LSTM()


@keras.saving.register_keras_serializable(package="statewise")
class FeedbackCell(keras.layers.Layer):
    """One step of a decoder whose input is its own last output: an LSTM and a dense layer.

    ``h, c = LSTM(y, (h, c)); y = h W + b``. What comes in as input isn't looked at: it only says
    how many steps there are to be. As in Malhotra et al., "LSTM-based encoder-decoder for
    multi-sensor anomaly detection", 2016, but forwards in time: the newest value is reconstructed
    last.

    Args:
        units: of the LSTM.
        features: of an output.
    """

    def __init__(self, units: int, features: int, **options):
        super().__init__(**options)
        self.units, self.features = units, features
        self.state_size, self.output_size = [units, units, features], features
        self.lstm = keras.layers.LSTMCell(units)
        self.dense = keras.layers.Dense(features)

    def build(self, input_shape=None):
        """Create the weights."""
        self.lstm.build((None, self.features))
        self.dense.build((None, self.units))
        self.built = True

    def get_initial_state(self, batch_size=None):
        """Return zeros."""
        return [jnp.zeros((batch_size, size), self.compute_dtype) for size in self.state_size]

    def call(self, inputs, states):
        """Compute one step."""
        h, c, y = states
        h, (h, c) = self.lstm(y, [h, c])
        y = self.dense(h)
        return y, [h, c, y]

    def get_config(self):
        """Return the arguments with which the cell was made."""
        return {**super().get_config(), "units": self.units, "features": self.features}


class WindowCell(keras.layers.Layer):
    """Keeps the last steps of a stream, and reconstructs them by an encoder and a decoder.

    Inputs: ``(batch, 2 features)``, scaled values and whether they are known; a missing one is the
    last again. Output: ``(batch, 2 features)``, the newest step's reconstruction and the logarithm
    of its usual error.

    Args:
        features: how many.
        window: steps.
        arrays: of the encoder's LSTM (kernel, recurrent kernel, bias), the decoder's LSTM, and the
            dense layer (kernel, bias); then the logarithms of the usual errors.
        feedback: whether the decoder is fed with its own outputs, or with the code again and again.
        widest: values are shown as this at most.
    """

    def __init__(self, features: int, window: int, arrays, *, feedback: bool, widest: float):
        super().__init__(name="window", dtype="float32", trainable=False)
        self._features, self._window = features, window
        self._arrays = [np.asarray(array, "float32") for array in arrays]
        self._feedback, self._widest = feedback, widest
        self.state_size, self.output_size = [window * features], 2 * features

    def build(self, input_shape=None):
        """Hold the arrays as weights."""
        self._held = []
        for i, array in enumerate(self._arrays):
            weight = self.add_weight(shape=array.shape, name=f"array_{i}", trainable=False)
            weight.assign(array)
            self._held.append(weight)
        self.built = True

    def get_initial_state(self, batch_size=None):
        """Return zeros: the average."""
        return [jnp.zeros((batch_size, self.state_size[0]), "float32")]

    def call(self, inputs, states):
        """Compute one step."""
        features, widest = self._features, self._widest
        kept = states[0].reshape(-1, self._window, features)
        x, known = inputs[:, :features], inputs[:, features:]
        x = jnp.where(known > 0, jnp.clip(x, -widest, widest), kept[:, -1])
        kept = jnp.concatenate([kept[:, 1:], x[:, None]], 1)
        arrays = [jnp.asarray(weight.value) for weight in self._held]
        encoder, decoder = Weights(*arrays[:3]), Weights(*arrays[3:6])
        last = self._decoded(_encoded(kept, encoder), decoder, arrays[6], arrays[7])
        spread = jnp.broadcast_to(arrays[8], last.shape)
        return jnp.concatenate([last, spread], 1), [kept.reshape(kept.shape[0], -1)]

    def _decoded(self, state, weights: Weights, kernel, bias):
        """Return the last step of the reconstruction, (batch, features)."""
        batch = state.h.shape[0]
        if self._feedback:

            def step(carried, _):
                state, y = carried
                state = _LSTM.step(_LSTM.project(y, weights, None), state, weights)
                return (state, state.h @ kernel + bias), None

            begin = (state, jnp.zeros((batch, self._features), "float32"))
            (_, y), _ = jax.lax.scan(step, begin, None, length=self._window)
            return y
        projected = _LSTM.project(state.h, weights, None)
        fresh = _LSTM.initial_state(batch, weights.recurrent_kernel.shape[0], "float32")
        state, _ = jax.lax.scan(
            lambda state, _: (_LSTM.step(projected, state, weights), None),
            fresh,
            None,
            length=self._window,
        )
        return state.h @ kernel + bias


def _encoded(x, weights: Weights):
    """Return an LSTM's state after ``x (batch, time, features)``."""
    fresh = _LSTM.initial_state(x.shape[0], weights.recurrent_kernel.shape[0], "float32")
    projected = jnp.swapaxes(_LSTM.project(x, weights, None), 0, 1)
    state, _ = jax.lax.scan(
        lambda state, now: (_LSTM.step(now, state, weights), None), fresh, projected
    )
    return state
