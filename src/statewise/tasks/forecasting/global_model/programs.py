"""What the compiled programs of a global network share: options, memory, and threads to run in.

A small network's update is many short pieces of work that follow each other, too short for two
processors to share. Two networks that train at the same time keep both busy: on two cores three of
them take twice as long as one, not three times.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax
import numpy as np

from statewise._runtime.threads import thread_count

Result = TypeVar("Result")

# Without XLA's newer way to emit fused loops these programs compile in half the time, and run a
# fifth faster.
COMPILED = {"xla_cpu_use_fusion_emitters": False}
# Two networks at least train side by side (see `in_threads`), and share the processors.
THREADS = max(1, thread_count() // 2)
_SHAPES = 24  # of panels and their windows, that a program is kept compiled for


class Program:
    """A function that is compiled once for each shape of what it's given, whatever threads call it.

    Threads that call a new program of JAX's at the same time compile it once each. Here the first
    one does, and others wait for it.

    Args:
        function: pure, of trees of arrays.
        options: for the compiler.
        constants: how many of its first arguments are no arrays but part of the program, hashable.

    >>> double = Program(lambda x: 2 * x, COMPILED)
    >>> float(double(np.float32(4)))
    8.0
    """

    def __init__(self, function: Callable, options: dict[str, Any], *, constants: int = 0):
        self._constants = constants
        self._run: Any = jax.jit(
            function, static_argnums=tuple(range(constants)), compiler_options=options
        )
        self._compiled: set[tuple] = set()
        self._compiling = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function returns; on a processor it may still be computing."""
        constant, given = arguments[: self._constants], arguments[self._constants :]
        leaves, tree = jax.tree.flatten(given)
        shapes = tuple((np.shape(leaf), getattr(leaf, "dtype", type(leaf))) for leaf in leaves)
        kind = constant, tree, shapes
        if kind in self._compiled:
            return self._run(*arguments)
        with self._compiling:
            if len(self._compiled) >= _SHAPES:  # what was compiled holds memory
                self._run.clear_cache()
                self._compiled.clear()
            result = self._run(*arguments)
            self._compiled.add(kind)
        return result


def in_threads(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Return the results of all calls, in their order; wait for all of them.

    They run side by side, the system sharing the cores out among them; in a process that is to
    compute on one thread, as a worker among others is, one after the other.

    An exception of any call is raised, the first call's first.

    >>> in_threads([lambda: 1, lambda: 2])
    [1, 2]
    """
    if len(calls) < 2 or thread_count() < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
