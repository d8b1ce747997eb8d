"""Walking through a model's graph: every call of a layer in order, nested models opened."""

from collections.abc import Callable
from typing import Any

import keras

from statewise._keras_compat import Functional, graph_of, holder_of_graph, run_graph

# What is called for each layer: ``visit(layer, args, kwargs)`` returns what stands for its outputs.
Visit = Callable[[keras.Layer, tuple, dict], Any]


def walk(model: keras.Model, inputs: list, visit: Visit) -> list:
    """Go through a model layer by layer, with values of the caller's own in place of tensors.

    A layer that is shared is visited at each of its calls; a nested model is opened, its layers
    are visited. Nothing is computed.

    Args:
        model: a `Sequential` that knows its inputs, or a functional model.
        inputs: what stands for the model's inputs, in their order.
        visit: is given each layer that is called, and the arguments, in which the values that
            were returned for other layers stand for their outputs.

    Returns:
        What stands for the outputs, in their order.

    Raises:
        ValueError: for a model without a graph, such as a subclass with a ``call`` of its own.

    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((5, 2)), layers.GRU(3), layers.Dense(1)])
    >>> def visit(layer, args, kwargs):
    ...     return f"{type(layer).__name__}({args[0]})"
    >>> walk(model, ["x"], visit)
    ['Dense(GRU(x))']
    """

    def enter(operation, args, kwargs):
        if isinstance(operation, keras.Model):
            outputs = walk(operation, keras.tree.flatten(args[0]), visit)
            return outputs[0] if len(outputs) == 1 else outputs
        return visit(operation, args, kwargs)

    return keras.tree.flatten(run_graph(graph_behind(model), inputs, enter))


def graph_behind(model: keras.Model) -> Functional:
    """Return the functional model that a model is, or that a `Sequential` has made of its layers.

    Raises:
        ValueError: where there is none.
    """
    graph = graph_of(holder_of_graph(model))
    if graph is None and isinstance(model, Functional):
        graph = model
    if graph is None:
        raise ValueError(
            f"Model {model.name!r} ({type(model).__name__}) has no graph of layers to go through: "
            + (
                "its inputs aren't known yet. Begin it with an Input, or call it once."
                if isinstance(model, keras.Sequential)
                else "it computes in a call of its own. Build it as Model(inputs, outputs)."
            )
        )
    return graph
