"""Nested Python values as JSON and arrays, and back: what the attributes of a callback may be."""

import contextlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np


class NotKeptError(TypeError):
    """A value that a checkpoint has no form for."""


def encoded(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value as JSON has it; its arrays are put among ``arrays``, named after it.

    Numbers, texts, None, arrays of numbers, and lists, tuples and dictionaries of these are kept
    as they are, to the bit and by their type.

    Raises:
        NotKeptError: for anything else.

    >>> arrays = {}
    >>> kept = encoded({"wait": 3, "best": np.float32(0.1), 2: (np.ones(2),)}, "stopping", arrays)
    >>> decoded(kept, arrays)
    {'wait': 3, 'best': np.float32(0.1), 2: (array([1., 1.]),)}
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind in (list, tuple):
        parts = [encoded(part, f"{name}.{i}", arrays) for i, part in enumerate(value)]
        return {kind.__name__: parts}
    if isinstance(value, Mapping) and kind is dict:
        pairs = []
        for i, (key, part) in enumerate(value.items()):
            if type(key) not in (bool, int, float, str, type(None)):
                raise NotKeptError(f"{name} has the key {key!r:.100}")
            pairs.append([key, encoded(part, f"{name}.{i}", arrays)])
        return {"dict": pairs}
    if kind is np.ndarray or isinstance(value, (np.generic, jax.Array)):
        array = np.asarray(value)
        if array.dtype.kind not in "fiubV" or array.dtype.names:
            raise NotKeptError(f"{name} is an array of {array.dtype}")
        form = "array" if kind is np.ndarray else "scalar"
        arrays[name] = array
        return {"jax" if isinstance(value, jax.Array) else form: name}
    raise NotKeptError(f"{name} is a {kind.__name__}")


def decoded(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the value that `encoded` was given."""
    if not isinstance(value, dict):
        return value
    ((form, content),) = value.items()
    if form == "list":
        return [decoded(part, arrays) for part in content]
    if form == "tuple":
        return tuple(decoded(part, arrays) for part in content)
    if form == "dict":
        return {key: decoded(part, arrays) for key, part in content}
    array = arrays[content]
    if form == "jax":
        return jax.device_put(array)
    return array[()] if form == "scalar" else np.array(array)


def keepable(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return logs without what has no form here, which only a callback can have put there.

    >>> keepable({"loss": 0.5, "when": object()})
    {'loss': 0.5}
    """
    kept = {}
    for name, value in logs.items():
        with contextlib.suppress(NotKeptError):
            encoded(value, name, {})
            kept[name] = value
    return kept


def same(one: Any, other: Any) -> bool:
    """Whether two values are of one type and hold the same; arrays to the bit.

    >>> same([1, np.ones(2)], [1, np.ones(2)]), same(1, 1.0), same(float("nan"), float("nan"))
    (True, False, True)
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (np.ndarray, np.generic, jax.Array)):
        one, other = np.asarray(one), np.asarray(other)
        return one.dtype == other.dtype and one.shape == other.shape and _bits(one) == _bits(other)
    if isinstance(one, float):
        return repr(one) == repr(other)
    try:
        return bool(one == other)
    except Exception:  # whatever a class of the user's own makes of it
        return False


def _bits(array: np.ndarray) -> bytes:
    return array.tobytes()
