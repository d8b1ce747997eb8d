"""Reading PyTorch's modules that aren't recurrent: what layer each is, with its weights."""

from typing import Any

from statewise import layers
from statewise.interop.pytorch.values import Plain, Read, Value
from statewise.interop.pytorch.weights import give


def read_module(state: Read, module, x: Any) -> Any:
    """Return what a module gives for a value.

    Raises:
        ValueError: naming the module that has no counterpart here.
    """
    nn = state.torch.nn
    kind = type(module)
    if kind is nn.Identity:
        return x
    if kind in (nn.Linear, nn.Embedding):
        read = _linear if kind is nn.Linear else _embedding
        return read(state, module, x)
    value = _known(state, x)
    layer = state.layer(module, 0, lambda: _layer(state, nn, kind, module))
    if layer is None:
        raise state.refused("there is no layer here that computes the same")
    return Value(layer(value.tensor), value.time_first, last_only=value.last_only)


def _layer(state: Read, nn, kind: type, module):
    """Return the layer of a module without shapes to find out, or None for an unknown one."""
    if kind is nn.Dropout:
        return layers.Dropout(module.p)
    if kind is nn.LayerNorm:
        return _layer_norm(state, module)
    if kind in (nn.Softmax, nn.LogSoftmax):
        if module.dim != -1:
            raise state.refused(f"dim={module.dim}: dim=-1, the last axis, is expected")
        return layers.Activation("softmax" if kind is nn.Softmax else "log_softmax")
    if kind is nn.GELU:
        return layers.Activation(_gelu(state, module.approximate))
    if kind is nn.LeakyReLU:
        return layers.LeakyReLU(negative_slope=module.negative_slope)
    if kind is nn.ELU:
        return layers.ELU(alpha=module.alpha)
    plain = {
        nn.ReLU: "relu",
        nn.Tanh: "tanh",
        nn.Sigmoid: "sigmoid",
        nn.SiLU: "silu",
        nn.SELU: "selu",
        nn.Softsign: "softsign",
        nn.Hardsigmoid: "hard_sigmoid",
        nn.ReLU6: "relu6",
    }
    return layers.Activation(plain[kind]) if kind in plain else None


def _gelu(state: Read, approximate: str) -> str:
    if approximate != "none":
        raise state.refused(f"approximate={approximate!r}: the exact gelu is expected")
    return "gelu"


def _linear(state: Read, module, x: Any) -> Value:
    of_steps = any(hasattr(part, "weight_ih_l0") for part in state.modules())
    shape = (None, module.in_features) if of_steps else (module.in_features,)
    dtype = _dtype(module.weight)
    value = state.tensor_of(x, shape, dtype)

    def make():
        bias = module.bias is not None
        layer = layers.Dense(module.out_features, use_bias=bias, dtype=dtype, name=state.name)
        layer.build((None, module.in_features))
        arrays = [p.detach().cpu().numpy() for p in module.parameters()]
        give(layer, [arrays[0].T, *arrays[1:]])
        return layer

    out = state.layer(module, 0, make)(value.tensor)
    return Value(out, value.time_first, last_only=value.last_only)


def _embedding(state: Read, module, x: Any) -> Value:
    if module.max_norm is not None or module.scale_grad_by_freq:
        raise state.refused("max_norm and scale_grad_by_freq have no counterpart here")
    value = state.tensor_of(x, (None,), "int32")
    if value.given is None:
        raise state.refused("it looks up what is computed, not an input")
    rows = module.num_embeddings
    state.limits[value.given] = min(rows, state.limits.get(value.given, rows))

    def make():
        dtype = _dtype(module.weight)
        layer = layers.Embedding(rows, module.embedding_dim, dtype=dtype, name=state.name)
        layer.build()
        give(layer, [module.weight.detach().cpu().numpy()])
        return layer

    return Value(state.layer(module, 0, make)(value.tensor), value.time_first)


def _layer_norm(state: Read, module):
    if len(module.normalized_shape) != 1:
        raise state.refused(
            f"normalized_shape={tuple(module.normalized_shape)}: one axis, the last, is expected"
        )
    affine, bias = module.elementwise_affine, module.bias is not None
    layer = layers.LayerNormalization(epsilon=module.eps, scale=affine, center=affine and bias)
    layer.build((None, *module.normalized_shape))
    give(layer, [p.detach().cpu().numpy() for p in module.parameters()])
    return layer


def _known(state: Read, x: Any) -> Value:
    """Return a value; refuse an input whose shape nothing has told yet."""
    if isinstance(x, Value):
        return x
    what = "a plain value" if isinstance(x, Plain) else "an input whose size no module tells"
    raise state.refused(f"it is given {what}")


def _dtype(parameter) -> str:
    return str(parameter.dtype).removeprefix("torch.")
