"""What a ``forward`` does between its modules: functions and methods that can be taken over."""

from collections.abc import Callable
from typing import Any

import keras

from statewise import layers
from statewise.interop.pytorch.values import Given, Plain, Read, States, Value, Zeros

_LAST = ((slice(None), -1), (slice(None), -1, slice(None)))


def _getitem(state: Read, of: Any, place: Any) -> Any:
    if isinstance(of, Plain):
        return Plain()
    if isinstance(of, tuple):  # what a recurrent module gives
        return of[place]
    if isinstance(of, States):
        if isinstance(place, int):
            return Value(of.tensors[place])
        raise state.refused(f"of the last states [{place!r}] is taken; one at a time is expected")
    if not isinstance(of, Value):
        raise state.refused("a part is taken of what isn't computed by a module")
    last = place in _LAST if not of.time_first else place == -1
    if of.last_only:
        return Value(of.tensor)
    if last:
        return Value(of.tensor[:, -1])
    first = place in ((slice(None), 0), (slice(None), 0, slice(None)))
    if (place == 0) if of.time_first else first:
        return Value(of.tensor[:, 0])
    raise state.refused(f"[{place!r}] is taken; the first or the last step is expected")


def _cat(state: Read, parts: Any, dim: int = 0, axis: int | None = None) -> Value:
    values = [_value(state, part) for part in parts]
    dim = dim if axis is None else axis
    ranks = {len(value.tensor.shape) for value in values}
    if len(ranks) != 1 or dim % next(iter(ranks)) != next(iter(ranks)) - 1:
        raise state.refused(f"dim={dim}: tensors are put together along their last axis")
    if len({value.time_first for value in values}) != 1:
        raise state.wrong_layout()
    return Value(layers.Concatenate()([value.tensor for value in values]), values[0].time_first)


def _transpose(state: Read, of: Any, first: int, second: int) -> Any:
    if {first, second} != {0, 1}:
        raise state.refused(f"axes {first} and {second} change places; 0 and 1 can")
    return _turned(state, of)


def _permute(state: Read, of: Any, *order: Any) -> Any:
    order = order[0] if len(order) == 1 else order
    if tuple(order) != (1, 0, 2):
        raise state.refused(f"the axes are put into the order {tuple(order)}; (1, 0, 2) can be")
    return _turned(state, of)


def _turned(state: Read, of: Any) -> Any:
    if isinstance(of, (Value, Given)):
        return of.turned()
    raise state.refused("axes change places of what isn't computed by a module")


def _squeeze(state: Read, of: Any, dim: int | None = None) -> Any:
    if isinstance(of, States) and len(of.tensors) == 1 and dim in (0, None):
        return Value(of.tensors[0])
    if isinstance(of, Value) and dim is not None and dim % len(of.tensor.shape) >= 1:
        place = dim % len(of.tensor.shape)
        if not of.time_first and of.tensor.shape[place] == 1:
            return Value(keras.ops.squeeze(of.tensor, place))
    raise state.refused(f"squeeze({dim}) would take away an axis that isn't known to be 1")


def _softmax(state: Read, of: Any, dim: int | None = None, **_: Any) -> Value:
    return _along_last(state, of, dim, "softmax")


def _log_softmax(state: Read, of: Any, dim: int | None = None, **_: Any) -> Value:
    return _along_last(state, of, dim, "log_softmax")


def _along_last(state: Read, of: Any, dim: int | None, name: str) -> Value:
    value = _value(state, of)
    rank = len(value.tensor.shape)
    if dim is None or dim % rank != rank - 1:
        raise state.refused(f"dim={dim}: the last axis is expected")
    return Value(layers.Activation(name)(value.tensor), value.time_first)


def _activation(name: str) -> Callable[..., Value]:
    def apply(state: Read, of: Any, **_: Any) -> Value:
        value = _value(state, of)
        return Value(
            layers.Activation(name)(value.tensor), value.time_first, last_only=value.last_only
        )

    return apply


def _of_two(make: Callable) -> Callable[..., Value]:
    def apply(state: Read, a: Any, b: Any) -> Value:
        a, b = _value(state, a), _value(state, b)
        if a.time_first != b.time_first:
            raise state.wrong_layout()
        return Value(make([a.tensor, b.tensor]), a.time_first)

    return apply


def _mean(state: Read, of: Any, dim: Any = None, keepdim: bool = False) -> Value:
    value = _value(state, of)
    time = 0 if value.time_first else 1
    if dim not in (time, (time,), [time]) or keepdim or len(value.tensor.shape) != 3:
        raise state.refused(f"the mean is taken over dim={dim}; over the steps it can be")
    return Value(layers.GlobalAveragePooling1D()(value.tensor))


def _zeros(state: Read, *sizes: Any, **_: Any) -> Zeros:
    return Zeros()


def _size(state: Read, of: Any, *_: Any) -> Plain:
    return Plain()


def _same(state: Read, of: Any, *_: Any, **__: Any) -> Any:
    return of


def _dropout(state: Read, of: Any, p: float = 0.5, training: Any = None, **_: Any) -> Value:
    value = _value(state, of)
    return Value(layers.Dropout(p)(value.tensor), value.time_first, last_only=value.last_only)


def _value(state: Read, of: Any) -> Value:
    if isinstance(of, Value):
        return of
    raise state.refused(f"it is given {type(of).__name__}, not what a module computes")


_ACTIVATIONS: dict[str, Callable] = {
    name: _activation(ours)
    for name, ours in {
        "relu": "relu",
        "tanh": "tanh",
        "sigmoid": "sigmoid",
        "silu": "silu",
        "selu": "selu",
        "softsign": "softsign",
        "hardsigmoid": "hard_sigmoid",
    }.items()
}
_BOTH: dict[str, Callable] = {
    **_ACTIVATIONS,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "transpose": _transpose,
    "swapaxes": _transpose,
    "permute": _permute,
    "squeeze": _squeeze,
    "mean": _mean,
    "add": _of_two(lambda pair: layers.Add()(pair)),
    "mul": _of_two(lambda pair: layers.Multiply()(pair)),
    "sub": _of_two(lambda pair: layers.Subtract()(pair)),
}
# By the names of functions, and of a tensor's methods.
FUNCTIONS: dict[str, Callable] = {
    **_BOTH,
    "getitem": _getitem,
    "getattr": _size,
    "_assert_is_none": _size,  # how torch.fx notes an argument that stays at its default
    "cat": _cat,
    "concat": _cat,
    "dropout": _dropout,
    "zeros": _zeros,
    "zeros_like": _zeros,
}
METHODS: dict[str, Callable] = {
    **_BOTH,
    "size": _size,
    "dim": _size,
    **{name: _same for name in ("contiguous", "to", "float", "detach", "requires_grad_", "clone")},
}
