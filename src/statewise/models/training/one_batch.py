"""One batch out of a piece, within a compiled program and outside."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.models.training.flags import Flags
from statewise.models.training.shares import SharedOut
from statewise.models.training.sparse import of_jax


def split_flags(batch) -> tuple[Any, Flags]:
    """Split a batch of lanes into what Keras knows, and the flags; others have no flags."""
    if isinstance(batch, tuple) and isinstance(batch[-1], Flags):
        return batch
    return batch, Flags()


def batch_of(data, order, i, size):
    """Return batch ``i`` of ``size`` samples, in the order given."""
    if isinstance(data, SharedOut):
        return jax.tree.map(
            lambda a: jax.lax.dynamic_index_in_dim(a, i, keepdims=False), data.arrays
        )
    if order is None:
        return _of_each(lambda a: jax.lax.dynamic_slice_in_dim(a, i * size, size), data)
    rows = jax.lax.dynamic_slice_in_dim(order, i * size, size)
    return _of_each(lambda a: a.at[rows].get(mode="promise_in_bounds"), data)


def batch_now(data, order, i, size):
    """Return the same batch outside of a program, where arrays may be NumPy's."""
    if isinstance(data, SharedOut):
        return jax.tree.map(lambda a: a[i], data.arrays)
    rows = slice(i * size, (i + 1) * size)
    if order is not None:
        rows = np.asarray(order[rows])
    return _of_each(lambda a: jnp.asarray(a[rows]), data)


def room_for(data, batches: int, shape: tuple) -> tuple:
    """Return the shape in which the outputs, one of them of ``shape`` a batch, of a piece fit."""
    if isinstance(data, SharedOut):
        return batches, *shape
    return batches * shape[0], *shape[1:]


def put_batch(data, outputs, now, i):
    """Return the outputs of a piece with those of batch ``i`` in their place."""
    if isinstance(data, SharedOut):
        return jax.lax.dynamic_update_index_in_dim(outputs, now, i, 0)
    return jax.lax.dynamic_update_slice_in_dim(outputs, now, i * now.shape[0], 0)


def _of_each(take, data):
    """Return what is taken of each array; a sparse one comes as the one batch it is."""
    return jax.tree.map(lambda a: a if of_jax(a) else take(a), data, is_leaf=of_jax)
