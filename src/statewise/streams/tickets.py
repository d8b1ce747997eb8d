"""Tickets: who asked for a change, the how-manieth it is, and what it gave, as bytes in a store.

A change that comes again with the ticket of the last one was done already, and only its answer was
lost on the way.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_LENGTH = 8  # bytes that say how long the head is
_DIGEST = 16


class Ticket(NamedTuple):
    """Which change it is.

    Attributes:
        session: of whoever asks; no two have the same.
        number: of the change, rising.
    """

    session: str
    number: int


class Done(NamedTuple):
    """A change that was done.

    Attributes:
        ticket: of it.
        answer: what it gave.
    """

    ticket: Ticket
    answer: list[np.ndarray]


def packed(done: Done) -> bytes:
    """Return what was done as bytes with a checksum.

    >>> unpacked(packed(Done(Ticket("a", 3), [np.arange(2.0)])))
    Done(ticket=Ticket(session='a', number=3), answer=[array([0., 1.])])
    """
    arrays = [(str(array.dtype), list(array.shape)) for array in done.answer]
    head = json.dumps([*done.ticket, arrays]).encode()
    parts = [len(head).to_bytes(_LENGTH, "little"), head]
    whole = b"".join([*parts, *(np.ascontiguousarray(array).tobytes() for array in done.answer)])
    return whole + hashlib.blake2b(whole, digest_size=_DIGEST).digest()


def unpacked(data: bytes) -> Done:
    """Return what `packed` was given.

    Raises:
        ValueError: where the bytes are others than it gave.
    """
    whole, digest = data[:-_DIGEST], data[-_DIGEST:]
    if hashlib.blake2b(whole, digest_size=_DIGEST).digest() != digest:
        raise ValueError("the note of the last change doesn't have its checksum")
    at = _LENGTH + int.from_bytes(whole[:_LENGTH], "little")
    session, number, arrays = json.loads(whole[_LENGTH:at])
    return Done(Ticket(session, number), list(_arrays(whole, at, arrays)))


def _arrays(whole: bytes, at: int, described: Sequence[tuple[str, list[int]]]):
    for dtype, shape in described:
        count = int(np.prod(shape, dtype=np.int64))
        yield np.frombuffer(whole, np.dtype(dtype), count, at).reshape(shape).copy()
        at += count * np.dtype(dtype).itemsize
