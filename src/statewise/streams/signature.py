"""What a model takes and gives, step by step, and what of it a store keeps."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import jax
import keras
import numpy as np

from statewise._keras_compat import inputs_of_calls
from statewise._runtime.forks import check_not_forked
from statewise.models.inference.stepping import run
from statewise.models.state import State, array_names, initial_state, layer_names
from statewise.models.structure import check_step_by_step, recurrent_layers
from statewise.streams.records import Column


class Signature(NamedTuple):
    """The shapes of a model that is stepped.

    Attributes:
        features: the shape of one time step of one stream, ``(features,)``; ``()`` for tokens.
        dtype: of the inputs.
        outputs: the shape of the output for one time step, ``(outputs,)``.
        sequences: whether the model gives an output for each time step, or for the last only.
        state: the arrays of the state, as they are before the first step, without the batch axis.
        kinds: for each of them the layer's class and the array's name, as ``"LSTM.h"``.
        vocabulary: how many tokens the embedding that the inputs go to knows; None without one.
    """

    features: tuple[int, ...]
    dtype: np.dtype
    outputs: tuple[int, ...]
    sequences: bool
    state: dict[str, np.ndarray]
    kinds: dict[str, str]
    vocabulary: int | None = None

    def columns(self) -> list[Column]:
        """Return what a store keeps of each key: the state, the last output, the steps' count."""
        columns = [
            Column(name, self.kinds[name], row.shape, row.dtype) for name, row in self.state.items()
        ]
        columns.append(Column("output", "output", self.outputs, np.dtype("float32")))
        columns.append(Column("steps", "steps", (), np.dtype("int64")))
        return columns

    def as_state(self, rows: dict[str, np.ndarray]) -> State:
        """Return arrays ``(batch, ...)`` by column as a `State`."""
        nested: dict[str, dict] = {}
        for name in self.state:
            layer, array = name.rsplit(":", 1)
            nested.setdefault(layer, {})[array] = rows[name]
        return State(nested)

    def as_rows(self, state: State) -> dict[str, np.ndarray]:
        """Return copies of a state's arrays, by column."""
        places = ((name, *name.rsplit(":", 1)) for name in self.state)
        return {name: np.array(state[layer][array]) for name, layer, array in places}


def signature_of(model: keras.Model) -> Signature:
    """Return the shapes of a model.

    Raises:
        TypeError: if it isn't a model of this package.
        ValueError: if it isn't built, has several inputs or outputs, no recurrent layers, or can't
            be run step by step.
    """
    check_not_forked()
    if not hasattr(model, "initial_state"):
        raise TypeError(
            f"Streams need a model of statewise (Sequential or Model), got a "
            f"{type(model).__name__}."
        )
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise ValueError(
            f"Model {model.name!r} doesn't say what it takes: begin it with "
            "layers.Input((None, features)), or make it of inputs and outputs."
        )
    if len(inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            f"Streams need a model with one input and one output; {model.name!r} has "
            f"{len(inputs)} and {len(model.outputs)}."
        )
    check_step_by_step(model)
    found = recurrent_layers(model)
    if not found:
        raise ValueError(f"Model {model.name!r} has no recurrent layers, so there is no state.")
    shape = tuple(inputs[0].shape)
    if len(shape) < 2 or None in shape[2:]:
        raise ValueError(
            f"Streams need inputs (batch, time, features) of a known number of features; "
            f"{model.name!r} takes {shape}."
        )
    dtype = np.dtype(jax.dtypes.canonicalize_dtype(inputs[0].dtype))  # as JAX takes them
    state, kinds = {}, {}
    first = initial_state(model, 1).numpy()
    for layer, name in zip(found, layer_names(model), strict=True):
        for array in array_names(layer):
            state[f"{name}:{array}"] = np.asarray(first[name][array][0])
            kinds[f"{name}:{array}"] = f"{type(layer).__name__}:{array}"
    outputs, sequences = _outputs(model, shape[2:], dtype)
    vocabulary = min(_vocabularies(model, inputs[0]), default=None)
    return Signature(shape[2:], dtype, outputs, sequences, state, kinds, vocabulary)


def fingerprint(model: keras.Model) -> str:
    """Return a short text that other weights would not give."""
    digest = hashlib.blake2b(digest_size=16)
    for variable in model.weights:
        value = np.asarray(variable.value)
        digest.update(f"{value.shape}{value.dtype}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _vocabularies(model: keras.Model, tensor) -> Iterator[int]:
    """Yield how many rows each embedding has that gets a tensor of a model's graph as it is."""
    for layer in model.layers:
        for inputs in inputs_of_calls(layer):
            for i, given in enumerate(inputs):
                if given is not tensor:
                    continue
                inner = layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer
                if isinstance(inner, keras.layers.Embedding):
                    yield inner.input_dim
                elif isinstance(layer, keras.Model) and getattr(layer, "inputs", None):
                    yield from _vocabularies(layer, layer.inputs[i])


def _outputs(model, features, dtype) -> tuple[tuple[int, ...], bool]:
    """Return the shape of one step's output, and whether there is one for every step."""
    found = recurrent_layers(model)
    values = (
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
    )

    def shape(steps):
        x = jax.ShapeDtypeStruct((3, steps, *features), dtype)
        call = lambda x: run(model, found, values, x, [None] * len(found))[0]  # noqa: E731
        return tuple(jax.eval_shape(call, x).shape)

    two, three = shape(2), shape(3)
    if two == three:
        return two[1:], False
    if two[:2] == (3, 2) and three == (3, 3, *two[2:]):
        return two[2:], True
    raise ValueError(
        f"Model {model.name!r} gives {two} for 2 time steps of 3 samples and {three} for 3; "
        "expected (batch, time, outputs) or (batch, outputs)."
    )
