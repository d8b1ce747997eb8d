"""Each recurrent layer as one LSTM, GRU or RNN operator of ONNX.

ONNX's matrices are multiplied from the left, ``(directions, gates * units, features)``, and its
sequences are ``(time, batch, features)``; in which order the gates stand says
`statewise.interop.weights.LAYOUTS`. ``linear_before_reset`` is Keras's ``reset_after``: without it,
and in the other layers, the second of ONNX's two biases is zeros.

Source: the specifications of LSTM, GRU and RNN, opset 14.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from statewise import recurrence
from statewise.interop.onnx.activations import inner
from statewise.interop.onnx.graph import Graph, Value
from statewise.interop.onnx.masks import Packed, last_known, pack, spread, to_front
from statewise.interop.onnx.refusal import refused
from statewise.interop.onnx.scanned import SCANNED, Cell, scanned, sizes_of
from statewise.interop.weights import LAYOUTS, theirs
from statewise.layers.arithmetic import arithmetic_of

STATES = {"LSTM": ("h", "c"), "GRU": ("h",), "RNN": ("h",)}
SCAN = "Scan"
_KINDS: dict[Any, str] = {
    recurrence.SimpleRNN: "RNN",
    recurrence.GRU: "GRU",
    recurrence.LSTM: "LSTM",
    **dict.fromkeys(SCANNED, SCAN),
}


@dataclass(frozen=True)
class Way:
    """A cell, and in which direction it runs."""

    cell: Any
    backwards: bool = False


def kind_of(layer, cell) -> str:
    """Return the operator that computes what a cell does: Scan where there is no better one.

    Raises:
        ValueError: where none does.
    """
    kind = _KINDS.get(type(arithmetic_of(cell)))  # none of a subclass with a step of its own
    if kind is None:
        raise refused(
            layer,
            f"ONNX has no operator for {type(cell).__name__}",
            "It has LSTM, GRU and RNN (SimpleRNN), and this package's own cells become a Scan",
        )
    return kind


def run(
    graph: Graph, layer, ways: list[Way], x: Value, begin: list[str | None], mask: Value | None
) -> tuple[list[str], list[list[str]]]:
    """Add the operator for a cell, or for one in each direction.

    Args:
        graph: of the operators.
        layer: for messages.
        ways: one cell or two.
        x: sequences (batch, time, features).
        begin: for each way and array of its state what it begins with, (batch, units), or None.
        mask: bool (batch, time), or None.

    Returns:
        For each way the outputs of all steps (batch, time, units), in the order of time, and the
        arrays of its state at the end, (batch, units).
    """
    kind = kind_of(layer, ways[0].cell)
    if kind == SCAN:
        return _scans(graph, layer, ways, x, begin, mask)
    count, units = len(STATES[kind]), ways[0].cell.units
    packed = None if mask is None else pack(graph, mask)
    given = any(state is not None for state in begin)
    if given or packed is not None:  # what rows and steps without a valid step have
        begin = [state or _zeros(graph, x, units) for state in begin]
    first = x if packed is None else to_front(graph, x, packed)
    inputs = [graph.turned(first), *_weights(graph, kind, ways)]
    inputs.append("" if packed is None else packed.lengths)
    for place in range(count if given else 0):
        both = [_with_ways(graph, begin[way * count + place]) for way in range(len(ways))]
        inputs.append(both[0] if len(both) == 1 else graph.add("Concat", *both, axis=0))
    attributes = _attributes(kind, layer, ways)
    made = graph.add(kind, *inputs, outputs=1 + count, hidden_size=units, **attributes)
    outputs, *ends = made
    sequences: list[str] = []
    states: list[list[str]] = []
    for number, way in enumerate(ways):
        at = graph.constant(number, "int64")
        steps = graph.add("Gather", outputs, at, axis=1)  # (time, batch, units)
        sequence = graph.add("Transpose", steps, perm=[1, 0, 2])
        of_way = [graph.add("Gather", end, at, axis=0) for end in ends]
        if packed is not None:
            before = [s for s in begin[number * count : (number + 1) * count] if s is not None]
            sequence = _spread(graph, layer, sequence, before[0], packed, way)
            of_way = [
                last_known(graph, end, then, packed)
                for end, then in zip(of_way, before, strict=True)
            ]
        sequences.append(sequence)
        states.append(of_way)
    return sequences, states


def _scans(
    graph: Graph, layer, ways: list[Way], x: Value, begin: list[str | None], mask: Value | None
) -> tuple[list[str], list[list[str]]]:
    """Add a Scan for each way; see `run`."""
    sequences, states = [], []
    for number, way in enumerate(ways):
        sizes = sizes_of(way.cell)
        given = begin[number * len(sizes) : (number + 1) * len(sizes)]
        first = [s or _zeros(graph, x, size) for s, size in zip(given, sizes, strict=True)]
        cell = Cell(graph, layer, way.cell, arithmetic_of(way.cell))
        sequence, end = scanned(cell, x, first, mask, backwards=way.backwards)
        if mask is not None and getattr(layer, "zero_output_for_mask", False):
            counts = graph.add("Unsqueeze", mask.name, graph.constant([2], "int64"))
            sequence = graph.add("Where", counts, sequence, graph.constant(0.0, "float32"))
        sequences.append(sequence)
        states.append(end)
    return sequences, states


def _spread(graph: Graph, layer, sequence: str, begin: str, packed: Packed, way: Way) -> str:
    zeros = bool(getattr(layer, "zero_output_for_mask", False))
    return spread(graph, sequence, begin, packed, backwards=way.backwards, zeros=zeros)


def _weights(graph: Graph, kind: str, ways: list[Way]) -> list[str]:
    """Return the constants W, R and B, (directions, ...)."""
    name = "SimpleRNN" if kind == "RNN" else kind
    made = []
    for way in ways:
        cell = way.cell
        kernel, recurrent = np.asarray(cell.kernel), np.asarray(cell.recurrent_kernel)
        biases = np.zeros((2, kernel.shape[1]), "float32")
        if cell.use_bias:
            bias = np.asarray(cell.bias)
            biases[: bias.ndim] = bias
        both = biases if kind == "GRU" else biases[0]
        made.append(theirs(name, LAYOUTS["ONNX"][name], [kernel, recurrent, both]))
    arrays = zip("WRB", zip(*made, strict=True), strict=True)
    return [graph.constant(np.stack(parts), "float32", name) for name, parts in arrays]


def _attributes(kind: str, layer, ways: list[Way]) -> dict:
    functions = []
    for way in ways:
        activation = way.cell.activation
        functions += {
            "LSTM": lambda c, a: [c.recurrent_activation, a, a],
            "GRU": lambda c, a: [c.recurrent_activation, a],
            "RNN": lambda c, a: [a],
        }[kind](way.cell, activation)
    attributes: dict = inner(layer, *functions)
    if kind == "GRU":
        attributes["linear_before_reset"] = int(ways[0].cell.reset_after)
    direction = "reverse" if ways[0].backwards else "forward"
    attributes["direction"] = direction if len(ways) == 1 else "bidirectional"
    return attributes


def _zeros(graph: Graph, x: Value, units: int) -> str:
    shape = graph.add("Concat", graph.size(x.name, 0), graph.constant([units], "int64"), axis=0)
    zero = graph.onnx.numpy_helper.from_array(np.zeros(1, "float32"))
    return graph.add("ConstantOfShape", shape, value=zero)


def _with_ways(graph: Graph, state: str | None) -> str:
    if state is None:
        raise AssertionError("a state to begin with is missing")
    return graph.add("Unsqueeze", state, graph.constant([0], "int64"))
