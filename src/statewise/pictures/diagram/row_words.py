"""What is written beside a row of a diagram."""

from statewise.layers.arithmetic import arithmetic_of
from statewise.pictures.trace.traced import Node


def numbered(i: int, values: list) -> str:
    """Return the number of one of several, from 1; nothing where there is one."""
    return f"{i + 1}" if len(values) > 1 else ""


def name_of_layer(layer) -> str:
    """Return how somebody would write a layer: its class, and what tells it from another."""
    kind = type(layer).__name__
    if kind == "TimeDistributed":
        return f"TimeDistributed({name_of_layer(layer.layer)})"
    if kind == "Activation":
        return getattr(layer.activation, "__name__", kind)
    number = getattr(layer, "n", None)
    return f"{kind}({number})" if kind == "RepeatVector" else kind


def words_of_layer(node: Node, passed: tuple[str, ...]) -> str:
    """Return what a layer is, and which layers that only move values stand before it."""
    layer = node.part.layer
    words = [name_of_layer(layer)]
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    if not node.part.recurrent and activation != "linear":
        words.append(activation)
    if node.part.recurrent:
        if arithmetic_of(layer.cell) is None:
            words[0] += f" of {type(layer.cell).__name__}"
        if node.backwards:
            words.append("backwards")
        if layer.stateful:
            words.append("stateful")
    return ", ".join([*words, *([after_layers(passed)] if passed else [])])


def after_layers(passed: tuple[str, ...]) -> str:
    """Say through which layers values came that these only moved."""
    return f"after {', '.join(passed)}" if passed else ""
