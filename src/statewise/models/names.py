"""How the entries of a state are called: each recurrent layer, and each of its arrays."""

from collections.abc import Collection
from itertools import count

import keras

from statewise.layers.arithmetic import arithmetic_of
from statewise.models.structure import recurrent_layers


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
    return [names[id(layer)] for layer in recurrent_layers(model)]


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
