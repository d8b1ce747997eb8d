"""How the entries of a state are called: each recurrent layer, and each of its arrays."""

from collections.abc import Collection
from itertools import count

import keras

from statewise._keras_compat import all_layers
from statewise.layers.arithmetic import array_names
from statewise.models.structure import recurrent_layers

__all__ = ["array_names", "layer_names"]


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
            nested = all_layers(layer, include_self=False, recursive=False)
            name = f"{prefix}{layer.name}"
            if id(layer) not in names:
                names[id(layer)] = _unlike(name, names.values())
            visit(nested, f"{name}/")

    visit(all_layers(model, include_self=False, recursive=False), "")
    return [names[id(layer)] for layer in recurrent_layers(model)]


def _unlike(name: str, others: Collection[str]) -> str:
    """Return the name, with a number where there is such a name already."""
    if name not in others:
        return name
    return next(new for i in count(2) if (new := f"{name}#{i}") not in others)
