"""What a backend is: one predicate that says which calls it serves, and what runs them."""

from collections.abc import Callable
from typing import NamedTuple

from statewise.recurrence.call import Call, Result


class Backend(NamedTuple):
    """Something that can run a recurrence.

    A new one is a module beside this one that ends with its ``BACKEND``, named in
    `statewise.recurrence.choice.BACKENDS`. It is held to the reference by the tests of
    ``tests/recurrence/backends``.

    Attributes:
        name: what it is called.
        why_not: says why it doesn't serve a call, as part of a sentence; None where it does. It
            looks at types, shapes and dtypes alone, since it is asked while programs are traced.
        run: runs a call. What it raises is raised: nothing else is tried in its place.
        passed_over: told the reason where the call goes to another backend.
        device: the kind of device on which alone it is asked (see `statewise._runtime.device`);
            None for any.
    """

    name: str
    why_not: Callable[[Call], str | None]
    run: Callable[[Call], Result]
    passed_over: Callable[[str], None] = lambda reason: None
    device: str | None = None
