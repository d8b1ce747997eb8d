"""Steps that a mask leaves out, for operators that know lengths alone.

ONNX's recurrent operators take a length for each row, which is what a mask padded on the right is.
Any other mask becomes one: the steps that count are moved to the front, in their order, the
recurrence runs over so many, and each step then takes the output of the latest step that counted
(running backwards, of the next one). Nothing is assumed about the mask's values, and a mask that is
padded on the right goes the same way.
"""

from typing import NamedTuple

import numpy as np

from statewise.interop.onnx.graph import Graph, Value


class Packed(NamedTuple):
    """A mask, as a recurrent operator needs it.

    Attributes:
        lengths: steps that count, int32 (batch,), at least 1.
        empty: rows in which no step counts, bool (batch,).
        order: where the steps that count are, then the others, int64 (batch, time).
        before: how many steps count up to and including each, int64 (batch, time).
        earlier: the same without itself.
        valid: the mask, bool (batch, time).
    """

    lengths: str
    empty: str
    order: str
    before: str
    earlier: str
    valid: str


def pack(graph: Graph, mask: Value) -> Packed:
    """Return what a mask (batch, time) says of each row."""
    one, axis = graph.constant([1], "int64"), graph.constant(1, "int64")
    counted = graph.add("Cast", mask.name, to=graph.onnx.TensorProto.INT64)
    before = graph.add("CumSum", counted, axis)
    earlier = graph.add("Sub", before, counted)
    total = graph.add("ReduceSum", counted, one, keepdims=0)
    steps = graph.size(mask.name, 1)
    # Sorted by place; steps that don't count come behind all that do: place + time.
    place = graph.add("Sub", graph.add("CumSum", _ones_like(graph, counted), axis), one)
    left_out = graph.add("Sub", one, counted)
    rank = graph.add("Add", place, graph.add("Mul", left_out, steps))
    _, order = graph.add("TopK", rank, steps, axis=1, largest=0, sorted=1, outputs=2)
    lengths = graph.add("Max", total, one)
    return Packed(
        graph.add("Cast", lengths, to=graph.onnx.TensorProto.INT32),
        graph.add("Equal", total, graph.constant([0], "int64")),
        order,
        before,
        earlier,
        mask.name,
    )


def to_front(graph: Graph, value: Value, packed: Packed) -> Value:
    """Return sequences (batch, time, features) with the steps that count in front."""
    return Value(_taken(graph, value.name, packed.order), value.shape)


def spread(
    graph: Graph, outputs: str, begin: str, packed: Packed, *, backwards: bool, zeros: bool
) -> str:
    """Return an output for every step of the mask, (batch, time, units).

    Args:
        graph: of the operators.
        outputs: of the steps that count, (batch, time, units), these in front.
        begin: what a step has as output for which none has counted yet, (batch, units).
        packed: the mask.
        backwards: whether time runs backwards, and a step takes the output of the next that counts.
        zeros: whether steps that are left out have zeros instead.
    """
    first = graph.add("Unsqueeze", begin, graph.constant([1], "int64"))
    if backwards:  # beyond the last that counts there may be no step: the begin stands there
        length = graph.add("Cast", packed.lengths, to=graph.onnx.TensorProto.INT64)
        none = graph.add("Equal", packed.earlier, _column(graph, length))
        none = graph.add("Or", none, _column(graph, packed.empty))
        long = graph.add("Concat", outputs, first, axis=1)
        found = _taken(graph, long, packed.earlier)
        cell = graph.add("Unsqueeze", none, graph.constant([2], "int64"))
        found = graph.add("Where", cell, first, found)
    else:
        found = _taken(graph, graph.add("Concat", first, outputs, axis=1), packed.before)
    if zeros:
        valid = graph.add("Unsqueeze", packed.valid, graph.constant([2], "int64"))
        found = graph.add("Where", valid, found, graph.constant(np.float32(0)))
    return found


def last_known(graph: Graph, end: str, begin: str, packed: Packed) -> str:
    """Return the state at the end (batch, units): of rows without a step, the one at the begin."""
    return graph.add("Where", _column(graph, packed.empty), begin, end)


def _taken(graph: Graph, values: str, places: str) -> str:
    """Return the steps at these places of each row, (batch, places, features)."""
    places = graph.add("Unsqueeze", places, graph.constant([2], "int64"))
    return graph.add("GatherND", values, places, batch_dims=1)


def _column(graph: Graph, values: str) -> str:
    return graph.add("Unsqueeze", values, graph.constant([1], "int64"))


def _ones_like(graph: Graph, values: str) -> str:
    zero = graph.constant([0], "int64")
    return graph.add("Add", graph.add("Mul", values, zero), graph.constant([1], "int64"))
