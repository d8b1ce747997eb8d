"""One batch out of a piece, within a compiled program and outside."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.models.training.flags import Flags
from statewise.models.training.sparse import of_jax


def split_flags(batch) -> tuple[Any, Flags]:
    """Split a batch of lanes into what Keras knows, and the flags; others have no flags."""
    if isinstance(batch, tuple) and isinstance(batch[-1], Flags):
        return batch
    return batch, Flags()


def batch_of(data, order, i, size):
    """Return batch ``i`` of ``size`` samples, in the order given."""
    if order is None:
        return _of_each(lambda a: jax.lax.dynamic_slice_in_dim(a, i * size, size), data)
    rows = jax.lax.dynamic_slice_in_dim(order, i * size, size)
    return _of_each(lambda a: a.at[rows].get(mode="promise_in_bounds"), data)


def batch_now(data, order, i, size):
    """Return the same batch outside of a program, where arrays may be NumPy's."""
    rows = slice(i * size, (i + 1) * size)
    if order is not None:
        rows = np.asarray(order[rows])
    return _of_each(lambda a: jnp.asarray(a[rows]), data)


def _of_each(take, data):
    """Return what is taken of each array; a sparse one comes as the one batch it is."""
    return jax.tree.map(lambda a: a if of_jax(a) else take(a), data, is_leaf=of_jax)
