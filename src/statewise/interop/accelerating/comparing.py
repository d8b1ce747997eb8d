"""Whether a copy puts out what the model does, on random inputs."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import tree

from statewise._keras_compat import all_layers, build_shapes, inputs_structure
from statewise.interop.accelerating.copies import is_stock
from statewise.interop.accelerating.taking_over import value_of
from statewise.layers.recurrent import Recurrent

_TOLERANCE = {"float64": 1e-10, "float32": 1e-4}  # of the largest output; others are rougher
_ROUGH = 5e-2
_STEPS, _SAMPLES = 7, 2  # where the model leaves these open


def compare(model: keras.Model, copy: keras.Model) -> None:
    """Refuse a copy whose outputs differ from the model's.

    Of a model that isn't a graph the layers are compared one by one: what its call takes, only its
    class knows.
    """
    rng = np.random.default_rng(1)
    inputs = _inputs(model, rng)
    if inputs is not None:
        _compare_outputs(model, copy, inputs)
        return
    for old, new in zip(all_layers(model), all_layers(copy), strict=True):
        shapes = build_shapes(old)
        if is_stock(old) and shapes:
            _compare_outputs(old, new, _random(next(iter(shapes.values())), rng))


def _compare_outputs(old: keras.Layer, new: keras.Layer, inputs: Any) -> None:
    with _undisturbed(old, new):
        expected = [np.asarray(a, "float64") for a in tree.flatten(old(inputs, training=False))]
        got = [np.asarray(a, "float64") for a in tree.flatten(new(inputs, training=False))]
    scale = max([1e-30, *(float(np.abs(a).max(initial=0)) for a in expected)])
    worst = max(
        (float(np.abs(a - b).max(initial=0)) for a, b in zip(expected, got, strict=True)),
        default=0.0,
    )
    dtypes = {layer.compute_dtype for layer in all_layers(old)}
    if not worst <= scale * max(_TOLERANCE.get(dtype, _ROUGH) for dtype in dtypes):
        raise ValueError(
            f"The copy of {old.name!r} ({type(old).__name__}) puts out something else: the outputs "
            f"differ by {worst:.3g}, where the largest is {scale:.3g}. Please report this model; "
            "until then, build it with statewise.layers."
        )


@contextlib.contextmanager
def _undisturbed(old: keras.Layer, new: keras.Layer) -> Iterator[None]:
    """Let stateful layers have the states again that they had before."""
    states = [
        variable
        for layer in all_layers(old)
        if is_stock(layer) and layer.stateful
        for variable in tree.flatten(layer.states or [])
    ]
    before = [value_of(variable) for variable in states]
    memories = [layer.memory for layer in all_layers(new) if isinstance(layer, Recurrent)]
    kept = [(memory.carried, [value_of(v) for v in memory.variables or ()]) for memory in memories]
    try:
        yield
    finally:
        for variable, value in zip(states, before, strict=True):
            variable.assign(value)
        for memory, (carried, values) in zip(memories, kept, strict=True):
            if values:
                memory.store(values, carried=carried)
            elif memory.variables is not None:
                memory.reset(None)


def _inputs(model: keras.Model, rng: np.random.Generator) -> Any:
    """Return random inputs of the shapes that a graph takes; None for another model."""
    structure = inputs_structure(model)
    if structure is None and getattr(model, "inputs", None):
        structure = model.inputs[0]
    if structure is None:
        return None
    words = [one.input_dim for one in all_layers(model) if isinstance(one, keras.layers.Embedding)]
    limit = min(words, default=None)
    return tree.map_structure(lambda t: _random(t.shape, rng, t.dtype, limit), structure)


def _random(shape, rng: np.random.Generator, dtype="float32", words: int | None = None):
    """Return a random array; of words, without 0, which may be padding, where there are others."""
    size = [known or (_STEPS if i else _SAMPLES) for i, known in enumerate(shape)]
    if words is not None:
        return rng.integers(min(1, words - 1), words, size).astype(dtype)
    return rng.normal(size=size).astype(dtype)
