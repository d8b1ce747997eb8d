"""The state that a call of a recurrent layer is given: by order or by name, and checked."""

from collections.abc import Mapping

from jax import Array
from keras import tree

from statewise.layers.arithmetic import arithmetic_of, array_names


def by_name(layer, state: Mapping[str, Array]) -> list[Array]:
    """Return the arrays of a state that is given by their names, in the layer's order.

    Raises:
        ValueError: if these aren't the layer's names.

    >>> import numpy as np
    >>> from statewise.layers import LSTM
    >>> h, c = np.zeros((2, 3)), np.ones((2, 3))
    >>> by_name(LSTM(3), {"c": c, "h": h})[1] is c
    True
    """
    names = array_names(layer)
    if set(state) != set(names):
        raise ValueError(
            f"The state given to layer {layer.name!r} has entries {list(state)}; expected {names}. "
            "That of a model has such entries for each layer: state[layer.name]."
        )
    return [state[name] for name in names]


def check_given_state(layer, state, batch: int) -> None:
    """Refuse a state that can't be that of these samples and of the layer's units.

    Raises:
        ValueError: with the shapes that came, and those that are expected.
    """
    shapes = [tuple(a.shape) for a in tree.flatten(state)]
    wanted = [(batch, size) for size in tree.flatten(layer.state_size)]
    # A cell of the user's own may have arrays of other axes, but all have their samples first.
    own = arithmetic_of(layer.cell) is None
    fits = len(shapes) == len(wanted) and all(
        shape == full or (own and len(shape) not in (0, 2) and shape[0] == batch)
        for shape, full in zip(shapes, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            f"The state given to layer {layer.name!r} has arrays of the shapes {shapes}, but "
            f"{batch} samples came, whose state is {len(wanted)} arrays ({batch}, ...), of the "
            f"shapes {wanted}."
        )
