"""What a backend is: one predicate that says which calls it serves, and what runs them."""

from collections.abc import Callable
from typing import NamedTuple

from jax import Array

from statewise.recurrence.layout import CellState, DropoutMasks

NO_DROPOUT = DropoutMasks()


class Result(NamedTuple):
    """What running a cell over a sequence gives.

    Attributes:
        outputs: ``(batch, time, units)``, in the order in which the steps were processed (with
            ``go_backwards`` the last time step comes first); None where they weren't asked for.
        last: ``(batch, units)``, the output of the step processed last.
        state: the state after the step processed last, every array ``(batch, units)``.
    """

    outputs: Array | None
    last: Array
    state: CellState


class Backend(NamedTuple):
    """Something that can run a recurrence.

    A new one is a module beside this one that ends with its ``BACKEND``, named in
    `statewise.recurrence.call.BACKENDS`. It is held to the reference by the tests of
    ``tests/recurrence/backends``.

    Attributes:
        name: what it is called.
        why_not: ``(cell, x, state, weights, *, dropout) -> reason``, part of a sentence; None where
            the backend serves the call. It looks at types, shapes and dtypes alone, since it is
            asked while programs are traced.
        run: takes what `statewise.recurrence.scan` takes, and gives a `Result`. What it raises is
            raised: nothing else is tried in its place.
        passed_over: told the reason where the call goes to another backend.
    """

    name: str
    why_not: Callable[..., str | None]
    run: Callable[..., Result]
    passed_over: Callable[[str], None] = lambda reason: None
