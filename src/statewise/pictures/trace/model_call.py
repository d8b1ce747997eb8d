"""Calling a model as a pure function, for a trace."""

import jax
import keras

from statewise._keras_compat import inputs_structure, takes_training
from statewise._runtime.device import platform
from statewise.layers import Carry
from statewise.layers.recurrent import Recurrent
from statewise.pictures.trace.parts import Part

# Compiled for a CPU to run once: the time goes into compiling.
_QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_parallel_codegen_split_count": 1,
    "xla_cpu_use_fusion_emitters": False,
}


def stateful_of(parts: list[Part]) -> list:
    """Return the layers among parts that carry their state from batch to batch."""
    layers: list[keras.layers.RNN] = [p.layer for p in parts if isinstance(p.layer, Recurrent)]
    return [layer for layer in layers if layer.stateful]


def carrying(layers, states) -> Carry:
    """Return the context in which layers begin with these states; None is their initial one."""
    return Carry(dict(zip(layers, states or [None] * len(layers), strict=True)))


def call_model(model, xs, values):
    """Call a model as a pure function of its variables and inputs."""
    kwargs = {"training": False} if takes_training(model) else {}
    pairs = list(zip(model.variables, values, strict=True))
    with keras.StatelessScope(state_mapping=pairs):
        return model(_packed(model, xs), **kwargs)


def _packed(model, xs):
    structure = inputs_structure(model)
    if structure is not None:
        return keras.tree.pack_sequence_as(structure, list(xs))
    return xs[0] if len(xs) == 1 else list(xs)


def quick_options() -> dict:
    """Return the compiler's options for what is to run once."""
    return _QUICK if platform() == "cpu" else {}


def compiled(function):
    """Return a function compiled as quickly as can be: it is to run once."""
    return jax.jit(function, compiler_options=quick_options())
