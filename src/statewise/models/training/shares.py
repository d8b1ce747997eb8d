"""Batches that are shared out among the devices of Keras's distribution, of one process or several.

Each device has the same rows of every batch: of ``size`` rows and n devices the first has rows 0 to
``size / n``, and so on. So the state of a row (of a lane) stays where its row is, and what a device
needs of the data is laid on it before the program runs. XLA does the rest: it computes the program
that one device would run, each device its own rows, and adds up over all devices what is a sum over
rows (the loss, the gradients, the metrics).

In several processes each has the whole of the data, or can read it, and lays what its own devices
need.
"""

from functools import lru_cache, partial

import jax
import keras
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from statewise._keras_compat import Distribution, layout_of, spread_variable


@partial(jax.tree_util.register_dataclass, data_fields=["arrays"], meta_fields=[])
class SharedOut:
    """Batches of one size, each array ``(batches, samples, ...)``, the samples shared out.

    Args:
        arrays: what a `Piece` has, with the batches as a further axis in front.
    """

    def __init__(self, arrays):
        self.arrays = arrays


class Shares:
    """Which rows of a batch, and which variables, are on which device.

    Args:
        distribution: Keras's; its batch axis is the one along which rows are shared out.

    Attributes:
        count: how many devices (or groups of devices) share the rows of a batch.
        several: whether some of the devices are in other processes.
        first: whether this process is the first of these: the one that writes files.

    Raises:
        ValueError: where each of several processes is to have data of its own; where the devices
            are those of some of the processes.
    """

    def __init__(self, distribution: Distribution):
        if jax.process_count() > 1 and not distribution.auto_shard_dataset:
            raise ValueError(
                "auto_shard_dataset=False says that every process has its own part of the data; "
                "here every process is given the whole (or can read it: a memory map, lanes over "
                "files), and takes its part of each batch. Leave auto_shard_dataset at True."
            )
        self._distribution = distribution
        self._mesh = distribution.device_mesh.backend_mesh
        self._axis = distribution.batch_dim_name or self._mesh.axis_names[0]
        self.count = self._mesh.shape[self._axis]
        among = {device.process_index for device in self._mesh.devices.flat}
        self.several = len(among) > 1
        self.first = not self.several or jax.process_index() == 0
        if self.several and len(among) < jax.process_count():
            raise ValueError(
                f"The distribution has devices of {len(among)} of the {jax.process_count()} "
                "processes of the run. Let it have those of all of them, or this process's alone."
            )

    def divide(self, size: int) -> bool:
        """Whether the devices can share a batch of so many rows; else each computes all of it."""
        return size % self.count == 0

    def check(self, size: int, what: str) -> None:
        """Refuse a batch that can't be shared out.

        Raises:
            ValueError: naming the sizes that can.
        """
        if self.divide(size):
            return
        below = size // self.count * self.count
        near = f"{below} or {below + self.count}" if below else str(self.count)
        raise ValueError(
            f"{what}={size} rows can't be shared out among {self.count} devices, each of which is "
            f"to have as many. Give a multiple of {self.count}: {near}."
        )

    def own(self, size: int) -> slice:
        """Return which rows of a batch this process lays: those of its own devices."""
        if not self.divide(size):
            return slice(0, size)
        axis = self._mesh.axis_names.index(self._axis)
        places = np.moveaxis(self._mesh.devices, axis, 0).reshape(self.count, -1)
        here = [
            place
            for place, devices in enumerate(places)
            if any(device.process_index == jax.process_index() for device in devices)
        ]
        each = size // self.count
        return slice(min(here) * each, (max(here) + 1) * each) if here else slice(0, 0)

    def lay(self, array: np.ndarray, size: int) -> jax.Array:
        """Return batches of ``size`` rows on the devices, of this process's `own` rows of each.

        Args:
            array: ``(batches, own rows, ...)``.
            size: rows of a batch.
        """
        array = array.astype(jax.dtypes.canonicalize_dtype(array.dtype), copy=False)
        own, shape = self.own(size), (array.shape[0], size, *array.shape[2:])

        def part(index):
            start, stop, _ = index[1].indices(size)
            return array[:, start - own.start : stop - own.start]

        return jax.make_array_from_callback(shape, self._sharding(size, axis=1), part)

    def lay_rows(self, array) -> jax.Array:
        """Return an array whose rows every process has, ``(batch, ...)``, shared out by rows."""
        sharding = self._sharding(array.shape[0], axis=0)
        if isinstance(array, jax.Array) and array.sharding.is_equivalent_to(sharding, array.ndim):
            return array
        values = whole(array)
        return jax.make_array_from_callback(values.shape, sharding, lambda index: values[index])

    def spread(self, variables) -> None:
        """Let variables that were made before the distribution was set lie where it wants them."""
        for variable in variables:
            spread_variable(variable, self._distribution)

    # Within a program.

    def keep_rows(self, tree, size: int):
        """Let arrays ``(size, ...)`` stay shared out by their rows."""
        rows = self._sharding(size, axis=0)
        return jax.tree.map(lambda array: jax.lax.with_sharding_constraint(array, rows), tree)

    def keep_variables(self, values: list, variables) -> list:
        """Let the values of variables stay where the distribution wants them."""
        return [
            None if value is None else jax.lax.with_sharding_constraint(value, layout_of(variable))
            for value, variable in zip(values, variables, strict=True)
        ]

    def everywhere(self, tree):
        """Let every device have these arrays whole."""
        return jax.tree.map(
            lambda array: jax.lax.with_sharding_constraint(array, self._everywhere), tree
        )

    @property
    def _everywhere(self) -> NamedSharding:
        return NamedSharding(self._mesh, PartitionSpec())

    def _sharding(self, size: int, axis: int) -> NamedSharding:
        if not self.divide(size):
            return self._everywhere
        return NamedSharding(self._mesh, PartitionSpec(*[None] * axis, self._axis))


def current_shares() -> Shares | None:
    """Return how batches are shared out now; None where there is one device to compute on.

    >>> current_shares() is None
    True
    """
    distribution = keras.distribution.distribution()
    return None if distribution is None else _shares_of(distribution)


@lru_cache(maxsize=8)
def _shares_of(distribution: Distribution) -> Shares | None:
    return Shares(distribution) if distribution.device_mesh.devices.size > 1 else None


def whole(array) -> np.ndarray:
    """Return all of an array, also where parts of it are in other processes.

    Then all processes have to call it.
    """
    if not isinstance(array, jax.Array) or array.is_fully_addressable or array.is_fully_replicated:
        return np.asarray(array)
    mesh = array.sharding.mesh  # type: ignore[attr-defined]  # a batch's sharding is named
    everywhere = NamedSharding(mesh, PartitionSpec())
    return np.asarray(jax.jit(lambda a: a, out_shardings=everywhere)(array))
