"""Keys of streams: exact text or whole numbers, so that none is taken for another."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

Key = str | int
_BITS = 63  # of an integer key, beside its sign
_PLAIN = frozenset({str, int})
# From so many keys on a loop in C++ is worth asking for it.
MANY = 32


def plain_key(key) -> Key:
    """Return a key as plain text or integer; refuse one that can't be told apart, or kept.

    True and 1.0 are equal to 1 and no keys; NumPy's integers and texts, and members of enumerations
    that are integers or texts, are the plain ones that they hold.

    Raises:
        TypeError: if it is neither text nor an integer.
        ValueError: if it is an integer of more than 64 bits, or text that UTF-8 can't hold.
    """
    if isinstance(key, str):
        key = str.__str__(key)  # not what a class of its own makes of it
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"The key {key!r} isn't valid text: {error}.") from error
        return key
    if isinstance(key, bool) or not isinstance(key, (int, np.integer)):
        raise TypeError(f"A key is text or an integer; got {key!r}, a {type(key).__name__}.")
    if not -(1 << _BITS) <= key < 1 << _BITS:
        raise ValueError(f"The key {key} has more than 64 bits; name it as text instead.")
    return int.__index__(key) if isinstance(key, int) else int(key)


def plain_keys(keys: str | int | Iterable) -> list[Key]:
    """Return one key or several as a list of plain ones.

    Raises:
        TypeError: if a key is neither text nor an integer.
        ValueError: if a key is there twice, or can't be kept.

    >>> plain_keys("north"), plain_keys(["north", np.int64(7)])
    (['north'], ['north', 7])
    """
    if isinstance(keys, (str, int, bytes, np.integer)):
        return [plain_key(keys)]
    if not isinstance(keys, Iterable):
        raise TypeError(f"Expected a key, text or an integer, or several; got {keys!r}.")
    keys = list(map(plain_key, keys))
    if len(set(keys)) != len(keys):
        ((twice, _),) = Counter(keys).most_common(1)
        raise ValueError(f"The key {twice!r} is given twice.")
    return keys


def as_plain_keys(keys: list) -> list[Key]:
    """Return keys as plain ones; whether they can be kept, and are there once, isn't looked at.

    Raises:
        TypeError: if a key is neither text nor an integer.
    """
    return keys if _PLAIN.issuperset(map(type, keys)) else plain_keys(keys)


def by_plain_key(values: Mapping) -> Mapping:
    """Return a mapping with plain keys, the same one where they are.

    Raises:
        TypeError: if it is no mapping, or a key is neither text nor an integer.
        ValueError: if two keys are the same, or one can't be kept.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"push takes a mapping {{key: values}}, got a {type(values).__name__}.")
    if _are_plain(values):  # what can't be kept is refused when it joins
        return values
    return dict(zip(plain_keys(values), values.values(), strict=True))


def _are_plain(keys: Mapping) -> bool:
    if len(keys) >= MANY and type(keys) is dict:
        from statewise.recurrence.native import available, keys_are  # a store needs no engine

        if available():
            return keys_are(keys, (str, int))
    return _PLAIN.issuperset(map(type, keys))


def by_given_key(outputs: dict, plain: Mapping, given: Mapping) -> dict:
    """Return what there is by plain key in the order in which keys were given, and by these."""
    return dict(zip(given, map(outputs.__getitem__, plain), strict=True))
