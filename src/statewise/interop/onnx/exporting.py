"""`export_onnx`: a model in an ONNX file, with its states as inputs and outputs on request."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from statewise._keras_compat import all_layers
from statewise._whole_files import write_beside
from statewise.interop.agreement import check_agreement, drawn_inputs, outputs_of
from statewise.interop.graph import graph_behind, walk
from statewise.interop.onnx.graph import Graph, Value
from statewise.interop.onnx.layers import visit
from statewise.interop.onnx.recurrent_layers import States
from statewise.interop.onnx.refusal import refused
from statewise.interop.onnx.running import runtime_session
from statewise.layers.arithmetic import array_names
from statewise.models.state_names import layer_names
from statewise.models.structure import check_step_by_step, recurrent_layers


def export_onnx(model: keras.Model, path: str | os.PathLike, *, state: bool = False) -> None:
    """Write a model as an ONNX file: each recurrent layer is one LSTM, GRU or RNN operator.

    `MinGRU`, `MinLSTM`, `ProjectedLSTM` and `LayerNormLSTM`, which no operator computes, are one
    Scan each.

    Batch and time stay open where the model leaves them open. Masks work, whatever they leave out:
    the steps that count are moved to the front, and the operator is told how many there are. With
    ``state=True`` each array of each recurrent layer's state is an input and an output of the
    graph, (batch, units): a runtime then goes on from call to call, one step at a time or many.
    They are called as in `State`: "lstm/h" comes in, "lstm/h/end" goes out; zeros are the initial
    state.

    Written are opset 17 and IR version 8. Where onnxruntime is installed, the file is run on random
    inputs before it's written, and compared with the model.

    Args:
        model: a `Sequential` or functional model of float32.
        path: the file; one that is there is replaced when the new one is complete.
        state: whether the states come in and go out.

    Raises:
        ImportError: without the package onnx, an optional extra: ``statewise[onnx]``.
        ValueError: naming the layer that can't be written, and why; with ``state=True`` also for a
            model that can't be run step by step, and for a layer that is given its state.

    >>> import os, tempfile
    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((None, 2)), layers.LSTM(3), layers.Dense(1)])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.onnx")
    >>> export_onnx(model, path)  # doctest: +SKIP
    """
    functional = graph_behind(model)
    _check_dtypes(model)
    graph, states = Graph(), States()
    inputs = []
    graph.integers = _tokens(model, functional)
    for position, tensor in enumerate(functional.inputs):
        shape = _named(tensor.shape, functional.inputs, position)
        dtype = "int32" if position in graph.integers else "float32"
        name = graph.input(_input_name(functional, position), shape, dtype)
        inputs.append(Value(name, tuple(tensor.shape), given=position))
    carried = _begin(model, graph, states) if state else []
    called: set[int] = set()

    def add(layer, args: tuple, kwargs: dict) -> Any:
        if id(layer) in states.begin:
            _check_carried(layer, args, kwargs, called)
        return visit(graph, layer, args, kwargs, states)

    outputs = walk(model, inputs, add)
    graph.scope = ""
    for value, name in zip(outputs, functional.output_names, strict=True):
        graph.output(value.name, name, _named(value.shape, functional.inputs, None))
    for ends, begins in ((states.end[layer], states.begin[layer]) for layer in states.begin):
        for end, begin in zip(ends, begins, strict=True):
            graph.output(end, f"{begin}/end", ("batch", dict(carried)[begin]))
    made = graph.model(model.name).SerializeToString()
    _check(functional, made, graph, carried)

    def write(beside: str) -> None:
        Path(beside).write_bytes(made)

    write_beside(path, write, len(made))


def _input_name(functional, position: int) -> str:
    """Return an input's name: the user's own, or x where Keras has made one up."""
    name = functional.inputs[position].name
    if not name.startswith(("keras_tensor", "input_layer")):
        return name
    return "x" if len(functional.inputs) == 1 else f"x_{position}"


def _tokens(model: keras.Model, functional) -> set[int]:
    """Return the positions of the inputs that are whole numbers, or are looked up in a table."""
    found = {i for i, tensor in enumerate(functional.inputs) if "int" in str(tensor.dtype)}

    def visit(layer, args: tuple, kwargs: dict) -> Any:
        if isinstance(layer, keras.layers.Embedding) and isinstance(args[0], int):
            found.add(args[0])
        return [None] * len(keras.tree.flatten(layer.output))

    walk(model, list(range(len(functional.inputs))), visit)
    return found


def _begin(model: keras.Model, graph: Graph, states: States) -> list[tuple[str, int]]:
    """Add an input for each array of a state; return their names and numbers of units."""
    check_step_by_step(model)
    carried = []
    for name, layer in zip(layer_names(model), recurrent_layers(model), strict=True):
        sizes = keras.tree.flatten(layer.state_size)
        made = [
            (graph.input(f"{name}/{array}", ("batch", size), "float32"), size)
            for array, size in zip(array_names(layer), sizes, strict=True)
        ]
        states.begin[id(layer)] = [given for given, _ in made]
        carried += made
    return carried


def _check_dtypes(model: keras.Model) -> None:
    """Refuse a layer that computes in anything but float32."""
    for layer in all_layers(model):
        others = isinstance(layer, (keras.Model, keras.layers.InputLayer))
        if not others and layer.compute_dtype not in (None, "float32"):
            raise refused(
                layer,
                f"it computes in {layer.compute_dtype}",
                "Models of float32 can be written: one of the same layers takes the weights by "
                "set_weights(model.get_weights())",
            )


def _check_carried(layer, args: tuple, kwargs: dict, called: set[int]) -> None:
    """Refuse a layer whose state can't come in and go out."""
    if kwargs.get("initial_state") is not None or len(args) > 1:
        raise refused(
            layer,
            "it is given its initial state within the model, and state=True would have it twice",
            "Export it without state, or its encoder and its decoder as models of their own",
        )
    if id(layer) in called:
        raise refused(layer, "it is called several times, and has one state")
    called.add(id(layer))


def _named(shape: tuple, inputs: list, position: int | None) -> tuple:
    """Return a shape with names for its open axes; sequences of several inputs may differ."""
    several = position is not None and sum(len(t.shape) > 1 for t in inputs) > 1
    time = f"time_{position}" if several else "time"
    names = ["batch", time, *(f"axis_{axis}" for axis in range(2, len(shape)))]
    if position is None and len(inputs) > 1:
        names[1] = ""
    return tuple(
        (name or None) if size is None else size for name, size in zip(names, shape, strict=False)
    )


def _check(functional, made: bytes, graph: Graph, states: list[tuple[str, int]]) -> None:
    """Run the graph on random inputs beside the model, where a runtime is at hand."""
    session = runtime_session(made)
    if session is None:
        return
    for seed in range(2):
        given = drawn_inputs(functional.inputs, limits=graph.limits, seed=seed)
        expected = outputs_of(functional, given)
        feeds = dict(zip(graph.input_names, given, strict=False))
        batch = len(given[0])
        feeds |= {name: np.zeros((batch, size), "float32") for name, size in states}
        got = session.run(None, feeds)[: len(expected)]
        check_agreement(f"model {functional.name!r}", got, expected)
