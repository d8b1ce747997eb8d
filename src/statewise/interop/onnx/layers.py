"""Every layer that isn't recurrent, as ONNX operators."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from statewise.interop.onnx.activations import activated
from statewise.interop.onnx.graph import Graph, Value, like
from statewise.interop.onnx.recurrent_layers import States, bidirectional, recurrent
from statewise.interop.onnx.refusal import refused


def visit(graph: Graph, layer, args: tuple, kwargs: dict, states: States) -> Any:
    """Add the call of a layer to the graph; return what stands for its outputs.

    Raises:
        ValueError: naming the layer that can't be written, and why.
    """
    graph.scope = f"{layer.name}/"
    kwargs = {n: v for n, v in kwargs.items() if v is not None and n != "training"}
    if not isinstance(layer, keras.Layer):
        return _operation(graph, layer, args)
    if isinstance(layer, keras.layers.Bidirectional):
        return bidirectional(graph, layer, args, kwargs)
    if isinstance(layer, keras.layers.RNN):
        return recurrent(graph, layer, args, kwargs, states)
    mask = kwargs.pop("mask", None)
    if len(args) != 1 or kwargs:
        raise refused(layer, f"it is called with more than its inputs ({sorted(kwargs)})")
    if isinstance(layer, keras.layers.TimeDistributed):
        return _time_distributed(graph, layer, args[0])
    if mask is not None and type(layer) in _MASKED:
        return _MASKED[type(layer)](graph, layer, args[0], mask)
    for kind, convert in _LAYERS.items():
        if type(layer) is kind:
            return convert(graph, layer, args[0])
    raise refused(layer, "there is no counterpart of it among what is written")


def _dense(graph: Graph, layer, x: Value) -> Value:
    product = graph.add("MatMul", x.name, graph.constant(layer.kernel, "float32", "kernel"))
    if layer.use_bias:
        product = graph.add("Add", product, graph.constant(layer.bias, "float32", "bias"))
    return activated(graph, layer, layer.activation, like(x, product, last=layer.units))


def _embedding(graph: Graph, layer, x: Value) -> Value:
    if x.given is None:
        raise refused(layer, "it doesn't look up an input of the model")
    rows = layer.input_dim
    graph.limits[x.given] = min(rows, graph.limits.get(x.given, rows))
    table = graph.constant(layer.embeddings, "float32", "embeddings")
    return Value(graph.add("Gather", table, x.name, axis=0), (*x.shape, layer.output_dim))


def _layer_norm(graph: Graph, layer, x: Value) -> Value:
    rank = len(x.shape)
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if [axis % rank for axis in axes] != [rank - 1]:
        raise refused(layer, f"axis={layer.axis}", "The last axis alone can be normalised")
    size = x.shape[-1]
    gamma = layer.gamma if layer.scale else np.ones(size or 1)
    inputs = [x.name, graph.constant(gamma, "float32", "gamma")]
    if layer.center:
        inputs.append(graph.constant(layer.beta, "float32", "beta"))
    return like(x, graph.add("LayerNormalization", *inputs, axis=-1, epsilon=layer.epsilon))


def _batch_norm(graph: Graph, layer, x: Value) -> Value:
    if layer.axis not in (-1, len(x.shape) - 1):
        raise refused(layer, f"axis={layer.axis}", "The last axis alone can be normalised")
    scale = 1 / np.sqrt(np.asarray(layer.moving_variance) + layer.epsilon)
    scale = scale * np.asarray(layer.gamma) if layer.scale else scale
    shift = -np.asarray(layer.moving_mean) * scale
    shift = shift + np.asarray(layer.beta) if layer.center else shift
    scaled = graph.add("Mul", x.name, graph.constant(scale, "float32", "scale"))
    return like(x, graph.add("Add", scaled, graph.constant(shift, "float32", "shift")))


def _as_it_is(graph: Graph, layer, x: Value) -> Value:
    return x


def _activation(graph: Graph, layer, x: Value) -> Value:
    return activated(graph, layer, layer.activation, x)


def _relu(graph: Graph, layer, x: Value) -> Value:
    if layer.threshold or (layer.max_value is not None and layer.negative_slope):
        raise refused(layer, "a threshold, or a slope beside max_value")
    if layer.negative_slope:
        return like(x, graph.add("LeakyRelu", x.name, alpha=float(layer.negative_slope)))
    if layer.max_value is not None:
        limits = [graph.constant(v, "float32") for v in (0.0, float(layer.max_value))]
        return like(x, graph.add("Clip", x.name, *limits))
    return like(x, graph.add("Relu", x.name))


def _leaky(graph: Graph, layer, x: Value) -> Value:
    return like(x, graph.add("LeakyRelu", x.name, alpha=float(layer.negative_slope)))


def _softmax(graph: Graph, layer, x: Value) -> Value:
    if not isinstance(layer.axis, int):
        raise refused(layer, f"axis={layer.axis}", "One axis is expected")
    return like(x, graph.add("Softmax", x.name, axis=layer.axis))


def _repeat(graph: Graph, layer, x: Value) -> Value:
    steps = graph.add("Unsqueeze", x.name, graph.constant([1], "int64"))
    counts = graph.constant([1, layer.n, 1], "int64")
    return Value(graph.add("Tile", steps, counts), (x.shape[0], layer.n, x.shape[1]))


def _flatten(graph: Graph, layer, x: Value) -> Value:
    sizes = x.shape[1:]
    if any(size is None for size in sizes):
        raise refused(layer, "the number of steps is open", "Give Input a number of steps")
    count = int(np.prod([size or 1 for size in sizes]))
    shape = graph.constant([0, count], "int64")
    return Value(graph.add("Reshape", x.name, shape), (x.shape[0], count))


def _reshape(graph: Graph, layer, x: Value) -> Value:
    shape = layer.compute_output_shape((None, *x.shape[1:]))
    if any(size is None for size in shape[1:]):
        raise refused(layer, "the number of steps is open", "Give Input a number of steps")
    return Value(graph.add("Reshape", x.name, graph.constant([0, *shape[1:]], "int64")), shape)


def _permute(graph: Graph, layer, x: Value) -> Value:
    order = [0, *layer.dims]
    return Value(graph.add("Transpose", x.name, perm=order), tuple(x.shape[i] for i in order))


def _concatenate(graph: Graph, layer, xs: list[Value]) -> Value:
    shape = layer.compute_output_shape([x.shape for x in xs])
    return Value(graph.add("Concat", *[x.name for x in xs], axis=layer.axis), tuple(shape))


def _of_several(operator: str) -> Callable[[Graph, Any, list[Value]], Value]:
    def convert(graph: Graph, layer, xs: list[Value]) -> Value:
        name = xs[0].name
        for x in xs[1:]:
            name = graph.add(operator, name, x.name)
        return Value(name, tuple(layer.compute_output_shape([x.shape for x in xs])))

    return convert


def _average(graph: Graph, layer, xs: list[Value]) -> Value:
    shape = tuple(layer.compute_output_shape([x.shape for x in xs]))
    return Value(graph.add("Mean", *[x.name for x in xs]), shape)


def _masking(graph: Graph, layer, x: Value) -> Value:
    value = graph.constant(layer.mask_value, "float32")
    other = graph.add("Not", graph.add("Equal", x.name, value))
    counted = graph.add("Cast", other, to=graph.onnx.TensorProto.FLOAT)
    valid = graph.add("ReduceMax", counted, axes=[-1], keepdims=1)
    return like(x, graph.add("Mul", x.name, valid))


def _conv(graph: Graph, layer, x: Value) -> Value:
    if layer.data_format != "channels_last" or layer.groups != 1:
        raise refused(layer, "data_format or groups other than the defaults")
    (size,), (stride,), (dilation,) = layer.kernel_size, layer.strides, layer.dilation_rate
    reach = (size - 1) * dilation
    if layer.padding == "same" and stride != 1:
        raise refused(layer, 'padding="same" with strides', 'Take padding="causal" or "valid"')
    pads = {"valid": [0, 0], "causal": [reach, 0], "same": [reach // 2, reach - reach // 2]}
    kernel = np.asarray(layer.kernel).transpose(2, 1, 0)
    inputs = [graph.turned_channels(x), graph.constant(kernel, "float32", "kernel")]
    if layer.use_bias:
        inputs.append(graph.constant(layer.bias, "float32", "bias"))
    made = graph.add(
        "Conv", *inputs, strides=[stride], dilations=[dilation], pads=pads[layer.padding]
    )
    made = graph.add("Transpose", made, perm=[0, 2, 1])
    shape = tuple(layer.compute_output_shape((None, *x.shape[1:])))
    return activated(graph, layer, layer.activation, Value(made, shape))


def _pool(operator: str) -> Callable[[Graph, Any, Value], Value]:
    def convert(graph: Graph, layer, x: Value) -> Value:
        (size,), (stride,) = layer.pool_size, layer.strides
        if layer.padding != "valid" or layer.data_format != "channels_last":
            raise refused(layer, "padding or data_format", 'padding="valid" can be written')
        made = graph.add(operator, graph.turned_channels(x), kernel_shape=[size], strides=[stride])
        made = graph.add("Transpose", made, perm=[0, 2, 1])
        return Value(made, tuple(layer.compute_output_shape((None, *x.shape[1:]))))

    return convert


def _over_time(operator: str) -> Callable[[Graph, Any, Value], Value]:
    def convert(graph: Graph, layer, x: Value) -> Value:
        keep = int(layer.keepdims)
        made = graph.add(operator, x.name, axes=[1], keepdims=keep)
        return Value(made, (x.shape[0], *([1] if keep else []), x.shape[2]))

    return convert


def _masked_mean(graph: Graph, layer, x: Value, mask: Value) -> Value:
    """Return the mean over the steps that count."""
    counted = graph.add("Cast", mask.name, to=graph.onnx.TensorProto.FLOAT)
    cells = graph.add("Unsqueeze", counted, graph.constant([2], "int64"))
    axis, keep = graph.constant([1], "int64"), int(layer.keepdims)
    total = graph.add("ReduceSum", graph.add("Mul", x.name, cells), axis, keepdims=keep)
    made = graph.add("Div", total, graph.add("ReduceSum", cells, axis, keepdims=keep))
    return Value(made, (x.shape[0], *([1] if keep else []), x.shape[2]))


def _time_distributed(graph: Graph, layer, x: Value) -> Value:
    inner = layer.layer
    if type(inner) in _BY_STEP:
        return _LAYERS[type(inner)](graph, inner, x)
    raise refused(layer, f"{type(inner).__name__} in every time step isn't written")


def _operation(graph: Graph, operation, args: tuple) -> Value:
    """Add what Embedding and Masking ask to find the steps that count."""
    name = type(operation).__name__
    if name == "NotEqual" and isinstance(args[0], Value):
        x, other = args
        kind = "int32" if x.given in graph.integers else "float32"
        same = graph.add("Equal", x.name, graph.constant(other, kind))
        return Value(graph.add("Not", same), x.shape)
    if name == "Any" and isinstance(args[0], Value):
        x = args[0]
        counted = graph.add("Cast", x.name, to=graph.onnx.TensorProto.FLOAT)
        found = graph.add("ReduceMax", counted, axes=[-1], keepdims=0)
        return Value(graph.add("Cast", found, to=graph.onnx.TensorProto.BOOL), x.shape[:-1])
    raise refused(operation, "operations outside of layers aren't written")


_K = keras.layers
_LAYERS: dict[type, Callable[[Graph, Any, Any], Value]] = {
    _K.Dense: _dense,
    _K.Embedding: _embedding,
    _K.LayerNormalization: _layer_norm,
    _K.BatchNormalization: _batch_norm,
    _K.Activation: _activation,
    _K.ReLU: _relu,
    _K.LeakyReLU: _leaky,
    _K.Softmax: _softmax,
    _K.RepeatVector: _repeat,
    _K.Flatten: _flatten,
    _K.Reshape: _reshape,
    _K.Permute: _permute,
    _K.Concatenate: _concatenate,
    _K.Add: _of_several("Add"),
    _K.Subtract: _of_several("Sub"),
    _K.Multiply: _of_several("Mul"),
    _K.Maximum: _of_several("Max"),
    _K.Minimum: _of_several("Min"),
    _K.Average: _average,
    _K.Masking: _masking,
    _K.Conv1D: _conv,
    _K.MaxPooling1D: _pool("MaxPool"),
    _K.AveragePooling1D: _pool("AveragePool"),
    _K.GlobalAveragePooling1D: _over_time("ReduceMean"),
    _K.GlobalMaxPooling1D: _over_time("ReduceMax"),
    **dict.fromkeys(
        (
            _K.Dropout,
            _K.SpatialDropout1D,
            _K.GaussianNoise,
            _K.GaussianDropout,
            _K.AlphaDropout,
            _K.ActivityRegularization,
            _K.Identity,
            _K.InputLayer,
        ),
        _as_it_is,
    ),
}
# Layers that compute otherwise where they are given a mask.
_MASKED = {_K.GlobalAveragePooling1D: _masked_mean}
# Those that compute the same in every time step by themselves.
_BY_STEP = (
    _K.Dense,
    _K.Activation,
    _K.LayerNormalization,
    _K.BatchNormalization,
    _K.ReLU,
    _K.LeakyReLU,
    _K.Dropout,
    _K.Identity,
)
