"""The recurrent layers and `Bidirectional`, with their states, masks and orders of time."""

from typing import Any

import keras

from statewise.interop.onnx.graph import Graph, Value
from statewise.interop.onnx.recurrent import Way, kind_of, run
from statewise.interop.onnx.refusal import refused
from statewise.interop.onnx.scanned import sizes_of


class States:
    """The states that are inputs and outputs of the graph, by layer; none where not wanted.

    Attributes:
        begin: for a layer: the names of the graph's inputs, one for each array of its state.
        end: for a layer: what the arrays are at the end.
    """

    def __init__(self) -> None:
        self.begin: dict[int, list[str]] = {}
        self.end: dict[int, list[str]] = {}


def recurrent(graph: Graph, layer, args: tuple, kwargs: dict, states: States) -> Any:
    """Add a recurrent layer, an operator for each of its cells; return what comes out."""
    x, given, mask = _arguments(layer, args, kwargs)
    begin: list = [value.name for value in given] if given else states.begin.get(id(layer), [])
    backwards = bool(layer.go_backwards)
    if backwards and mask is not None:  # so that the steps that count keep their order
        x, mask = _flipped(graph, x), _flipped(graph, mask)
    ends: list[str] = []
    flow, sequence = x, x.name
    for cell in getattr(layer.cell, "cells", [layer.cell]):
        count = len(sizes_of(cell))
        at, begin = (begin[:count], begin[count:]) if begin else ([None] * count, [])
        way = Way(cell, backwards and mask is None)
        (sequence,), (end,) = run(graph, layer, [way], flow, at, mask)
        flow = Value(sequence, (*x.shape[:2], cell.output_size))
        ends += end
    if id(layer) in states.begin:
        states.end[id(layer)] = ends
    units = flow.shape[-1]
    last = (x.shape[0], units)
    if layer.return_sequences:
        whole = _flipped(graph, flow) if backwards and mask is None else flow
        output = Value(whole.name, flow.shape)
    elif mask is not None and getattr(layer, "zero_output_for_mask", False):
        output = Value(_last_step(graph, flow), last)
    else:
        output = Value(ends[-count], last)
    if not layer.return_state:
        return output
    sizes = keras.tree.flatten(layer.state_size)
    return [output, *(Value(e, (x.shape[0], s)) for e, s in zip(ends, sizes, strict=True))]


def bidirectional(graph: Graph, layer, args: tuple, kwargs: dict) -> Any:
    """Add a `Bidirectional` layer as one operator; return what comes out."""
    x, given, mask = _arguments(layer, args, kwargs)
    ways = [layer.forward_layer, layer.backward_layer]
    cells = [way.cell for way in ways]
    kind = kind_of(layer, cells[0])
    sizes = sizes_of(cells[0])
    if ways[0].go_backwards or kind != kind_of(layer, cells[1]) or sizes != sizes_of(cells[1]):
        raise refused(layer, "its two directions aren't of one kind and size, forwards first")
    if len({getattr(cell, "reset_after", None) for cell in cells}) > 1:
        raise refused(layer, "one direction resets before the product, the other after it")
    begin: list = [value.name for value in given] if given else [None] * (2 * len(sizes))
    pair = [Way(cells[0]), Way(cells[1], backwards=True)]
    sequences, ends = run(graph, ways[0], pair, x, begin, mask)
    units = cells[0].output_size
    shape: tuple = (*x.shape[:2], units)
    if not layer.return_sequences:
        shape = (x.shape[0], units)
        sequences = [end[0] for end in ends]
    outputs = _merged(graph, layer, sequences, shape)
    if layer.return_state:
        arrays = [one for end in ends for one in zip(end, sizes, strict=True)]
        outputs += [Value(array, (x.shape[0], size)) for array, size in arrays]
    return outputs if len(outputs) > 1 else outputs[0]


def _merged(graph: Graph, layer, parts: list[str], shape: tuple) -> list[Value]:
    match layer.merge_mode:
        case "concat":
            wide = (*shape[:-1], 2 * shape[-1])
            return [Value(graph.add("Concat", *parts, axis=-1), wide)]
        case "sum":
            return [Value(graph.add("Add", *parts), shape)]
        case "mul":
            return [Value(graph.add("Mul", *parts), shape)]
        case "ave":
            return [Value(graph.add("Mean", *parts), shape)]
        case _:
            return [Value(part, shape) for part in parts]


def _arguments(layer, args: tuple, kwargs: dict) -> tuple[Value, list[Value], Value | None]:
    """Return the sequences, the given states and the mask of a call."""
    kwargs = dict(kwargs)
    x, *given = keras.tree.flatten(list(args))
    given += keras.tree.flatten(kwargs.pop("initial_state", None) or [])
    mask = kwargs.pop("mask", None)
    kwargs.pop("training", None)
    if kwargs:
        raise refused(layer, f"it is called with {sorted(kwargs)}")
    return x, given, mask


def _flipped(graph: Graph, value: Value) -> Value:
    """Return a value with time running the other way."""
    ends = [-1], [-(2**62)], [1], [-1]
    bounds = [graph.constant(bound, "int64") for bound in ends]
    return Value(graph.add("Slice", value.name, *bounds), value.shape)


def _last_step(graph: Graph, value: Value) -> str:
    return graph.add("Gather", value.name, graph.constant(-1, "int64"), axis=1)
