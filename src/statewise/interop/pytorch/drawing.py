"""Putting a PyTorch module together: an `torch.fx` graph, call by call."""

import operator
import re
from typing import Any

import keras
import numpy as np


class Value:
    """What stands for a tensor of the graph.

    Attributes:
        node: of the graph that gives it.
        given: the position of the model's input that it is, or None.
    """

    def __init__(self, node: Any, *, given: int | None = None):
        self.node, self.given = node, given


class Graph:
    """A module that is being put together.

    Args:
        torch: PyTorch.
        name: of the module's class.

    Attributes:
        torch: PyTorch.
        limits: by the position of an input: the rows of the smallest table it's looked up in.
    """

    def __init__(self, torch, name: str):
        self.torch = torch
        self.limits: dict[int, int] = {}
        self._name = re.sub(r"\W", "_", name.title().replace("_", "")) or "Module"
        self._root = torch.nn.Module()
        self._graph = torch.fx.Graph()
        self._inputs = 0
        self._targets: dict[tuple, str] = {}

    def input(self, name: str) -> Value:
        """Return what stands for the module's next input."""
        self._inputs += 1
        node = self._graph.placeholder(re.sub(r"\W", "_", name))
        return Value(node, given=self._inputs - 1)

    def call(self, layer: keras.Layer, make, *args, part: str = "", **kwargs) -> Any:
        """Call a module made for a layer, once for all calls of the layer; return the node.

        Args:
            layer: the layer.
            make: called for the module, where there is none yet.
            *args: nodes.
            part: which of the layer's modules it is, where it has several.
            **kwargs: further nodes.
        """
        key = (id(layer), part)
        if key not in self._targets:
            target = re.sub(r"\W", "_", f"{layer.name}{part}")
            while hasattr(self._root, target):
                target += "_"
            module = make()
            self._root.add_module(target, module.to(dtype_of(self.torch, layer)))
            self._targets[key] = target
        return self._graph.call_module(self._targets[key], args, kwargs)

    def apply(self, function, *args, **kwargs) -> Any:
        """Call a function or, by its name, a method of the first argument; return the node."""
        if isinstance(function, str):
            return self._graph.call_method(function, args, kwargs)
        return self._graph.call_function(function, args, kwargs)

    def item(self, node: Any, *places) -> Any:
        """Return what lies at these places, one within the other."""
        for place in places:
            node = self._graph.call_function(operator.getitem, (node, place))
        return node

    def module(self, outputs: list[Value]):
        """Return the module that gives these outputs, in evaluation mode."""
        nodes = tuple(value.node for value in outputs)
        self._graph.output(nodes[0] if len(nodes) == 1 else nodes)
        self._graph.lint()
        module = self.torch.fx.GraphModule(self._root, self._graph, self._name)
        return module.eval()


def dtype_of(torch, layer: keras.Layer):
    """Return PyTorch's dtype of a layer's weights."""
    return getattr(torch, layer.variable_dtype)


def fill(torch, module, arrays: dict[str, np.ndarray]):
    """Give a module its parameters by name, all of them, and return it."""
    names = {name for name, _ in module.named_parameters()}
    if names != set(arrays):
        raise AssertionError(f"parameters {sorted(names)}, arrays {sorted(arrays)}")
    with torch.no_grad():
        module.to(torch.from_numpy(next(iter(arrays.values()))).dtype)
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.from_numpy(np.array(arrays[name])))
    return module
