"""How many threads a native call may take."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_threads: ContextVar[int] = ContextVar("threads", default=0)


@contextmanager
def native_threads(most: int) -> Iterator[None]:
    """Let each native call of what is traced within take at most so many threads; 0 for all.

    For programs that run side by side: they keep all processors busy between them, and calls that
    each want all only wait for one another.

    >>> import jax, jax.numpy as jnp
    >>> from statewise.recurrence import SimpleRNN, Weights, native, native_threads, run
    >>> cell, weights = SimpleRNN(), Weights(jnp.ones((1, 4)), jnp.ones((4, 4)))
    >>> def outputs(x):
    ...     return run(cell, x, cell.initial_state(2, 4, x.dtype), weights).outputs
    >>> with native_threads(1):
    ...     program = jax.jit(outputs).lower(jnp.ones((2, 3, 1))).as_text()
    >>> "threads = 1 : i32" in program or not native.available()
    True
    """
    token = _threads.set(most)
    try:
        yield
    finally:
        _threads.reset(token)


def threads_wanted() -> int:
    """Return how many threads a call that is traced now may take at most; 0 for all.

    >>> threads_wanted()
    0
    """
    return _threads.get()
