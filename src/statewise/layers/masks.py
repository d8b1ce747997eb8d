"""Which time steps count: the mask that a call is given, or that its inputs bring along."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax.numpy as jnp
import numpy as np
from jax import Array
from keras import ops, tree

from statewise._keras_compat import get_keras_mask, in_symbolic_scope, set_keras_mask


def mask_of(sequences, given):
    """Return the mask for a call: the one that is given, else the one that the inputs carry.

    Keras looks for the inputs' mask only where they are the call's only array, so that a layer
    which is given its initial state too would read the padding.
    """
    if isinstance(given, (list, tuple)):  # one for each argument, as Keras collects them
        first = given[0] if given else None
        given = first if first is None or hasattr(first, "shape") else np.asarray(given)
    return get_keras_mask(sequences) if given is None else given


def flag_a_step(mask, sequences, name: str) -> Array | None:
    """Return a mask as bool ``(batch, time)``; a step counts if any of its features does.

    Args:
        mask: ``(batch, time)`` or ``(batch, time, features)``; None where every step counts.
        sequences: ``(batch, time, features)``.
        name: the layer's, for messages.

    Raises:
        ValueError: if it isn't of these samples and time steps.
    """
    if mask is None:
        return None
    if not hasattr(mask, "shape"):
        mask = np.asarray(mask)
    shape, wanted = tuple(mask.shape), tuple(sequences.shape[:2])
    # While Keras works out shapes it puts a number of its own for an unknown one.
    if not in_symbolic_scope() and (len(shape) not in (2, 3) or shape[:2] != wanted):
        raise ValueError(
            f"The mask of layer {name!r} has the shape {shape}; expected (batch, time) = {wanted}, "
            "as in the inputs, True for each step that counts."
        )
    mask = jnp.asarray(mask, bool)
    return mask.any(axis=-1) if mask.ndim == 3 else mask


def mask_of_outputs(mask, backwards: bool):
    """Return the mask of a layer's outputs for all time steps, ``(batch, time)``.

    Args:
        mask: that of the inputs, or None.
        backwards: whether the outputs come in the reverse order.
    """
    if mask is None:
        return None
    if len(mask.shape) == 3:
        mask = ops.any(mask, axis=-1)
    return ops.flip(mask, axis=1) if backwards else mask


@contextmanager
def leaving_masks(given) -> Iterator[None]:
    """Let the arrays that a model is called with carry the masks that they carried before.

    Keras hangs the mask that a model is given on the very arrays of the caller, where every later
    call with the same arrays would find it.
    """
    arrays = [a for a in tree.flatten(given) if isinstance(a, Array)]
    before = [get_keras_mask(a) for a in arrays]
    try:
        yield
    finally:
        for array, mask in zip(arrays, before, strict=True):
            set_keras_mask(array, mask)
