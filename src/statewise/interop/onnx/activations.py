"""Activations: as ONNX operators, and as the names that its recurrent operators know."""

from typing import Any, NamedTuple

import keras

from statewise.interop.onnx.graph import Graph, Value, like
from statewise.interop.onnx.refusal import refused
from statewise.layers.arithmetic import function_of
from statewise.layers.scores import remembering_softmax
from statewise.recurrence.activations import old_hard_sigmoid

_OF_KERAS = keras.activations


class Inner(NamedTuple):
    """An activation within a recurrent operator: its name there, and its two parameters."""

    name: str
    alpha: float | None = None
    beta: float | None = None


# Source: the table of activation functions in the specification of LSTM, opset 14.
_INNER = {
    _OF_KERAS.tanh: Inner("Tanh"),
    _OF_KERAS.sigmoid: Inner("Sigmoid"),
    _OF_KERAS.relu: Inner("Relu"),
    _OF_KERAS.linear: Inner("Affine", 1.0, 0.0),
    _OF_KERAS.hard_sigmoid: Inner("HardSigmoid", 1 / 6, 0.5),
    old_hard_sigmoid: Inner("HardSigmoid", 0.2, 0.5),
    _OF_KERAS.elu: Inner("Elu", 1.0),
    _OF_KERAS.softsign: Inner("Softsign"),
    _OF_KERAS.softplus: Inner("Softplus"),
    _OF_KERAS.leaky_relu: Inner("LeakyRelu", 0.2),
}


def inner(layer, *functions: Any) -> dict[str, list]:
    """Return the attributes of a recurrent operator that say its activations.

    Raises:
        ValueError: for an activation that the operators don't have.
    """
    found = []
    for function in functions:
        if function is None:
            function = _OF_KERAS.linear
        if function not in _INNER:
            name = getattr(function, "__name__", repr(function))
            raise refused(layer, f"ONNX's recurrent operators have no activation {name!r}", _LIST)
        found.append(_INNER[function])
    attributes: dict[str, list] = {"activations": [one.name for one in found]}
    if alphas := [one.alpha for one in found if one.alpha is not None]:
        attributes["activation_alpha"] = alphas
    if betas := [one.beta for one in found if one.beta is not None]:
        attributes["activation_beta"] = betas
    return attributes


_LIST = (
    "They have tanh, sigmoid, relu, linear, hard_sigmoid, elu, softsign, softplus and leaky_relu"
)
_PLAIN: dict[Any, tuple[str, dict]] = {
    _OF_KERAS.tanh: ("Tanh", {}),
    _OF_KERAS.sigmoid: ("Sigmoid", {}),
    _OF_KERAS.relu: ("Relu", {}),
    _OF_KERAS.hard_sigmoid: ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    old_hard_sigmoid: ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}),
    _OF_KERAS.elu: ("Elu", {"alpha": 1.0}),
    _OF_KERAS.selu: ("Selu", {}),
    _OF_KERAS.softsign: ("Softsign", {}),
    _OF_KERAS.softplus: ("Softplus", {}),
    _OF_KERAS.leaky_relu: ("LeakyRelu", {"alpha": 0.2}),
    _OF_KERAS.exponential: ("Exp", {}),
    keras.ops.arcsinh: ("Asinh", {}),
    _OF_KERAS.softmax: ("Softmax", {"axis": -1}),
    _OF_KERAS.log_softmax: ("LogSoftmax", {"axis": -1}),
    remembering_softmax: ("Softmax", {"axis": -1}),
}


def activated(graph: Graph, layer, function: Any, value: Value) -> Value:
    """Return a value after an activation.

    Raises:
        ValueError: for an activation without an ONNX operator.
    """
    if function is None or function is _OF_KERAS.linear:
        return value
    x = value.name
    if function in _PLAIN:
        operator, attributes = _PLAIN[function]
        return like(value, graph.add(operator, x, **attributes))
    if function is _OF_KERAS.silu:
        return like(value, graph.add("Mul", x, graph.add("Sigmoid", x)))
    if function is _OF_KERAS.relu6 or function is _OF_KERAS.hard_tanh:
        low, high = (0.0, 6.0) if function is _OF_KERAS.relu6 else (-1.0, 1.0)
        limits = [graph.constant(limit, "float32") for limit in (low, high)]
        return like(value, graph.add("Clip", x, *limits))
    if function is _OF_KERAS.gelu:  # the exact one: x (1 + erf(x / sqrt 2)) / 2
        scaled = graph.add("Mul", x, graph.constant(2**-0.5, "float32"))
        grown = graph.add("Add", graph.add("Erf", scaled), graph.constant(1.0, "float32"))
        half = graph.add("Mul", x, graph.constant(0.5, "float32"))
        return like(value, graph.add("Mul", half, grown))
    name = getattr(function_of(function), "__name__", repr(function))
    raise refused(layer, f"its activation {name!r} has no counterpart among ONNX's operators")
