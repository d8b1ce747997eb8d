"""The executor that needs nothing: one task after the other, in this process."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from statewise.distributed.executors.protocol import Result, Task


class OneProcess:
    """Does one task after the other in this process; see `Executor`.

    Attributes:
        workers: 1.

    >>> OneProcess().workers
    1
    """

    workers = 1

    def run(
        self,
        function: Callable[[Any, Task], Result],
        tasks: Iterable[Task],
        shared: Any = None,
        *,
        finished: Callable[[int], None] | None = None,
    ) -> Iterator[Result]:
        """Yield what the function gives for each task; see `Executor.run`."""
        for done, task in enumerate(tasks, 1):
            result = function(shared, task)
            if finished is not None:
                finished(done)
            yield result

    def __repr__(self) -> str:
        return "OneProcess()"
