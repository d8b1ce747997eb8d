"""`export_cpp`: a model's live step as one C++ header without dependencies."""

import os
from pathlib import Path

import keras

from statewise._whole_files import written_whole
from statewise.interop.cpp.header import Signature, header
from statewise.interop.cpp.layers import visit
from statewise.interop.cpp.names import identifier, is_identifier
from statewise.interop.cpp.recurrent_layers import declare_states
from statewise.interop.cpp.source import Source, Value
from statewise.interop.graph import graph_behind, walk
from statewise.models.structure import check_step_by_step


def export_cpp(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    namespace: str | None = None,
    exact: bool = False,
) -> None:
    r"""Write a model's live step as one C++ header: weights as constants, no dependency.

    The header has a plain ``struct State``, zero at the beginning, and
    ``Output step(const Input& x, State& state) noexcept``, which computes what `step` of the model
    does for one time step of one sample. It's C++17 with the standard library's headers alone,
    allocates nothing, throws nothing, and compiles with ``-fno-exceptions -fno-rtti``. Weights are
    written exactly. ``State`` has an array for each of the model's, called as in `State`: the
    ``h`` of the layer ``lstm`` is ``lstm_h``.

    Written are SimpleRNN, GRU (both forms), LSTM, RNN of several of their cells, MinGRU, MinLSTM,
    ProjectedLSTM and LayerNormLSTM, with the activations of `statewise.recurrence.activations`;
    Dense, TimeDistributed, Embedding, LayerNormalization, BatchNormalization, activations,
    Dropout (nothing), Concatenate, Add and the like; masks of Embedding and Masking; several
    inputs and outputs. A token that an Embedding doesn't have gives NaN.

    The header's sigmoid and tanh are off by at most 2 units in the last place, and several of them
    are computed at once.

    Args:
        model: a `Sequential` or functional model of float32.
        path: the header; one that is there is replaced when the new one is complete.
        namespace: of all that is in the header; None for the file's name.
        exact: whether sigmoid, tanh and the rest call the standard library's functions, which is
            slower.

    Raises:
        TypeError: if the model is none, or the namespace no text.
        ValueError: naming the layer that can't be written, and why; for a model that can't be run
            step by step; for a namespace that is no identifier.
        OSError: if the file can't be written.

    >>> import tempfile
    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((None, 2)), layers.LSTM(3, name="lstm"), layers.Dense(1)])
    >>> path = os.path.join(tempfile.mkdtemp(), "tank.hpp")
    >>> export_cpp(model, path)
    >>> lines = Path(path).read_text("utf-8").splitlines()
    >>> [line.strip() for line in lines if "lstm_h[3]" in line or "Output step" in line]
    ['float lstm_h[3] = {};  // "h" of layer "lstm"', 'inline Output step(const Input& x, ...
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model is a {type(model).__name__}; expected a Sequential or Model.")
    if namespace is not None and not isinstance(namespace, str):
        raise TypeError(f"namespace={namespace!r}: expected a name, or None for the file's.")
    if namespace is None:
        namespace = identifier(Path(path).stem)
    if not is_identifier(namespace):
        raise ValueError(
            f"namespace={namespace!r} can't be a name in C++: expected a letter, then letters, "
            "digits and single underscores, and no keyword."
        )
    functional = graph_behind(model)
    check_step_by_step(model)
    source = Source()
    declare_states(source, model)
    tokens = _tokens(model, functional)
    inputs = [
        _input(source, tensor, position, position in tokens)
        for position, tensor in enumerate(functional.inputs)
    ]
    outputs = walk(model, inputs, lambda layer, args, kwargs: visit(source, layer, args, kwargs))
    for value, name in zip(outputs, functional.output_names, strict=True):
        if value.kind != "values":
            raise ValueError(f"Output {name!r} of the model is an input as it is, or a mask.")
    names = [tensor.name for tensor in functional.inputs]
    signature = Signature(names, inputs, list(functional.output_names), outputs)
    text = header(source, signature, namespace, model.name, exact)
    with written_whole(path) as beside:
        beside.write_text(text, "ascii")


def _tokens(model: keras.Model, functional) -> set[int]:
    """Return the positions of the inputs that are looked up in tables."""
    found: set[int] = set()

    def look(layer, args: tuple, kwargs: dict):
        if isinstance(layer, keras.layers.Embedding) and isinstance(args[0], int):
            found.add(args[0])
        if isinstance(layer, keras.layers.InputLayer):
            return args[0]
        return [None] * len(keras.tree.flatten(getattr(layer, "output", None)) or [None])

    walk(model, list(range(len(functional.inputs))), look)
    return found


def _input(source: Source, tensor, position: int, token: bool) -> Value:
    """Return what stands for an input of the model."""
    shape = tuple(tensor.shape)
    if token and len(shape) == 2:
        return Value(f"x{position}", 1, 2, kind="token", given=position)
    if token or len(shape) not in (2, 3) or shape[-1] is None:
        raise ValueError(
            f"Input {tensor.name!r} of the model has the shape {shape}; expected (batch, time, "
            "features) or (batch, features) with a known number of features, or (batch, time) for "
            "an Embedding. A header takes one step of one sample."
        )
    if "float" not in str(tensor.dtype):
        raise ValueError(
            f"Input {tensor.name!r} of the model is {tensor.dtype}, which an Embedding alone can "
            'take in a header. Make it Input(..., dtype="float32").'
        )
    value = source.new(shape[-1], len(shape))
    source.line(f"{source.call('copy')}<{value.size}>(x{position}, {value.name});")
    return Value(value.name, value.size, value.rank, given=position)
