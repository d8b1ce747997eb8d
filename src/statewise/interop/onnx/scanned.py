"""Cells that no operator of ONNX computes: one Scan each, with the step's equations in its body.

What a step doesn't need of the one before is computed for all steps at once, before the Scan: the
product of the inputs, and of the minimal cells all but one product and one sum. At a step that a
mask leaves out the state stays as it is, and with it what comes out.

Source: the specification of Scan, opset 16.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from statewise import recurrence
from statewise.interop.onnx.activations import activated
from statewise.interop.onnx.graph import Graph, Value
from statewise.layers.arithmetic import weights_of


@dataclass(frozen=True)
class Cell:
    """A cell that is being written.

    Attributes:
        graph: of the operators.
        layer: for messages.
        cell: the Keras cell.
        arithmetic: its equations.
    """

    graph: Graph
    layer: Any
    cell: Any
    arithmetic: Any

    def constant(self, weight: Any, name: str) -> str:
        """Return a weight as a constant."""
        return self.graph.constant(np.asarray(weight), "float32", name)

    def function(self, x: str) -> str:
        """Return the cell's activation of a value."""
        return activated(self.graph, self.layer, self.cell.activation, Value(x, ())).name

    def gate(self, x: str) -> str:
        """Return the activation of a gate's value."""
        return activated(self.graph, self.layer, self.cell.recurrent_activation, Value(x, ())).name

    def product(self, x: str) -> str:
        """Return the inputs' product with the kernel, (batch, time, gates * units)."""
        return self.graph.add("MatMul", x, self.constant(weights_of(self.cell).kernel, "kernel"))

    def with_bias(self, x: str) -> str:
        """Return a value with the bias added, where there is one."""
        bias = weights_of(self.cell).bias
        return x if bias is None else self.graph.add("Add", x, self.constant(bias, "bias"))

    def split(self, x: str) -> list[str]:
        """Return the gates of their values one behind the other."""
        count = len(self.arithmetic.gates)
        sizes = self.graph.constant([self.cell.units] * count, "int64")
        return self.graph.add("Split", x, sizes, outputs=count, axis=-1)

    def normalised(self, x: str, place: int) -> str:
        """Return values normalised, by the scale and shift at a place of the further weights."""
        scale, shift = weights_of(self.cell).further[place : place + 2]
        weights = self.constant(scale, "scale"), self.constant(shift, "shift")
        epsilon = float(self.arithmetic.epsilon)
        return self.graph.add("LayerNormalization", x, *weights, axis=-1, epsilon=epsilon)


# What comes into each step, (batch, time, ...), from the sequences.
Before = Callable[[Cell, str], list[str]]
# The state after a step, from the state and what comes in.
Step = Callable[[Cell, list[str], list[str]], list[str]]


def scanned(
    cell: Cell, x: Value, begin: list[str], mask: Value | None, *, backwards: bool
) -> tuple[str, list[str]]:
    """Add a cell as a Scan; return what comes out, (batch, time, n), and the state at the end.

    Args:
        cell: one of `SCANNED`.
        x: sequences (batch, time, features).
        begin: the state before the first step, (batch, n) each.
        mask: bool (batch, time), or None.
        backwards: whether it runs from the last step to the first; what comes out is in the order
            of time all the same.
    """
    graph, (before, step) = cell.graph, SCANNED[type(cell.arithmetic)]
    sequences = dict.fromkeys(before(cell, x.name), "float32")
    if mask is not None:
        sequences[graph.add("Unsqueeze", mask.name, graph.constant([2], "int64"))] = "bool"

    def body(state: list[str], given: list[str]) -> list[str]:
        *values, counts = given if mask is not None else [*given, ""]
        after = step(cell, state, values)
        if mask is not None:
            pairs = zip(after, state, strict=True)
            after = [graph.add("Where", counts, new, old) for new, old in pairs]
        return [*after, after[0]]

    return graph.scan(body, begin, sizes_of(cell.cell), sequences, backwards=backwards)


def sizes_of(cell: Any) -> list[int]:
    """Return how many values each array of a cell's state has."""
    size = cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


def _projected(cell: Cell, x: str) -> list[str]:
    return [cell.with_bias(cell.product(x))]


def _normalised_inputs(cell: Cell, x: str) -> list[str]:
    return [cell.with_bias(cell.normalised(cell.product(x), 0))]


def _min_gru(cell: Cell, x: str) -> list[str]:
    graph = cell.graph
    z, candidate = cell.split(cell.with_bias(cell.product(x)))
    z = graph.add("Sigmoid", z)
    kept = graph.add("Sub", graph.constant(1.0, "float32"), z)
    return [kept, graph.add("Mul", z, cell.function(candidate))]


def _min_lstm(cell: Cell, x: str) -> list[str]:
    graph = cell.graph
    i, f, candidate = cell.split(cell.with_bias(cell.product(x)))
    # log sigmoid(x) is -softplus(-x), see `recurrence.MinLSTM.gate_values`.
    i, f = (graph.add("Softplus", graph.add("Neg", gate)) for gate in (i, f))
    kept = graph.add("Sigmoid", graph.add("Sub", i, f))
    share = graph.add("Sub", graph.constant(1.0, "float32"), kept)
    return [kept, graph.add("Mul", share, cell.function(candidate))]


def _linear(cell: Cell, state: list[str], given: list[str]) -> list[str]:
    kept, added = given
    return [cell.graph.add("Add", cell.graph.add("Mul", kept, state[0]), added)]


def _cell_state(cell: Cell, c: str, given: str, recurrent: str) -> tuple[str, str]:
    """Return the state c after a step, and the output gate."""
    graph = cell.graph
    i, f, candidate, o = cell.split(graph.add("Add", given, recurrent))
    kept = graph.add("Mul", cell.gate(f), c)
    added = graph.add("Mul", cell.gate(i), cell.function(candidate))
    return graph.add("Add", kept, added), cell.gate(o)


def _projected_lstm(cell: Cell, state: list[str], given: list[str]) -> list[str]:
    graph, (h, c), weights = cell.graph, state, weights_of(cell.cell)
    kernel = cell.constant(weights.recurrent_kernel, "recurrent_kernel")
    c, o = _cell_state(cell, c, given[0], graph.add("MatMul", h, kernel))
    wide = graph.add("Mul", o, cell.function(c))
    return [graph.add("MatMul", wide, cell.constant(weights.further[0], "projection")), c]


def _layer_norm_lstm(cell: Cell, state: list[str], given: list[str]) -> list[str]:
    graph, (h, c), weights = cell.graph, state, weights_of(cell.cell)
    kernel = cell.constant(weights.recurrent_kernel, "recurrent_kernel")
    recurrent = cell.normalised(graph.add("MatMul", h, kernel), 2)
    c, o = _cell_state(cell, c, given[0], recurrent)
    c = cell.normalised(c, 4)
    return [graph.add("Mul", o, cell.function(c)), c]


SCANNED: dict[type, tuple[Before, Step]] = {
    recurrence.MinGRU: (_min_gru, _linear),
    recurrence.MinLSTM: (_min_lstm, _linear),
    recurrence.ProjectedLSTM: (_projected, _projected_lstm),
    recurrence.LayerNormLSTM: (_normalised_inputs, _layer_norm_lstm),
}
