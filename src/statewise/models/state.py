"""The state of a model as a value: named arrays, one entry for each recurrent layer."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import Array

from statewise.layers.arithmetic import arithmetic_of
from statewise.models.structure import recurrent_layers


@jax.tree_util.register_pytree_with_keys_class
class State(Mapping):
    """What the recurrent layers of a model remember, for each sample of a batch.

    ``state["lstm"]["h"]`` is an array ``(batch, units)``; layers of nested models are named
    ``"encoder/lstm"``. A state can't be changed; the methods give new ones. It's a pytree, so it
    goes through ``jax.jit``, ``jax.tree.map`` and the like.

    Args:
        layers: for each layer, its arrays by name, samples first.

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
        self._layers = {name: dict(arrays) for name, arrays in layers.items()}
        sizes = {
            f"{name}.{key}": array.shape[0]
            for name, arrays in self._layers.items()
            for key, array in arrays.items()
        }
        if len(set(sizes.values())) > 1:
            raise ValueError(f"The arrays of a state must agree in their samples: {sizes}.")

    def __getitem__(self, layer: str) -> dict[str, Array]:
        return self._layers[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    @property
    def batch(self) -> int:
        """The number of samples; 0 where there are no layers."""
        return next((array.shape[0] for array in jax.tree.leaves(self)), 0)

    def rows(self, rows: Sequence[int] | int) -> "State":
        """Return the state of some samples, in the order given.

        Args:
            rows: numbers of samples, negative ones counted from the end; or a bool for each sample.

        Raises:
            TypeError: if rows aren't whole numbers.
            IndexError: if there is no such sample.
        """
        rows = self._numbers(rows)
        return jax.tree.map(lambda array: array[rows], self)

    def with_rows(self, rows: Sequence[int] | int, state: "State") -> "State":
        """Return this state with the given samples replaced by those of another one.

        Raises:
            TypeError, IndexError: as `rows`.
            ValueError: if the other state is of other layers, or of another number of samples than
                there are rows; or a row is there twice.
        """
        rows = self._numbers(rows)
        if len(np.unique(rows % max(1, self.batch))) != rows.size:
            raise ValueError(f"rows={rows.tolist()}: a row is there twice.")
        check_same_layers(self, state)
        if state.batch != rows.size:
            raise ValueError(f"{rows.size} rows are to be replaced by {state.batch} samples.")
        return jax.tree.map(lambda old, new: old.at[rows].set(new), _on_device(self), state)

    def _numbers(self, rows) -> np.ndarray:
        """Return the numbers of samples, checked (JAX would pass over those that aren't there)."""
        rows = np.atleast_1d(np.asarray(rows))
        if rows.dtype == bool and rows.shape == (self.batch,):
            rows = np.flatnonzero(rows)
        if rows.size == 0:
            return np.zeros(0, int)
        if rows.dtype.kind not in "iu" or rows.ndim != 1:
            raise TypeError(
                f"rows={rows.tolist()}: expected numbers of samples, or a bool for each of the "
                f"{self.batch} samples."
            )
        if rows.min() < -self.batch or rows.max() >= self.batch:
            raise IndexError(f"rows={rows.tolist()}: the state has {self.batch} samples.")
        return rows

    def numpy(self) -> "State":
        """Return the same state with NumPy arrays."""
        return jax.tree.map(np.asarray, self)

    def __str__(self) -> str:
        width = max((len(name) for name in self), default=0)
        lines = [f"State of {self.batch} sample{'s' * (self.batch != 1)}" if self else "No state"]
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
    >>> concatenate([one, one]).batch
    4
    """
    if not states:
        raise ValueError("states is empty: give at least one state.")
    for state in states[1:]:
        check_same_layers(states[0], state)
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


def initial_state(model: keras.Model, batch: int) -> State:
    """Return the state before the first step, for ``batch`` samples of a built model."""
    return state_of_arrays(
        model, [keras.tree.flatten(layer.get_initial_state(batch)) for layer in _layers(model)]
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


def layer_names(model: keras.Model) -> list[str]:
    """Return the names of a model's recurrent layers, with the nested models they are in.

    Each name is there once: where a model of one's own has two layers of one name, the second is
    called ``"name#2"``.

    >>> from statewise import Sequential, layers
    >>> encoder = Sequential([layers.Input((3, 1)), layers.GRU(2, name="gru")], name="encoder")
    >>> layer_names(Sequential([layers.Input((3, 1)), encoder]))
    ['encoder/gru']
    """
    names: dict[int, str] = {}

    def visit(layers, prefix):
        for layer in layers:
            nested = [inner for inner in layer._flatten_layers(include_self=False, recursive=False)]
            name = f"{prefix}{layer.name}"
            if id(layer) not in names:
                names[id(layer)] = _unlike(name, names.values())
            visit(nested, f"{name}/")

    visit(model._flatten_layers(include_self=False, recursive=False), "")
    return [names[id(layer)] for layer in _layers(model)]


def array_names(layer) -> list[str]:
    """Return the names of a recurrent layer's arrays: those of its cell, numbered in a stack.

    >>> from statewise import layers
    >>> array_names(layers.LSTM(2)), array_names(layers.RNN([layers.GRUCell(2)] * 2))
    (['h', 'c'], ['0.h', '1.h'])
    """
    cells = getattr(layer.cell, "cells", None)
    if cells is None:
        return _cell_names(layer.cell)
    return [f"{i}.{name}" for i, cell in enumerate(cells) for name in _cell_names(cell)]


def _cell_names(cell) -> list[str]:
    arithmetic = arithmetic_of(cell)
    if arithmetic is not None:
        return list(arithmetic.state_type._fields)
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    return [f"s{i}" for i in range(len(sizes))]


def _unlike(name: str, others: Collection[str]) -> str:
    """Return the name, with a number where there is such a name already."""
    if name not in others:
        return name
    return next(new for i in count(2) if (new := f"{name}#{i}") not in others)


def _check_nested(layers) -> None:
    of_arrays = isinstance(layers, Mapping) and all(
        isinstance(arrays, Mapping)
        and all(getattr(array, "ndim", 0) >= 1 for array in arrays.values())
        for arrays in layers.values()
    )
    if not of_arrays:
        raise TypeError(
            "A state is made of {layer: {name: array (batch, ...)}}, as initial_state(batch) "
            f"gives it; got {layers!r:.200}."
        )


def _layers(model):
    return recurrent_layers(model)


def _shapes(state: State) -> dict[str, Any]:
    return {
        f"{name}.{key}": (tuple(array.shape[1:]), str(array.dtype))
        for name, arrays in state.items()
        for key, array in arrays.items()
    }


def _words(shape) -> str:
    return "nothing" if shape is None else f"(batch, {', '.join(map(str, shape[0]))}) {shape[1]}"


def _on_device(state: State) -> State:
    return jax.tree.map(jnp.asarray, state)
