"""cuDNN's call in XLA's own operations, for programs that run where cuDNN isn't.

A process with a GPU traces for it. Where one of its programs is lowered for the CPU all the same
(`jax.device_put` to a CPU, ``jax.jit(..., backend="cpu")``), or is exported, the call is written as
what it computes.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax.experimental import rnn
from jax.interpreters import mlir


def write_elsewhere() -> bool:
    """Have JAX write cuDNN's LSTM in operations of its own on CPUs, and in exported programs.

    Returns:
        Whether it does; a JAX that keeps cuDNN's calls elsewhere than expected goes on refusing.

    >>> write_elsewhere()
    True
    """
    forward, backward = (getattr(rnn, name, None) for name in ("rnn_fwd_p", "rnn_bwd_p"))
    if forward is None or backward is None or not hasattr(rnn, "lstm_ref"):
        return False
    native = rnn.gpu_rnn if has_cudnn() else None
    for call, meaning, name in (
        (forward, _forward, "cudnn_rnn_lowering"),
        (backward, _backward, "cudnn_rnn_bwd_lowering"),
    ):
        mlir.register_lowering(call, partial(_lower, meaning, None), platform="cpu")
        if native is not None:
            rule = partial(_lower, meaning, getattr(native, name))
            mlir.register_lowering(call, rule, platform="cuda")
    return True


def has_cudnn() -> bool:
    """Return whether the installed JAX can call cuDNN."""
    return getattr(rnn.gpu_rnn, "_cuda_rnn", None) is not None


def _lower(meaning, rule, context, *operands, **parameters):
    if rule is not None and not context.module_context.lowering_parameters.for_export:
        return rule(context, *operands, **parameters)
    shapes = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in context.avals_out]
    operations = partial(meaning, parameters, shapes)
    return mlir.lower_fun(operations, multiple_results=True)(context, *operands)


def _forward(parameters, shapes, *operands):
    """Outputs, last h, last c; what is kept for the gradients isn't needed."""
    return (*_lstm(parameters, *operands), jnp.zeros(shapes[3].shape, shapes[3].dtype))


def _backward(parameters, shapes, *operands):
    """The gradients by x, h, c and the weights, from the forward pass computed once more."""
    cotangents, operands, lengths = operands[:3], operands[3:7], operands[9]
    return jax.vjp(lambda *given: _lstm(parameters, *given, lengths), *operands)[1](cotangents)


def _lstm(parameters, x, h, c, flat, lengths):
    sizes = [parameters[name] for name in ("input_size", "hidden_size", "num_layers")]
    weights = rnn.unpack_lstm_weights(flat, *sizes, parameters["bidirectional"])
    options = parameters["dropout"], parameters["bidirectional"]
    return rnn.lstm_ref(x, h, c, *weights, lengths, *sizes, *options)
