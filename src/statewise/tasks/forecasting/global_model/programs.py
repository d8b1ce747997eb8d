"""What the compiled programs of a global network share: options, memory, and threads to run in.

A small network's update is many short pieces of work that follow each other, too short for two
processors to share. Two networks that train at the same time keep both busy: on two cores three of
them take twice as long as one, not three times.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")

# Without XLA's newer way to emit fused loops these programs compile in half the time, and run a
# fifth faster.
COMPILED = {"xla_cpu_use_fusion_emitters": False}
# Two networks at least train side by side (see `in_threads`), and share the processors.
THREADS = max(1, (os.cpu_count() or 1) // 2)
_SHAPES = 24  # of panels and their windows, that a program is kept compiled for


def forget_some(program: Any) -> None:
    """Forget what a program was compiled for, once that's many panels: it holds memory."""
    if program._cache_size() > _SHAPES:
        program.clear_cache()


def in_threads(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Return the results of all calls, in their order; wait for all of them.

    An exception of any call is raised, the first call's first.

    >>> in_threads([lambda: 1, lambda: 2])
    [1, 2]
    """
    if len(calls) < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
