"""The shape of the input, as old code gives it to the first layer of a model."""

from typing import Any

import keras

from statewise.interop.keras1.spelling import warn_once

_SHAPES = ("batch_input_shape", "input_shape", "input_dim", "input_length")
_OF_SEQUENCES = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.Conv1D)


def take_shape(today: type, arguments: dict[str, Any]) -> tuple | None:
    """Take the shape of the input out of a layer's arguments, and return it.

    Args:
        today: the class of the layer.
        arguments: its keyword arguments; those that speak of the input are removed.

    Returns:
        The shape with the batch size first, None where a size is free; or None if none is given.

    Raises:
        TypeError: where the shape is given twice, or isn't a tuple.
    """
    # An embedding has an input_dim of its own: the size of the vocabulary.
    is_embedding = issubclass(today, keras.layers.Embedding)
    names = [name for name in _SHAPES if not (is_embedding and name == "input_dim")]
    given = {name: arguments.pop(name) for name in names if name in arguments}
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return None
    if len(given) > 1 and set(given) != {"input_dim", "input_length"}:
        raise TypeError(
            f"{today.__name__} got {' and '.join(given)}: the shape of the input is to be given "
            "once. Begin the model with Input(shape) and leave them all out."
        )
    shape = _shape_of(today, given)
    today_spelling = f"Input({_shown(shape[1:])})"
    if "batch_input_shape" in given:
        today_spelling = f"Input(batch_shape={_shown(shape)})"
    for name in given:
        warn_once(
            f"{name}=",
            f"Sequential([{today_spelling}, {today.__name__}(...), ...]), or nothing at all where "
            "the layer is called on a tensor",
        )
    return shape


def _shape_of(today: type, given: dict[str, Any]) -> tuple:
    for name in ("batch_input_shape", "input_shape"):
        if name in given:
            shape = given[name]
            if not isinstance(shape, (tuple, list)):
                raise TypeError(f"{name} must be a tuple such as (3, 1), but is {shape!r}.")
            return tuple(shape) if name == "batch_input_shape" else (None, *shape)
    features = [given["input_dim"]] if "input_dim" in given else []
    if "input_length" in given:
        length = given["input_length"]
        steps = list(length) if isinstance(length, (tuple, list)) else [length]
    else:
        steps = [None] if issubclass(today, _OF_SEQUENCES) else []
    return (None, *steps, *features)


def _shown(shape: tuple) -> str:
    return repr(tuple(shape))
