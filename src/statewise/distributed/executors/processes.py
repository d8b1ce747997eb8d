"""The executor of several processes on one machine."""

import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from statewise._runtime.threads import cores
from statewise.distributed.executors.in_order import Crew, Crewed
from statewise.distributed.executors.protocol import WorkerLostError
from statewise.distributed.executors.worker import Answer, limit_threads, perform
from statewise.sequences.arrays import check_count

_given: Any = None  # what all tasks share, in a worker
_RETRIES = 3


class Processes(Crewed):
    """Does tasks in processes of this machine, each begun anew; see `Executor`.

    A process that dies, of a want of memory or by ``kill -9``, costs time: Python's pool of
    processes gives up with it, so all of them begin anew, and what was under way is done again.
    What was done stays.

    The program that uses it must say ``if __name__ == "__main__":`` before it begins, for the
    processes import it (see `multiprocessing`).

    Args:
        workers: how many; None for one on each core.
        threads: on how many each of them computes; None for its share of the cores.
        retries: how often in a row processes may die without a task done in between.

    Raises:
        TypeError, ValueError: where an argument is no whole number from 1 on.

    >>> Processes(2)
    Processes(2)
    >>> Processes(0)
    Traceback (most recent call last):
    ...
    ValueError: workers must be at least 1, but is 0...
    """

    def __init__(
        self, workers: int | None = None, *, threads: int | None = None, retries: int = _RETRIES
    ):
        self.workers = cores() if workers is None else check_count(workers, "workers")
        share = max(1, cores() // self.workers)
        self.threads = share if threads is None else check_count(threads, "threads")
        self._retries = check_count(retries, "retries", 0)

    def _crew(self, function: Callable[[Any, Any], Any], shared: Any) -> Crew:
        return _Crew(function, shared, self.workers, self.threads, self._retries)

    def __repr__(self) -> str:
        return f"Processes({self.workers})"


class _Crew:
    """A pool of processes, begun anew where one of them dies."""

    def __init__(self, function: Callable, shared: Any, workers: int, threads: int, retries: int):
        self._function, self._workers, self._retries = function, workers, retries
        self._threads = threads
        self._shared = pickle.dumps(shared)  # once, for all workers and all pools
        self._tasks: dict[int, Any] = {}
        self._futures: dict[Future, int] = {}
        self._deaths = 0  # in a row, without a task done in between
        self._pool = self._opened()

    def begin(self, number: int, task: Any) -> None:
        """Hand over a task."""
        self._tasks[number] = task
        self._submit(number)

    def wait(self) -> list[tuple[int, Answer]]:
        """Return what is done; see `Crew.wait`."""
        while True:
            ready, _ = wait(self._futures, return_when=FIRST_COMPLETED)
            answers, broken = [], False
            for future in ready:
                if isinstance(future.exception(), BrokenProcessPool):
                    broken = True
                    continue
                number = self._futures.pop(future)
                answers.append((number, future.result()))
                del self._tasks[number]
            self._deaths = 0 if answers else self._deaths
            if broken:
                self._begin_anew()
            if answers:
                return answers

    def dismiss(self) -> None:
        """End all processes; what they are at is of no use any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, number: int) -> None:
        try:
            future = self._pool.submit(_do, self._function, self._tasks[number])
        except BrokenProcessPool as error:  # noticed here first; `wait` begins anew
            future = Future()
            future.set_exception(error)
        self._futures[future] = number

    def _begin_anew(self) -> None:
        """Hand all that isn't done to new processes."""
        self.dismiss()
        self._deaths += 1
        numbers = sorted(self._tasks)
        if self._deaths > self._retries:
            shown = ", ".join(str(number) for number in numbers[: self._workers])
            raise WorkerLostError(
                f"Processes died {self._deaths} times in a row while they were at the tasks "
                f"{shown} (counted from 0), and did none. Look for a want of memory: fewer workers "
                'take less. In a program, what begins processes stands under if __name__ == "'
                '__main__".'
            )
        self._futures.clear()
        self._pool = self._opened()
        for number in numbers:
            self._submit(number)

    def _opened(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers,
            # A process forked from one in which JAX has computed can't compute.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self._shared, self._threads),
        )


def _begin(shared: bytes, threads: int) -> None:
    global _given
    limit_threads(threads)  # before what is shared brings the engine along
    _given = pickle.loads(shared)


def _do(function: Callable, task: Any) -> Answer:
    return perform(function, _given, task)
