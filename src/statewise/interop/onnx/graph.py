"""Putting an ONNX graph together: operators, constants, names."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from statewise.interop.optional import load_optional

# What is written: the operators of opset 17 (LayerNormalization came with it, LSTM and GRU are
# those of 14), in files of IR version 8. ONNX Runtime reads these from 1.13 (2022) on, its build
# for the browser and those for phones included.
OPSET, IR_VERSION = 17, 8


@dataclass(frozen=True)
class Value:
    """A tensor of the graph.

    Attributes:
        name: in the graph.
        shape: its axes, the batch first; None for those that are open.
        given: the position of the model's input that it is, or None.
    """

    name: str
    shape: tuple[int | None, ...]
    given: int | None = None


class Graph:
    """An ONNX graph that is being put together.

    Attributes:
        limits: by the position of an input: the rows of the smallest table it's looked up in.
        input_names: of the graph's inputs, in their order.
        integers: the positions of inputs that are whole numbers.
        scope: what stands before the names of the operators that are added.
    """

    def __init__(self) -> None:
        self.onnx = load_optional("onnx", "writing an ONNX file")
        self.limits: dict[int, int] = {}
        self.integers: set[int] = set()
        self._nodes: list = []
        self._constants: dict[tuple, str] = {}
        self._initializers: list = []
        self.input_names: list[str] = []
        self._inputs: list = []
        self._outputs: list = []
        self._names: set[str] = set()
        self.scope = ""

    def name(self, wanted: str) -> str:
        """Return a name that nothing in the graph has yet."""
        name, number = wanted, 2
        while name in self._names:
            name, number = f"{wanted}_{number}", number + 1
        self._names.add(name)
        return name

    def input(self, name: str, shape: tuple, dtype: str) -> str:
        """Add an input of the graph; open axes have names. Return its name."""
        name = self.name(plain(name))
        self._inputs.append(self._described(name, shape, dtype))
        self.input_names.append(name)
        return name

    def output(self, value: str, name: str, shape: tuple, dtype: str = "float32") -> str:
        """Let a tensor come out of the graph under a name; return that name."""
        name = self.name(plain(name))
        self._nodes.append(self.onnx.helper.make_node("Identity", [value], [name], name=name))
        self._outputs.append(self._described(name, shape, dtype))
        return name

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add an operator; return the name of its output, or the names of several."""
        made = [self.name(f"{self.scope}{operator}") for _ in range(outputs)]
        node = self.onnx.helper.make_node(operator, inputs, made, name=made[0], **attributes)
        self._nodes.append(node)
        return made[0] if outputs == 1 else made

    def scan(
        self,
        body: Callable[[list[str], list[str]], list[str]],
        begin: list[str],
        sizes: list[int],
        sequences: dict[str, str],
        *,
        backwards: bool,
    ) -> tuple[str, list[str]]:
        """Add a Scan over time.

        Args:
            body: adds the operators of a step: takes the names of the state and of what comes in at
                the step, returns those of the state after it and of what comes out.
            begin: the state before the first step, (batch, size) each.
            sizes: of the arrays of the state.
            sequences: what comes in, (batch, time, ...), and their types.
            backwards: whether it runs from the last step on; what comes out is in time's order.

        Returns:
            What comes out, (batch, time, size of the first array), and the state at the end.
        """
        state = [self.name(f"{self.scope}state") for _ in begin]
        given = [self.name(f"{self.scope}given") for _ in sequences]
        outside, self._nodes = self._nodes, []
        made = [self.add("Identity", value) for value in body(state, given)]
        inside, self._nodes = self._nodes, outside
        kinds = [*["float32"] * len(begin), *sequences.values()]
        entering = [
            self._described(name, (None, size), kind)
            for name, size, kind in zip(
                [*state, *given], [*sizes, *[None] * len(given)], kinds, strict=True
            )
        ]
        leaving = [
            self._described(name, (None, size), "float32")
            for name, size in zip(made, [*sizes, sizes[0]], strict=True)
        ]
        step = self.onnx.helper.make_graph(inside, "step", entering, leaving)
        count = len(sequences)
        *end, outputs = self.add(
            "Scan",
            *begin,
            *sequences,
            outputs=len(begin) + 1,
            body=step,
            num_scan_inputs=count,
            scan_input_axes=[1] * count,
            scan_input_directions=[int(backwards)] * count,
            scan_output_axes=[1],
            scan_output_directions=[int(backwards)],
        )
        return outputs, end

    def constant(self, array: Any, dtype: str | None = None, name: str = "constant") -> str:
        """Return the name of a constant; equal ones are there once."""
        array = np.asarray(array, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            made = self.name(f"{self.scope}{name}")
            self._initializers.append(self.onnx.numpy_helper.from_array(array, made))
            self._constants[key] = made
        return self._constants[key]

    def turned(self, value: Value) -> str:
        """Return sequences (batch, time, features) with time first, as recurrences take them."""
        return self.add("Transpose", value.name, perm=[1, 0, 2])

    def turned_channels(self, value: Value) -> str:
        """Return sequences (batch, time, features) with time last, as the convolutions do."""
        return self.add("Transpose", value.name, perm=[0, 2, 1])

    def size(self, value: str, axis: int) -> str:
        """Return the length of an axis, int64 (1,)."""
        return self.add("Shape", value, start=axis, end=axis + 1)

    def model(self, name: str):
        """Return the ONNX model, checked."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self._nodes, plain(name), self._inputs, self._outputs, self._initializers
        )
        made = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="statewise",
        )
        self.onnx.checker.check_model(made, full_check=True)
        return made

    def _described(self, name: str, shape: tuple, dtype: str):
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, list(shape))


def plain(name: str) -> str:
    """Return a name without what some runtimes stumble over."""
    return re.sub(r"[^\w./#-]", "_", name)


def like(value: Value, name: str, *, last: int | None = None) -> Value:
    """Return a value of the same shape, but for its last axis where that is given."""
    shape = value.shape if last is None else (*value.shape[:-1], last)
    return replace(value, name=name, shape=shape, given=None)
