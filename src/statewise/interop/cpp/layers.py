"""The call of any layer as statements of a step."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from statewise.interop.cpp.activations import activate
from statewise.interop.cpp.recurrent_layers import recurrent
from statewise.interop.cpp.source import Source, Value, literal, refused
from statewise.interop.graph import walk


def visit(source: Source, layer, args: tuple, kwargs: dict) -> Any:
    """Write the call of a layer; return what stands for its outputs.

    Raises:
        ValueError: naming the layer that can't be written, and why.
    """
    if not isinstance(layer, keras.Layer):
        return _operation(source, layer, args)
    source.heading(layer)
    if layer.compute_dtype not in (None, "float32"):
        raise refused(
            layer,
            f"it computes in {layer.compute_dtype}",
            "A model of the same layers in float32 takes the weights by "
            "set_weights(model.get_weights())",
        )
    if getattr(layer, "quantization_mode", None):
        raise refused(layer, f"its weights are quantised ({layer.quantization_mode})")
    kwargs = {name: value for name, value in kwargs.items() if value is not None}
    mask = kwargs.pop("mask", None)
    kwargs.pop("training", None)
    if "initial_state" in kwargs or (isinstance(layer, keras.layers.RNN) and len(args) > 1):
        raise refused(layer, "it is given its initial state within the model")
    if len(args) != 1 or kwargs:
        raise refused(layer, f"it is called with more than its inputs ({sorted(kwargs)})")
    return _call(source, layer, args[0], mask)


def _call(source: Source, layer, x: Any, mask: Value | None = None) -> Any:
    values = keras.tree.flatten(x)
    if not all(isinstance(value, Value) for value in values):
        raise refused(layer, "it is given a constant")
    wanted = "token" if type(layer) is keras.layers.Embedding else "values"
    if type(layer) is not keras.layers.InputLayer and any(v.kind != wanted for v in values):
        raise refused(
            layer,
            "an Embedding takes whole numbers that are an input of the model"
            if wanted == "token"
            else "it is given whole numbers or a mask, which an Embedding alone takes",
        )
    if isinstance(layer, keras.layers.RNN):
        return recurrent(source, layer, x, mask)
    if isinstance(layer, keras.layers.TimeDistributed):
        return _time_distributed(source, layer, x)
    if mask is not None and type(layer) is keras.layers.Softmax:
        raise refused(layer, "it is given a mask")
    convert = _LAYERS.get(type(layer))
    if convert is None:
        raise refused(layer, "there is no counterpart of it among what is written")
    return convert(source, layer, x)


def _time_distributed(source: Source, layer, x: Value) -> Value:
    inner = layer.layer
    step = Value(x.name, x.size, x.rank - 1)

    def within(part, args: tuple, kwargs: dict) -> Any:
        return visit(source, part, args, kwargs)

    if isinstance(inner, keras.Model):
        outputs = walk(inner, [step], within)
        if len(outputs) != 1:
            raise refused(layer, f"{inner.name!r} in it has {len(outputs)} outputs")
        made = outputs[0]
    else:
        made = within(inner, (step,), {})
    return Value(made.name, made.size, x.rank)


def _dense(source: Source, layer, x: Value) -> Value:
    y = source.new(layer.units, x.rank)
    source.begin(layer, "bias", layer.bias if layer.use_bias else None, layer.units, y.name)
    source.product(layer, "kernel", x.name, layer.kernel, y.name)
    activate(source, layer, layer.activation, y.name, y.size)
    return y


def _embedding(source: Source, layer, x: Value) -> Value:
    size, rows = layer.output_dim, layer.input_dim
    table = source.constant(layer, "embeddings", layer.embeddings)
    y = source.new(size, 3)
    source.line(f"const bool known_{y.name} = {x.name} >= 0 && {x.name} < {rows};")
    source.line(f"const std::size_t row_{y.name} =")
    source.line(f"    known_{y.name} ? static_cast<std::size_t>({x.name}) * {size} : 0;")
    source.line(f"for (std::size_t j = 0; j < {size}; ++j)")
    source.line(
        f"  {y.name}[j] = known_{y.name} ? {table}[row_{y.name} + j]"
        " : std::numeric_limits<float>::quiet_NaN();"
    )
    return y


def _last_axis(layer, x: Value) -> None:
    """Refuse a layer that works along another axis than the last."""
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if [axis % x.rank for axis in axes] != [x.rank - 1]:
        raise refused(layer, f"axis={layer.axis}", "The last axis alone can be taken")


def _layer_norm(source: Source, layer, x: Value) -> Value:
    _last_axis(layer, x)
    if getattr(layer, "rms_scaling", False):
        raise refused(layer, "rms_scaling=True")
    gamma = layer.gamma if layer.scale else np.ones(x.size)
    beta = layer.beta if layer.center else np.zeros(x.size)
    y = _copy(source, x)
    scale, shift = source.constant(layer, "gamma", gamma), source.constant(layer, "beta", beta)
    function, epsilon = source.call("normalise"), _number(layer, layer.epsilon)
    source.line(f"{function}<{x.size}>({y.name}, {epsilon}, {scale}, {shift});")
    return y


def _batch_norm(source: Source, layer, x: Value) -> Value:
    _last_axis(layer, x)
    scale = 1 / np.sqrt(np.asarray(layer.moving_variance, "float64") + layer.epsilon)
    scale = scale * np.asarray(layer.gamma) if layer.scale else scale
    shift = -np.asarray(layer.moving_mean) * scale
    shift = shift + np.asarray(layer.beta) if layer.center else shift
    by, plus = source.constant(layer, "scale", scale), source.constant(layer, "shift", shift)
    return _each(source, x, f"{x.name}[j] * {by}[j] + {plus}[j]")


def _each(source: Source, x: Value, expression: str, size: int | None = None) -> Value:
    """Return a buffer in which each value ``j`` is what an expression says."""
    y = source.new(size or x.size, x.rank)
    source.line(f"for (std::size_t j = 0; j < {y.size}; ++j) {y.name}[j] = {expression};")
    return y


def _copy(source: Source, x: Value) -> Value:
    return _each(source, x, f"{x.name}[j]")


def _as_it_is(source: Source, layer, x: Value) -> Value:
    return x


def _activation(source: Source, layer, x: Value) -> Value:
    y = _copy(source, x)
    activate(source, layer, layer.activation, y.name, y.size)
    return y


def _number(layer, value: float) -> str:
    if not np.isfinite(value):
        raise refused(layer, f"one of its arguments is {value}")
    return literal(value)


def _relu(source: Source, layer, x: Value) -> Value:
    at, slope = _number(layer, layer.threshold), _number(layer, layer.negative_slope)
    value = f"{x.name}[j]"
    below = f"{slope} * ({value} - {at})" if layer.negative_slope else "0.0f"
    above = value
    if layer.max_value is not None:
        most = _number(layer, layer.max_value)
        above = f"{value} > {most} ? {most} : {value}"
    return _each(source, x, f"{value} < {at} ? {below} : ({above})")


def _leaky(source: Source, layer, x: Value) -> Value:
    value = f"{x.name}[j]"
    return _each(
        source, x, f"{value} < 0.0f ? {_number(layer, layer.negative_slope)} * {value} : {value}"
    )


def _softmax(source: Source, layer, x: Value) -> Value:
    _last_axis(layer, x)
    y = _copy(source, x)
    activate(source, layer, keras.activations.softmax, y.name, y.size)
    return y


def _masking(source: Source, layer, x: Value) -> Value:
    """Return zeros where all values of the step are the mask's, as the layer does."""
    y = _copy(source, x)
    differs = f"{x.name}[j] != {_number(layer, layer.mask_value)}"
    source.line(f"if (!{_any(source, differs, x.size).name})")
    source.line(f"  for (std::size_t j = 0; j < {y.size}; ++j) {y.name}[j] = 0.0f;")
    return y


def _any(source: Source, condition: str, size: int) -> Value:
    """Return a mask: whether a condition holds for any value ``j``."""
    found = source.flag("false")
    source.lines[-1] = f"bool {found.name} = false;"
    source.line(f"for (std::size_t j = 0; j < {size}; ++j) {found.name} |= {condition};")
    return found


def _concatenate(source: Source, layer, xs: list[Value]) -> Value:
    _one_rank(layer, xs)
    _last_axis(layer, xs[0])
    y, start = source.new(sum(x.size for x in xs), xs[0].rank), 0
    for x in xs:
        source.line(f"{source.call('copy')}<{x.size}>({x.name}, {y.name} + {start});")
        start += x.size
    return y


def _one_rank(layer, xs: list[Value]) -> None:
    if len({x.rank for x in xs}) > 1:
        raise refused(layer, "it puts sequences together with values of one step")


def _of_several(combine: Callable[[list[str]], str]) -> Callable[[Source, Any, list[Value]], Value]:
    def convert(source: Source, layer, xs: list[Value]) -> Value:
        _one_rank(layer, xs)
        if len({x.size for x in xs}) > 1:
            raise refused(layer, f"what it is given is of several sizes ({[x.size for x in xs]})")
        return _each(source, xs[0], combine([f"{x.name}[j]" for x in xs]))

    return convert


def _average(values: list[str]) -> str:
    return f"({' + '.join(values)}) / {len(values)}.0f"


def _extreme(sign: str) -> Callable[[list[str]], str]:
    def combine(values: list[str]) -> str:
        result = values[0]
        for value in values[1:]:  # NaN comes through, from either side
            result = f"({result} {sign} {value} || {result} != {result} ? {result} : {value})"
        return result

    return combine


def _operation(source: Source, operation, args: tuple) -> Value:
    """Write what Embedding and Masking ask to find the steps that count."""
    name = type(operation).__name__
    if name == "NotEqual" and isinstance(args[0], Value) and args[0].kind == "token":
        return source.flag(f"{args[0].name} != {int(args[1])}")
    if name == "NotEqual" and isinstance(args[0], Value):
        x, other = args
        return Value(f"{x.name}[j] != {_number(operation, other)}", x.size, x.rank, kind="differs")
    if name == "Any" and isinstance(args[0], Value) and args[0].kind == "differs":
        return _any(source, args[0].name, args[0].size)
    raise refused(operation, "operations outside of layers aren't written")


_K = keras.layers
_LAYERS: dict[type, Callable[[Source, Any, Any], Value]] = {
    _K.Dense: _dense,
    _K.Embedding: _embedding,
    _K.LayerNormalization: _layer_norm,
    _K.BatchNormalization: _batch_norm,
    _K.Activation: _activation,
    _K.ReLU: _relu,
    _K.LeakyReLU: _leaky,
    _K.Softmax: _softmax,
    _K.Masking: _masking,
    _K.Concatenate: _concatenate,
    _K.Add: _of_several(" + ".join),
    _K.Subtract: _of_several(" - ".join),
    _K.Multiply: _of_several(" * ".join),
    _K.Average: _of_several(_average),
    _K.Maximum: _of_several(_extreme(">")),
    _K.Minimum: _of_several(_extreme("<")),
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
