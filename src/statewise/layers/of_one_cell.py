"""Recurrent layers that are named after their cell: the layer's arguments are the cell's too."""

import inspect
from typing import ClassVar

import keras

from statewise.layers.recurrent import Recurrent

# What a layer and its cell both have.
_SHARED = ("dtype", "trainable")


class OfOneCell(Recurrent, keras.layers.RNN):
    """A layer whose arguments are those of its cell, by position or name, and those of `RNN`.

    A class says which cell that is: ``class MinGRU(OfOneCell, cell=MinGRUCell)``. What the cell was
    made with is read from the layer too: ``layer.units``.
    """

    cell_type: ClassVar[type[keras.Layer]]
    of_cell: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, cell: type[keras.Layer] | None = None, **kwargs):
        """Note the cell, and the names of its arguments."""
        super().__init_subclass__(**kwargs)
        if cell is None:
            return
        named = _arguments(cell)
        cls.cell_type, cls.of_cell = cell, tuple(p.name for p in named)
        options = inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD)
        cls.__signature__ = inspect.Signature([*named, options])

    def __init__(self, *args, **options):
        """Make the cell, and the layer that runs it."""
        own = {name: options.pop(name) for name in self.of_cell if name in options}
        own |= {name: options[name] for name in _SHARED if name in options}
        super().__init__(self.cell_type(*args, **own), **options)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def __getattr__(self, name: str):
        """Return what the cell was made with, ``layer.units``."""
        if name in type(self).of_cell:
            return getattr(self.cell, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def get_config(self):
        """Return the arguments with which the layer was made, those of its cell among them."""
        config, of_cell = super().get_config(), self.cell.get_config()
        del config["cell"]
        return {**{name: of_cell[name] for name in self.of_cell}, **config}

    @classmethod
    def from_config(cls, config):
        """Make a layer of what `get_config` gave."""
        return cls(**config)


def _arguments(cell: type[keras.Layer]) -> list[inspect.Parameter]:
    """Return the arguments of a cell: its class's own, and those it hands to the one before."""
    found: dict[str, inspect.Parameter] = {}
    for kind in cell.__mro__[: cell.__mro__.index(keras.Layer)]:
        if "__init__" in vars(kind):
            parameters = inspect.signature(vars(kind)["__init__"]).parameters.values()
            found |= {p.name: p for p in parameters if p.name != "self"} | found
    named = (p for p in found.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return sorted(named, key=lambda p: p.kind)
