"""Rows of whatever Keras takes as an array, on the device."""

import math

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise._keras_compat import convert_to_sliceable
from statewise.sequences.memory_maps import let_go

# Arrays of no more bytes are handed to each call as they are: that's quicker than a copy before.
BY_HAND_LIMIT = 1 << 16


class Rows:
    """Rows of an array on the device; a float array in Keras's float type, cast as it is read."""

    def __init__(self, array):
        if isinstance(array, np.ndarray) and array.dtype != object:
            self._array = array  # Keras's own wrapper would cast (and load) all of it at once
        else:
            self._array = convert_to_sliceable(array, target_backend="jax")

    def __len__(self) -> int:
        return len(self._array)

    def take(self, rows, length: int = 0) -> jax.Array | np.ndarray:
        """Return the given rows, for a program, followed by zeros up to ``length`` rows."""
        if not isinstance(self._array, np.ndarray):
            taken = jnp.asarray(self._array.convert_to_jax_compatible(self._array[rows]))
            return jnp.asarray(_padded(np.asarray(taken), length)) if length else taken
        padded = _padded(self._cast(rows), length)
        return padded if padded.nbytes <= BY_HAND_LIMIT else jax.device_put(padded)

    def by_hand(self, rows) -> np.ndarray:
        """Return the given rows as an array of NumPy, of any size."""
        if isinstance(self._array, np.ndarray):
            return self._cast(rows)
        return np.asarray(self.take(rows))

    def _cast(self, rows) -> np.ndarray:
        taken = self._array[rows]
        if np.issubdtype(taken.dtype, np.floating):
            taken = taken.astype(keras.config.floatx(), copy=False)
        let_go(self._array)
        return taken


def _padded(array: np.ndarray, length: int) -> np.ndarray:
    missing = length - array.shape[0]
    if missing <= 0:
        return array
    padded = np.zeros((length, *array.shape[1:]), array.dtype)
    padded[: array.shape[0]] = array
    return padded


def rounded_up(batches: int) -> int:
    """Round a number of batches up by at most a quarter: 1, 2, 3, 4, 5, ..., 8, 10, 12, 14, 16."""
    unit = 1 << max(0, math.floor(math.log2(batches)) - 2)
    return -(-batches // unit) * unit
