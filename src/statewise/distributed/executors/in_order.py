"""Results in the order of their tasks, with a bounded number of tasks under way."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from statewise.distributed.executors.protocol import Result, Task
from statewise.distributed.executors.worker import Answer, given_back

_AHEAD = 2  # tasks of each worker: one that it does, and one that waits for it


class Crew(Protocol):
    """Workers that tasks are handed to."""

    def begin(self, number: int, task: Any) -> None:
        """Hand over a task."""

    def wait(self) -> list[tuple[int, Answer]]:
        """Wait until some tasks are done, one at least; return their numbers and answers.

        Raises:
            WorkerLostError: where a task can't be done.
            Exception: what a task raised.
        """

    def dismiss(self) -> None:
        """Let them go, also where tasks are still under way."""


class Crewed:
    """An executor whose tasks a crew does, one for each run.

    Attributes:
        workers: how many tasks are under way at a time.
    """

    workers: int

    def _crew(self, function: Callable[[Any, Any], Any], shared: Any) -> Crew:
        """Return who does the tasks of a run."""
        raise NotImplementedError

    def run(
        self,
        function: Callable[[Any, Task], Result],
        tasks: Iterable[Task],
        shared: Any = None,
        *,
        finished: Callable[[int], None] | None = None,
    ) -> Iterator[Result]:
        """Yield what the function gives for each task; see `Executor.run`."""
        crew = self._crew(function, shared)
        try:
            yield from in_order(crew, tasks, self.workers, finished)
        finally:
            crew.dismiss()


def in_order(
    crew: Crew,
    tasks: Iterable[Any],
    workers: int,
    finished: Callable[[int], None] | None,
) -> Iterator[Any]:
    """Yield the results of tasks in their order, each once.

    A task is begun when fewer than two for each worker are unfinished or wait for their turn to be
    given: so what is in memory is bounded, however many tasks there are.

    Args:
        crew: does them.
        tasks: any number.
        workers: of the crew.
        finished: called with the number of tasks that are done.
    """
    coming, number = iter(tasks), 0
    expected: deque[int] = deque()  # begun, not given yet
    answers: dict[int, Answer] = {}
    done = 0
    exhausted = False
    while True:
        while not exhausted and len(expected) < _AHEAD * workers:
            try:
                task = next(coming)
            except StopIteration:
                exhausted = True
                break
            crew.begin(number, task)
            expected.append(number)
            number += 1
        if not expected:
            return
        while expected[0] not in answers:
            for which, answer in crew.wait():
                answers[which] = answer
                done += 1
                if finished is not None:
                    finished(done)
        yield given_back(answers.pop(expected.popleft()))
