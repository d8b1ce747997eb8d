"""What the tensors of a ``forward`` are, while a model is built that does the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras


@dataclass(frozen=True)
class Value:
    """A tensor of the model.

    Attributes:
        tensor: symbolic, batch first.
        time_first: whether the module's own tensor has the first two axes the other way round.
        given: the position of the module's input that it is, or None.
        last_only: whether it stands for a sequence of which the last step alone is computed.
    """

    tensor: Any
    time_first: bool = False
    given: int | None = None
    last_only: bool = False

    def turned(self) -> "Value":
        """Return it with the first two axes of the module's tensor the other way round."""
        return replace(self, time_first=not self.time_first)


@dataclass(frozen=True)
class States:
    """The last states of a module's layers and directions, (layers * directions, batch, units)."""

    tensors: list


@dataclass(frozen=True)
class Zeros:
    """An array of zeros of whatever size, from which a recurrence may begin."""


@dataclass(frozen=True)
class Plain:
    """What isn't computed: a size, a device, an argument's default."""

    value: Any = None


class Read:
    """A module that is being read.

    Attributes:
        torch: PyTorch.
        inputs: the symbolic inputs so far.
        limits: by the position of an input: the rows of the smallest table it's looked up in.
        where: what is being read, for messages.
        name: of what is being read, for the layers that it becomes.
    """

    def __init__(self, torch, module, time_first: bool, layout_error: type[Exception]):
        self.torch = torch
        self.inputs: list = []
        self.limits: dict[int, int] = {}
        self.where = type(module).__name__
        self.name = type(module).__name__.lower()
        self._layers: dict[tuple, Any] = {}
        self._module, self._time_first = module, time_first
        self._layout_error = layout_error

    def modules(self) -> list:
        """Return the module and all within it."""
        return list(self._module.modules())

    def at(self, target: str, called) -> None:
        """Note which part of the module is being read."""
        self.where = f"module {target!r} ({type(called).__name__})"
        self.name = re.sub(r"\W", "_", target)
        if self.name[0].isdigit():  # of a chain of modules
            self.name = f"{type(called).__name__.lower()}_{self.name}"

    def layer(self, module, number: int, make: Callable[[], Any]) -> Any:
        """Return the layer that part of a module has become; made where it's called first."""
        key = id(module), number
        if key not in self._layers:
            self._layers[key] = make()
        return self._layers[key]

    def input(self, name: str) -> "Given":
        """Return what stands for the module's next input, whose shape is known when it's used."""
        self.inputs.append(None)
        return Given(name, len(self.inputs) - 1, self._time_first)

    def tensor_of(self, value: Any, shape: tuple, dtype: str) -> Value:
        """Return a value; the input of that shape where it's one that is used for the first time.

        Raises:
            ValueError: where it's something else, or the input is used with another shape.
        """
        if isinstance(value, Value):
            return value
        if not isinstance(value, Given):
            raise self.refused(f"it is given {type(value).__name__}, not a tensor")
        known = self.inputs[value.position]
        if known is None:
            known = keras.Input(shape, dtype=dtype, name=value.name)
            self.inputs[value.position] = known
        elif (known.shape[1:], known.dtype) != (shape, dtype):
            raise self.refused(f"input {value.name!r} is used with two shapes or dtypes")
        time_first = value.time_first and len(shape) > (1 if dtype != "int32" else 0)
        return Value(known, time_first, given=value.position)

    def wrong_layout(self) -> Exception:
        """Return the error that has the module read once more, with the axes the other way."""
        return self._layout_error(
            f"{self.where} can't be read: batch and time are mixed up on the way to it."
        )

    def refused(self, why: str) -> ValueError:
        """Return the error that says why a module can't be taken over."""
        return ValueError(f"{self.where} can't be taken over from PyTorch: {why}.")


@dataclass(frozen=True)
class Given:
    """An input whose shape isn't known before a module uses it."""

    name: str
    position: int
    time_first: bool

    def turned(self) -> "Given":
        """Return it with the first two axes the other way round."""
        return replace(self, time_first=not self.time_first)
