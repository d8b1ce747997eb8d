"""What an executor is: it does one function for many tasks, each once in what it gives."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkerLostError(RuntimeError):
    """A task whose workers died, again and again.

    >>> raise WorkerLostError("task 3: ...")
    Traceback (most recent call last):
    ...
    statewise.distributed.executors.protocol.WorkerLostError: task 3: ...
    """


class Executor(Protocol):
    """Does one function for many tasks, somewhere.

    Each task is once in what comes back, in the order of the tasks, also where a worker dies while
    it is at one: then another worker does that again. A function that raises ends all of it with
    its exception; nothing else is begun after that.

    Attributes:
        workers: how many tasks are done at a time.

    >>> from statewise.distributed import OneProcess
    >>> def twice(shared, task):
    ...     return shared * task
    >>> list(OneProcess().run(twice, [1, 2, 3], 2))
    [2, 4, 6]
    """

    workers: int

    def run(
        self,
        function: Callable[[Any, Task], Result],
        tasks: Iterable[Task],
        shared: Any = None,
        *,
        finished: Callable[[int], None] | None = None,
    ) -> Iterator[Result]:
        """Yield ``function(shared, task)`` of each task, in their order.

        Tasks are taken from where they come as they are needed, a few for each worker, so those of
        a generator needn't be in memory together.

        Args:
            function: of a module that workers can import; what it returns must be picklable.
            tasks: any number, picklable.
            shared: what all tasks are given, sent to each worker once.
            finished: called with the number of tasks that are done, as they are.

        Raises:
            WorkerLostError: where a task's workers died as often as it was tried.
            RuntimeError: where a worker has another version of statewise.
            Exception: what the function raised.
        """
