"""Objects made of what a file says: each field of its own type, or refused."""

import types
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def typed(kind: type[T], given: Any) -> T:
    """Return a data class (or named tuple) of the fields that JSON had, each of the declared type.

    Raises:
        TypeError: where a field is missing, of another type, or there is none of that name.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Size:
    ...     width: int
    ...     names: tuple[str, ...] = ()
    >>> typed(Size, {"width": 2, "names": ["a"]})
    Size(width=2, names=('a',))
    >>> typed(Size, {"width": "2"})
    Traceback (most recent call last):
    ...
    TypeError: Size has width='2', which is no int
    """
    hints = get_type_hints(kind)
    if isinstance(given, list):  # a named tuple
        given = dict(zip(hints, given, strict=True))
    if not isinstance(given, dict):
        raise TypeError(f"{kind.__name__} is {given!r:.60}, which has no fields")
    for name in given:
        if name not in hints:
            raise TypeError(f"{kind.__name__} has no field {name!r:.60}")
    made = {}
    for name, value in given.items():
        made[name] = _tupled(hints[name], value)
        if not _fits(hints[name], made[name]):
            wanted = getattr(hints[name], "__name__", str(hints[name]))
            raise TypeError(f"{kind.__name__} has {name}={value!r:.60}, which is no {wanted}")
    return kind(**made)


def _tupled(hint: Any, value: Any) -> Any:
    """Return what JSON made a list of as a tuple again."""
    inner = get_args(hint)
    if not isinstance(value, list) or get_origin(hint) is not tuple:
        return value
    hints = inner[:1] * len(value) if Ellipsis in inner else inner
    return tuple(_tupled(one, part) for one, part in zip(hints, value, strict=True))


def _fits(hint: Any, value: Any) -> bool:
    if hint is Any:
        return True
    origin, inner = get_origin(hint), get_args(hint)
    if origin is types.UnionType:
        return any(_fits(one, value) for one in inner)
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool)
    if origin is None:
        return hint is type(value) or (hint is type(None) and value is None)
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(inner[0], k) and _fits(inner[1], v) for k, v in value.items()
        )
    if origin is tuple and Ellipsis not in inner:
        return (
            isinstance(value, tuple) and len(value) == len(inner) and all(map(_fits, inner, value))
        )
    return isinstance(value, (tuple, list)) and all(_fits(inner[0], one) for one in value)
