"""The state of a model as a value: named arrays, one entry for each recurrent layer."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import Array

from statewise._renamed import say_renamed
from statewise.models.state_names import array_names, layer_names
from statewise.models.structure import recurrent_layers


@jax.tree_util.register_pytree_with_keys_class
class State(Mapping):
    """What the recurrent layers of a model remember, for each sample of a batch.

    ``state["lstm"]["h"]`` is an array ``(batch, units)``; layers of nested models are named
    ``"encoder/lstm"``. A state can't be changed; the methods give new ones. Two of them are equal
    if they are of the same layers and hold the same numbers. It's a pytree, so it goes through
    ``jax.jit``, ``jax.tree.map`` and the like.

    Args:
        layers: for each layer, its arrays by name, samples first, in any order. Arrays of NumPy are
            copied.

    Raises:
        TypeError: if it isn't a mapping of mappings of arrays.
        ValueError: if the arrays aren't all of the same number of samples.

    >>> state = State({"lstm": {"h": jnp.zeros((2, 4)), "c": jnp.ones((2, 4))}})
    >>> print(state)
    State of 2 samples
      lstm  h (2, 4)  c (2, 4)
    >>> state["lstm"]["c"].sum().item()
    8.0
    """

    def __init__(self, layers: Mapping[str, Mapping[str, Array]]):
        _check_nested(layers)
        self._layers = {
            name: {key: _frozen(array) for key, array in arrays.items()}
            for name, arrays in layers.items()
        }
        sizes = {
            f"{name}.{key}": array.shape[0]
            for name, arrays in self._layers.items()
            for key, array in arrays.items()
        }
        if len(set(sizes.values())) > 1:
            raise ValueError(f"The arrays of a state must agree in their samples: {sizes}.")

    def __getitem__(self, layer: str) -> Mapping[str, Array]:
        return MappingProxyType(self._layers[layer])

    def __eq__(self, other: object) -> bool:
        """Whether the other is a state of the same layers with the same numbers.

        The order of names makes no difference, nor whether the arrays are NumPy's or JAX's; NaN
        equals NaN.
        """
        if not isinstance(other, State):
            return NotImplemented
        mine, others = _flat(self), _flat(other)
        return mine.keys() == others.keys() and all(
            _same(array, others[name]) for name, array in mine.items()
        )

    __hash__ = None  # type: ignore[assignment]  # its arrays have none

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    @property
    def batch_size(self) -> int:
        """The number of samples; 0 where there are no layers."""
        return next((array.shape[0] for array in jax.tree.leaves(self)), 0)

    @property
    def batch(self) -> int:
        """The old name of `batch_size`."""
        say_renamed("State.batch", "State.batch_size")
        return self.batch_size

    def rows(self, rows: Sequence[int] | int) -> "State":
        """Return the state of some samples, in the order given.

        Args:
            rows: numbers of samples, negative ones counted from the end; or a bool for each sample.

        Raises:
            TypeError: if rows aren't whole numbers.
            IndexError: if there is no such sample.
        """
        numbers = self._numbers(rows)
        return jax.tree.map(lambda array: array[numbers], self)

    def with_rows(self, rows: Sequence[int] | int, state: "State") -> "State":
        """Return this state with the given samples replaced by those of another one.

        Raises:
            TypeError, IndexError: as `rows`.
            ValueError: if the other state is of other layers, or of another number of samples than
                there are rows; or a row is there twice.
        """
        numbers = self._numbers(rows)
        count = numbers.size
        if len(np.unique(numbers % max(1, self.batch_size))) != count:
            raise ValueError(f"rows={numbers.tolist()}: a row is there twice.")
        check_same_layers(self, state)
        if state.batch_size != count:
            raise ValueError(f"{count} rows are to be replaced by {state.batch_size} samples.")
        state = _ordered_as(self, state)
        return jax.tree.map(lambda old, new: old.at[numbers].set(new), _on_device(self), state)

    def _numbers(self, rows) -> np.ndarray:
        """Return the numbers of samples, checked (JAX would pass over those that aren't there)."""
        rows = np.atleast_1d(np.asarray(rows))
        if rows.dtype == bool and rows.shape == (self.batch_size,):
            rows = np.flatnonzero(rows)
        if rows.size == 0:
            return np.zeros(0, int)
        if rows.dtype.kind not in "iu" or rows.ndim != 1:
            raise TypeError(
                f"rows={rows.tolist()}: expected numbers of samples, or a bool for each of the "
                f"{self.batch_size} samples."
            )
        if rows.min() < -self.batch_size or rows.max() >= self.batch_size:
            raise IndexError(f"rows={rows.tolist()}: the state has {self.batch_size} samples.")
        return rows

    def numpy(self) -> "State":
        """Return the same state with NumPy arrays."""
        return jax.tree.map(np.asarray, self)

    def __str__(self) -> str:
        width = max((len(name) for name in self), default=0)
        size = self.batch_size
        lines = [f"State of {size} sample{'s' * (size != 1)}" if self else "No state"]
        for name, arrays in self.items():
            shapes = "  ".join(f"{key} {tuple(a.shape)}" for key, a in arrays.items())
            lines.append(f"  {name:<{width}}  {shapes}")
        return "\n".join(lines)

    __repr__ = __str__

    def tree_flatten_with_keys(self):
        """Return the arrays with their names, for JAX."""
        keys = tuple((name, tuple(arrays)) for name, arrays in self.items())
        leaves = [
            (jax.tree_util.DictKey(f"{name}.{key}"), self._layers[name][key])
            for name, names in keys
            for key in names
        ]
        return leaves, keys

    @classmethod
    def tree_unflatten(cls, keys, leaves):
        """Make a state of the arrays, for JAX (which may put anything in their place)."""
        state, leaves = object.__new__(cls), iter(leaves)
        state._layers = {name: {key: next(leaves) for key in names} for name, names in keys}
        return state


def concatenate(states: Sequence[State]) -> State:
    """Return the state of all samples of several states of the same layers, one after another.

    Raises:
        ValueError: if there is no state, or they are of different layers.

    >>> one = State({"gru": {"h": jnp.zeros((2, 3))}})
    >>> concatenate([one, one]).batch_size
    4
    """
    if not states:
        raise ValueError("states is empty: give at least one state.")
    for state in states[1:]:
        check_same_layers(states[0], state)
    states = [_ordered_as(states[0], state) for state in states]
    return jax.tree.map(lambda *arrays: jnp.concatenate(arrays), *states)


def check_same_layers(expected: State, got: State) -> None:
    """Refuse a state that isn't of the expected layers and units, naming the differences.

    Raises:
        ValueError: with every difference.
    """
    differences = []
    wanted, given = _shapes(expected), _shapes(got)
    for name in dict.fromkeys([*wanted, *given]):
        if wanted.get(name) != given.get(name):
            differences.append(
                f"{name}: expected {_words(wanted.get(name))}, got {_words(given.get(name))}"
            )
    if differences:
        raise ValueError("This state is of another model. " + "; ".join(differences) + ".")


def initial_state(model: keras.Model, batch_size: int) -> State:
    """Return the state before the first step, for so many samples of a built model."""
    return state_of_arrays(
        model, [keras.tree.flatten(layer.get_initial_state(batch_size)) for layer in _layers(model)]
    )


def state_of_arrays(model: keras.Model, arrays: Sequence[Sequence[Array]]) -> State:
    """Return a state made of each recurrent layer's arrays, in the model's order of layers."""
    names = layer_names(model)
    return State(
        {
            name: dict(zip(array_names(layer), values, strict=True))
            for name, layer, values in zip(names, _layers(model), arrays, strict=True)
        }
    )


def _check_nested(layers) -> None:
    of_arrays = isinstance(layers, Mapping) and all(
        isinstance(arrays, Mapping)
        and all(getattr(array, "ndim", 0) >= 1 for array in arrays.values())
        for arrays in layers.values()
    )
    if not of_arrays:
        raise TypeError(
            "A state is made of {layer: {name: array (batch, ...)}}, as initial_state(batch_size) "
            f"gives it; got {layers!r:.200}."
        )


def _layers(model):
    return recurrent_layers(model)


def _flat(state: State) -> dict[tuple[str, str], Array]:
    return {(name, key): a for name, arrays in state.items() for key, a in arrays.items()}


def _shapes(state: State) -> dict[str, Any]:
    return {
        f"{name}.{key}": (tuple(array.shape[1:]), str(array.dtype))
        for (name, key), array in _flat(state).items()
    }


def _same(one, other) -> bool:
    """Whether two arrays are of one shape and type and hold the same numbers."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    one, other = np.asarray(one), np.asarray(other)
    return bool(np.all((one == other) | ((one != one) & (other != other))))


def _ordered_as(expected: State, state: State) -> State:
    """Return a state with its names in the order of another one of the same layers."""
    return State({name: {key: state[name][key] for key in expected[name]} for name in expected})


def _frozen(array):
    """Return the array, which nobody else can change."""
    if not isinstance(array, np.ndarray) or not (array.flags.writeable or array.base is not None):
        return array
    array = np.array(array)
    array.flags.writeable = False
    return array


def _words(shape) -> str:
    return "nothing" if shape is None else f"(batch, {', '.join(map(str, shape[0]))}) {shape[1]}"


def _on_device(state: State) -> State:
    return jax.tree.map(jnp.asarray, state)
