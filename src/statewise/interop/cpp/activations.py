"""Activations as C++: for one value, or for all values of a buffer."""

from typing import Any

import keras

from statewise.interop.cpp.source import Source, refused
from statewise.layers.arithmetic import function_of
from statewise.layers.scores import remembering_softmax
from statewise.recurrence.activations import ACTIVATIONS
from statewise.recurrence.minimal import MinGRU

# By the function, as `function_of` gives it: what it's called in the header.
_ONE_VALUE = {function: name for name, function in ACTIVATIONS.items()} | {
    getattr(keras.activations, name): name
    for name in "leaky_relu relu6 exponential mish hard_silu log_sigmoid".split()
}
_LINEAR = (ACTIVATIONS["linear"], MinGRU().activation, None)
_ALL_VALUES = {
    keras.activations.softmax: "softmax",
    remembering_softmax: "softmax",
    keras.activations.log_softmax: "log_softmax",
}
_KNOWN = ", ".join(sorted({*_ONE_VALUE.values(), *_ALL_VALUES.values()}))


def applied(source: Source, layer, function: Any, value: str) -> str:
    """Return the expression for an activation of one value.

    Raises:
        ValueError: for an activation that isn't written, and for softmax, which needs all values.
    """
    function = function_of(function)
    if function in _LINEAR:
        return value
    if function not in _ONE_VALUE:
        raise _unknown(layer, function)
    return f"{source.call(_ONE_VALUE[function])}({value})"


def activate(source: Source, layer, function: Any, buffer: str, size: int) -> None:
    """Let an activation change the values of a buffer.

    Raises:
        ValueError: for an activation that isn't written.
    """
    function = function_of(function)
    if function in _ALL_VALUES:
        source.line(f"{source.call(_ALL_VALUES[function])}<{size}>({buffer});")
    elif function not in _LINEAR:
        result = applied(source, layer, function, f"{buffer}[j]")
        source.line(f"for (std::size_t j = 0; j < {size}; ++j) {buffer}[j] = {result};")


def _unknown(layer, function: Any) -> ValueError:
    name = getattr(function, "__name__", None) or getattr(function, "name", repr(function))
    return refused(layer, f"its activation {name!r} isn't written", f"Those that are: {_KNOWN}")
