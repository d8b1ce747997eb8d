"""Sparse inputs, which stay sparse: of SciPy, of JAX, of TensorFlow.

A program takes dense batches out of arrays that lie on the device whole. A sparse array has no rows
to take, so its batches are cut before and come one by one, each in JAX's form. JAX compiles anew
for each number of stored elements; that's rounded up here, so that few programs serve all batches.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.sparse import BCOO, JAXSparse

from statewise._keras_compat import is_scipy_sparse, is_tensorflow_sparse
from statewise.models.training.shares import SharedOut


def is_sparse(array) -> bool:
    """Whether an array is a sparse one, of SciPy, JAX or TensorFlow.

    >>> is_sparse(BCOO.fromdense(jnp.eye(2))), is_sparse(np.eye(2))
    (True, False)
    """
    return isinstance(array, JAXSparse) or is_scipy_sparse(array) or is_tensorflow_sparse(array)


def of_jax(array) -> bool:
    """Whether an array is one of JAX's sparse arrays; a leaf, then, where trees are looked through.

    >>> len(jax.tree.leaves(BCOO.fromdense(jnp.eye(2)), is_leaf=of_jax))
    1
    """
    return isinstance(array, JAXSparse)


def samples_in(data) -> int:
    """Return how many samples the arrays of a piece have room for.

    >>> samples_in((BCOO.fromdense(jnp.eye(3)), np.ones((3, 1))))
    3
    """
    if isinstance(data, SharedOut):
        batches, samples, *_ = jax.tree.leaves(data)[0].shape
        return batches * samples
    return jax.tree.leaves(data, is_leaf=of_jax)[0].shape[0]


def on_device(array) -> jax.Array | JAXSparse:
    """Return an array of a batch on the device, a sparse one with room for more elements.

    >>> on_device(BCOO.fromdense(jnp.eye(9))).nse
    16
    """
    if not isinstance(array, JAXSparse):
        return jnp.asarray(array)
    if not isinstance(array, BCOO) or array.n_batch or array.n_dense:
        return array
    missing = max(8, 1 << (array.nse - 1).bit_length()) - array.nse if array.nse else 8
    if not missing:
        return array
    # As JAX itself has it, elements beyond the shape are none. NumPy, since JAX would compile a
    # program for each number of them.
    nowhere = np.broadcast_to(np.asarray(array.shape, array.indices.dtype), (missing, array.ndim))
    values = np.concatenate([np.asarray(array.data), np.zeros(missing, array.dtype)])
    places = np.concatenate([np.asarray(array.indices), nowhere])
    return BCOO(
        (jax.device_put(values), jax.device_put(places)),
        shape=tuple(array.shape),
        indices_sorted=array.indices_sorted,
        unique_indices=array.unique_indices,
    )
