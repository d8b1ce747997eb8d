"""What each layer becomes in a PyTorch module; the recurrent ones are in `recurrent_modules`."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from statewise.interop.pytorch.drawing import Graph, Value, fill
from statewise.interop.pytorch.recurrent_modules import bidirectional, recurrent


def visit(graph: Graph, layer, args: tuple, kwargs: dict) -> Any:
    """Put the call of a layer into the graph; return what stands for its outputs.

    Raises:
        ValueError: naming the layer that PyTorch has no counterpart of, and why.
    """
    kwargs = {name: value for name, value in kwargs.items() if not _is_default(name, value)}
    if not isinstance(layer, keras.Layer):
        return _operation(graph, layer, args)
    if isinstance(layer, keras.layers.Bidirectional):
        return bidirectional(graph, layer, args, kwargs)
    if isinstance(layer, keras.layers.RNN):
        return recurrent(graph, layer, args, kwargs)
    kwargs.pop("mask", None)  # steps that are left out are the recurrent layers' concern
    if len(args) != 1 or kwargs:
        raise refused(layer, f"it is called with more than its inputs ({sorted(kwargs)})")
    for kind, convert in _LAYERS.items():
        if type(layer) is kind:
            return convert(graph, layer, args[0])
    if isinstance(layer, keras.layers.TimeDistributed):
        return _time_distributed(graph, layer, args[0])
    raise refused(layer, "this package knows no PyTorch module that computes the same")


def refused(layer, why: str) -> ValueError:
    """Return the error that says why a layer can't become a module."""
    name = getattr(layer, "name", type(layer).__name__)
    return ValueError(f"Layer {name!r} ({type(layer).__name__}) can't be taken to PyTorch: {why}.")


def activation(graph: Graph, layer, node: Any) -> Any:
    """Return the node of a layer's activation, applied to one."""
    nn, function = graph.torch.nn.functional, layer.activation
    names = {
        "relu": nn.relu,
        "tanh": graph.torch.tanh,
        "sigmoid": graph.torch.sigmoid,
        "gelu": nn.gelu,
        "silu": nn.silu,
        "elu": nn.elu,
        "selu": nn.selu,
        "softplus": nn.softplus,
        "softsign": nn.softsign,
        "hard_tanh": nn.hardtanh,
        "hard_sigmoid": nn.hardsigmoid,
        "exponential": graph.torch.exp,
    }
    known = {getattr(keras.activations, name): made for name, made in names.items()}
    if function is None or function is keras.activations.linear:
        return node
    if function is keras.activations.softmax or _is_softmax(function):
        return graph.apply(nn.softmax, node, dim=-1)
    if function is keras.activations.leaky_relu:
        return graph.apply(nn.leaky_relu, node, negative_slope=0.2)
    if function not in known:
        raise refused(layer, f"PyTorch has no function like its activation {function!r}")
    return graph.apply(known[function], node)


def _is_softmax(function) -> bool:
    from statewise.layers.scores import remembering_softmax

    return function is remembering_softmax


def _operation(graph: Graph, operation, args: tuple) -> Value:
    """Take what computes a mask, which nobody may use; refuse any other operation."""
    if type(operation).__name__ in _OF_MASKS:
        return Value(None)
    raise refused(operation, "operations outside of layers aren't taken")


def _is_default(name: str, value: Any) -> bool:
    return value is None or (name == "training" and value is False)


def _dense(graph: Graph, layer, x: Value) -> Value:
    def make():
        rows, columns = layer.kernel.shape
        module = graph.torch.nn.Linear(rows, columns, bias=layer.use_bias)
        names = ("weight", "bias") if layer.use_bias else ("weight",)
        kernel, *rest = layer.get_weights()
        return fill(graph.torch, module, dict(zip(names, [kernel.T, *rest], strict=True)))

    node = activation(graph, layer, graph.call(layer, make, x.node))
    return Value(node)


def _embedding(graph: Graph, layer, x: Value) -> Value:
    if x.given is None:
        raise refused(layer, "it doesn't look up an input of the model")
    rows = layer.input_dim
    graph.limits[x.given] = min(rows, graph.limits.get(x.given, rows))

    def make():
        module = graph.torch.nn.Embedding(rows, layer.output_dim)
        return fill(graph.torch, module, {"weight": layer.get_weights()[0]})

    return Value(graph.call(layer, make, x.node))


def _layer_norm(graph: Graph, layer, x: Value) -> Value:
    rank, axis = len(layer.input.shape), layer.axis
    axis = axis if isinstance(axis, (list, tuple)) else [axis]
    if [place % rank for place in axis] != [rank - 1]:
        raise refused(layer, f"axis={layer.axis}: PyTorch's normalises the last axis")
    sizes = [layer.input.shape[-1]]

    def make():
        names = [n for n, there in (("weight", layer.scale), ("bias", layer.center)) if there]
        options = {"eps": layer.epsilon, "elementwise_affine": bool(names)}
        module = graph.torch.nn.LayerNorm(sizes, **options)
        arrays = dict(zip(names, layer.get_weights(), strict=True))
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            if names and name not in arrays:
                arrays[name] = np.full(sizes, value, layer.variable_dtype)
        return fill(graph.torch, module, arrays) if names else module

    return Value(graph.call(layer, make, x.node))


def _dropout(graph: Graph, layer, x: Value) -> Value:
    if layer.noise_shape is not None:
        raise refused(layer, "noise_shape: PyTorch's drops each value by itself")
    node = graph.call(layer, lambda: graph.torch.nn.Dropout(layer.rate), x.node)
    return Value(node)


def _activation(graph: Graph, layer, x: Value) -> Value:
    return Value(activation(graph, layer, x.node))


def _relu(graph: Graph, layer, x: Value) -> Value:
    if layer.max_value is not None or layer.threshold:
        raise refused(layer, "PyTorch's ReLU has neither max_value nor threshold")
    functions = graph.torch.nn.functional
    if layer.negative_slope:
        node = graph.apply(functions.leaky_relu, x.node, negative_slope=float(layer.negative_slope))
    else:
        node = graph.apply(functions.relu, x.node)
    return Value(node)


def _softmax(graph: Graph, layer, x: Value) -> Value:
    if layer.axis != -1:
        raise refused(layer, f"axis={layer.axis}: the last one is expected")
    return Value(graph.apply(graph.torch.nn.functional.softmax, x.node, dim=-1))


def _repeat(graph: Graph, layer, x: Value) -> Value:
    node = graph.apply("unsqueeze", x.node, 1)
    return Value(graph.apply("expand", node, -1, layer.n, -1))


def _flatten(graph: Graph, layer, x: Value) -> Value:
    return Value(graph.apply(graph.torch.flatten, x.node, start_dim=1))


def _reshape(graph: Graph, layer, x: Value) -> Value:
    return Value(graph.apply("reshape", x.node, (-1, *layer.target_shape)))


def _concatenate(graph: Graph, layer, xs: list[Value]) -> Value:
    nodes = [x.node for x in xs]
    return Value(graph.apply(graph.torch.cat, nodes, dim=layer.axis))


def _add(graph: Graph, layer, xs: list[Value]) -> Value:
    node = xs[0].node
    for x in xs[1:]:
        node = graph.apply(graph.torch.add, node, x.node)
    return Value(node)


def _multiply(graph: Graph, layer, xs: list[Value]) -> Value:
    node = xs[0].node
    for x in xs[1:]:
        node = graph.apply(graph.torch.mul, node, x.node)
    return Value(node)


def _as_it_is(graph: Graph, layer, x: Value) -> Value:
    return x


def _time_distributed(graph: Graph, layer, x: Value) -> Value:
    inner = layer.layer
    if isinstance(inner, keras.layers.Dense):
        return _dense(graph, inner, x)
    if isinstance(inner, keras.layers.Activation):
        return _activation(graph, inner, x)
    if isinstance(inner, keras.layers.Dropout):
        return _dropout(graph, inner, x)
    raise refused(layer, f"{type(inner).__name__} in every time step has no counterpart there")


# The operations by which Embedding and Masking find the steps that count.
_OF_MASKS = ("NotEqual", "Any")

_LAYERS: dict[type, Callable[[Graph, Any, Any], Value]] = {
    keras.layers.Dense: _dense,
    keras.layers.Embedding: _embedding,
    keras.layers.LayerNormalization: _layer_norm,
    keras.layers.Dropout: _dropout,
    keras.layers.Activation: _activation,
    keras.layers.ReLU: _relu,
    keras.layers.Softmax: _softmax,
    keras.layers.RepeatVector: _repeat,
    keras.layers.Flatten: _flatten,
    keras.layers.Reshape: _reshape,
    keras.layers.Concatenate: _concatenate,
    keras.layers.Add: _add,
    keras.layers.Multiply: _multiply,
    keras.layers.Identity: _as_it_is,
    keras.layers.InputLayer: _as_it_is,
}
