"""Walking through a model's graph: every call of a layer in order, nested models opened."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from statewise._keras_compat import (
    Functional,
    all_layers,
    get_keras_mask,
    graph_of,
    holder_of_graph,
    inputs_of_calls,
    run_graph,
)

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
        ValueError: for a model without a graph, such as a subclass with a ``call`` of its own; for
            a mask that reaches a layer by another way than the graph's.

    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((5, 2)), layers.GRU(3), layers.Dense(1)])
    >>> def visit(layer, args, kwargs):
    ...     return f"{type(layer).__name__}({args[0]})"
    >>> walk(model, ["x"], visit)
    ['Dense(GRU(x))']
    """

    def enter(operation, args, kwargs):
        if isinstance(operation, keras.Model):
            _check_mask_within(operation, kwargs)
            outputs = walk(operation, keras.tree.flatten(args[0]), visit)
            return outputs[0] if len(outputs) == 1 else outputs
        return visit(operation, args, kwargs)

    graph = graph_behind(model)
    for layer in graph.layers:
        if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)):
            _check_mask_beside_state(layer)
    return keras.tree.flatten(run_graph(graph, inputs, enter))


def _check_mask_within(model: keras.Model, kwargs: dict) -> None:
    """Refuse a mask that is given to a model within the model: its graph has no place for it."""
    heeds = [layer.name for layer in all_layers(model) if _takes_mask(layer)]
    if kwargs.get("mask") is not None and heeds:
        raise ValueError(
            f"Model {model.name!r} within the model is given a mask, which its layer {heeds[0]!r} "
            "heeds, and its graph has no place for it. Put its layers into the model itself."
        )


def _takes_mask(layer: keras.Layer) -> bool:
    within = isinstance(layer, (keras.Model, keras.layers.InputLayer))
    return not within and "mask" in inspect.signature(layer.call).parameters


def _check_mask_beside_state(layer: keras.Layer) -> None:
    """Refuse a mask beside a given initial state: Keras doesn't put it among the arguments."""
    for sequences, *others in filter(None, inputs_of_calls(layer)):
        handed = any(str(other.dtype) == "bool" for other in others)
        if get_keras_mask(sequences) is not None and not handed:
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) is given its initial state and "
                "sequences with a mask, which isn't part of the model's graph then. Hand it the "
                "mask by name: layer(x, initial_state=state, mask=embedding.compute_mask(tokens))."
            )


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
