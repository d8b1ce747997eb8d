"""What a model is given: arrays of real numbers, none of them masked; anything else is refused."""

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise.models.structure import one_input_shape

# Kinds of NumPy's dtypes that are numbers for a network; "V" are the short floats of ml_dtypes.
_NUMBERS = "biufV"


def check_numbers(**given) -> None:
    """Refuse arrays whose values would be changed without a word.

    Args:
        given: arrays by the name of the argument, or nested structures of arrays; None for none.

    Raises:
        TypeError: for complex numbers, of which only the real part would be used.
        ValueError: for masked arrays with masked values, which would be used as they are.

    >>> check_numbers(x=np.ones(3), y=np.ones(3) * 1j)
    Traceback (most recent call last):
    ...
    TypeError: y holds complex numbers (complex128), ...
    """
    for name, arrays in given.items():
        if type(arrays) is np.ndarray and arrays.dtype.kind != "c":
            continue
        for array in keras.tree.flatten(arrays):
            _check(array, name)


def check_count(value, name: str, what: str, least: int = 1) -> int:
    """Return a number of things as an int; any whole number may come, NumPy's too.

    Raises:
        TypeError: if it's no whole number.
        ValueError: if it's less than ``least``.

    >>> check_count(np.int8(100), "batch_size", "samples")
    100
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}={value!r}: expected a whole number of {what}.")
    if value < least:
        raise ValueError(f"{name}={value}: expected at least {least} of {what}.")
    return int(value)


def input_arrays(x, name: str = "x"):
    """Return what a model is given as arrays on the device, floats in Keras's float type.

    Args:
        x: an array or nested lists of numbers; for a model of several inputs a structure of arrays.
        name: what it's called in messages.

    Raises:
        TypeError: if it isn't numbers.
        ValueError: if it's a single number, or lists of different lengths.
    """
    if isinstance(x, (list, tuple)):
        leaves = keras.tree.flatten(x)
        if not leaves or not any(hasattr(leaf, "__array__") for leaf in leaves):
            return _on_device(x, name)
    return jax.tree.map(lambda a: _on_device(a, name), x, is_leaf=lambda a: a is None)


def check_shape(model: keras.Model, x, *, exact: bool = False) -> None:
    """Refuse an array that a model with one input doesn't take.

    Args:
        model: a built model.
        x: an array; anything else is left to the model.
        exact: whether the last axis must be there where it's of length 1 (Keras adds it).

    Raises:
        ValueError: with what the model takes.
    """
    expected = one_input_shape(model)
    if expected is None or not hasattr(x, "ndim"):
        return
    if x.ndim == len(expected):
        fits = x.ndim < 3 or not exact or expected[2] in (None, x.shape[2])
    else:
        longer = x.shape if x.ndim > len(expected) else expected
        fits = not exact and abs(x.ndim - len(expected)) == 1 and longer[-1] == 1
    if not fits:
        raise ValueError(
            f"x has the shape {tuple(x.shape)}, but the model takes {expected}, "
            "(batch, time steps, features); None stands for any number."
        )


def _on_device(array, name: str) -> jax.Array:
    _check(array, name)
    if not isinstance(array, jax.Array):
        try:
            array = np.asarray(array)
        except ValueError as error:
            raise ValueError(
                f"{name} isn't an array: its parts are of different lengths ({error})."
            ) from error
        if array.dtype.kind not in _NUMBERS:
            raise TypeError(
                f"{name} holds no numbers but {array.dtype}; expected an array "
                "(batch, time, features)."
            )
        if array.dtype.kind == "f":
            array = array.astype(keras.config.floatx(), copy=False)
        # Not jnp.asarray for known steps, which are of many lengths: it compiles a program for
        # each shape, and keeps it. For a single step it's twice as fast.
        one_step = array.ndim < 2 or array.shape[1] == 1
        array = jnp.asarray(array) if one_step else jax.device_put(array.copy())
    if array.ndim == 0:
        raise ValueError(
            f"{name} is a single number; expected (batch, time, features). One step of one series "
            "is an array of the shape (1, 1, features)."
        )
    return array


def _check(array, name: str) -> None:
    dtype = getattr(array, "dtype", None)
    if getattr(dtype, "kind", "") == "c":
        raise TypeError(
            f"{name} holds complex numbers ({dtype}), but a network computes with real ones. Give "
            "the real and the imaginary part (.real and .imag) as features of their own."
        )
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        count = int(np.ma.count_masked(array))
        raise ValueError(
            f"{name} is a masked array with {count} masked value{'s' * (count > 1)}, for which a "
            "network has no use: fill them (x.filled(...)), or put a number of your own there and "
            "begin the model with layers.Masking(that number)."
        )
