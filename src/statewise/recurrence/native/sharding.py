"""A custom call over a batch that is shared out among devices.

XLA doesn't know what a custom call does with its arrays, so by itself it gathers a sharded batch on
every device first. Here it is told: the rows of the batch are independent, every device runs its
own, and results without a batch (the gradients of weights) are added up.
"""

from collections.abc import Callable, Sequence

import jax
from jax import Array
from jax.custom_batching import sequential_vmap
from jax.experimental.custom_partitioning import custom_partitioning
from jax.sharding import NamedSharding, PartitionSpec

# Where an array has its batch axis; None where it has none.
Axis = int | None


def is_wanted() -> bool:
    """Return whether there is more than one device, and the program isn't written for each.

    Inside `jax.shard_map` a call sees its own device's rows alone.
    """
    return jax.device_count() > 1 and not jax.sharding.get_abstract_mesh().manual_axes


def over_the_batch(
    function: Callable[..., Sequence[Array]],
    arrays: Sequence[Array],
    axes: Sequence[Axis],
    results: Sequence[jax.ShapeDtypeStruct],
    result_axes: Sequence[Axis],
) -> Sequence[Array]:
    """Return ``function(*arrays)``, of which every device computes its own rows.

    Args:
        function: takes arrays and gives arrays; its rows are independent, and results without a
            batch axis are sums over the rows.
        arrays: the first of them has the batch axis.
        axes: the batch axis of each array.
        results: the shapes of what the function gives.
        result_axes: the batch axis of each result.
    """

    def partition(mesh, arguments, shapes):
        spec = arguments[0].sharding.spec
        rows = spec[axes[0]] if len(spec) > axes[0] else None

        def placed(axis):
            dims = () if axis is None or rows is None else (*[None] * axis, rows)
            return NamedSharding(mesh, PartitionSpec(*dims))

        def on_one_device(*arrays):
            found = function(*arrays)
            if rows is None:
                return found
            return [
                jax.lax.psum(array, rows) if axis is None and array.size else array
                for array, axis in zip(found, result_axes, strict=True)
            ]

        return mesh, on_one_device, [*map(placed, result_axes)], tuple(map(placed, axes))

    shared = custom_partitioning(lambda *arrays: function(*arrays))
    rule, others = _rule(arrays, axes, results, result_axes)
    shared.def_partition(partition, sharding_rule=rule, need_replication_factors=others)
    # One after the other, as the custom call itself would be; custom_partitioning has no vmap.
    return sequential_vmap(lambda *arrays: shared(*arrays))(*arrays)


def _rule(arrays, axes, results, result_axes) -> tuple[str, tuple[str, ...]]:
    """Return the axes' names in Shardy's notation: ``b`` for the batch, each other its own."""
    others: list[str] = []

    def names(array, axis):
        words = []
        for i in range(array.ndim):
            if i != axis:
                others.append(f"n{len(others)}")
            words.append("b" if i == axis else others[-1])
        return " ".join(words)

    left, right = (
        ", ".join(map(names, group, group_axes))
        for group, group_axes in ((arrays, axes), (results, result_axes))
    )
    return f"{left} -> {right}", tuple(others)
