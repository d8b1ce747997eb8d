"""Which steps of a batch begin a sequence, and which count: known to everything that runs on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from jax import Array


class Flags(NamedTuple):
    """What the lanes say of each step of a batch.

    Attributes:
        resets: bool ``(batch, time)``, True where a new sequence begins; None for nowhere.
        valid: bool ``(batch, time)``, False where there is nothing (at a lane's very end); None
            where every step counts.
    """

    resets: Array | None = None
    valid: Array | None = None


_current: ContextVar[Flags] = ContextVar("flags", default=Flags())  # noqa: B039 (immutable)


def current_flags() -> Flags:
    """Return the flags of the batch that is being run."""
    return _current.get()


@contextmanager
def flagged(flags: Flags) -> Iterator[None]:
    """Let the flags be known while a batch is run."""
    token = _current.set(flags)
    try:
        yield
    finally:
        _current.reset(token)
