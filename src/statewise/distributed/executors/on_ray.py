"""The executor of a Ray cluster, or of a local Ray."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from statewise.distributed.executors.in_order import Crew, Crewed
from statewise.distributed.executors.protocol import WorkerLostError
from statewise.distributed.executors.worker import Answer, thread_limits, version
from statewise.distributed.ray_cluster import connect, imported, refused_version
from statewise.sequences.arrays import check_count


class Ray(Crewed):
    """Does tasks as Ray's tasks, on all nodes of a cluster; see `Executor`.

    A worker or a node that dies costs its tasks' time: Ray does them again elsewhere.

    Needs ``pip install 'statewise[ray]'`` here and on the cluster, of one version.

    Args:
        address: of a cluster, as ``ray.init`` takes it: "host:port", "ray://host:port", "auto" for
            the one that this machine belongs to, "local" to start one here. None takes the one
            that this process is connected to, or else is "local".
        workers: how many tasks at a time; None for one on each of the cluster's cores.
        retries: how often a task is done again whose worker died.

    Raises:
        ImportError: where Ray isn't installed.
        ConnectionError: where no cluster is at the address; it takes 10 seconds at most.
        TypeError, ValueError: where an argument makes no sense.

    >>> Ray(workers=0)
    Traceback (most recent call last):
    ...
    ValueError: workers must be at least 1, but is 0...
    """

    def __init__(self, address: str | None = None, *, workers: int | None = None, retries: int = 3):
        if workers is not None:
            check_count(workers, "workers")
        self._retries = check_count(retries, "retries", 0)
        ray = connect(address)
        cores = int(ray.cluster_resources().get("CPU", 1))
        self.workers = max(1, cores) if workers is None else workers

    def _crew(self, function: Callable[[Any, Any], Any], shared: Any) -> Crew:
        return _Crew(function, shared, self.workers, self._retries)

    def __repr__(self) -> str:
        return f"Ray(workers={self.workers})"


class _Crew:
    """Ray's workers, which Ray begins anew where they die."""

    def __init__(self, function: Callable, shared: Any, workers: int, retries: int):
        self._ray, self._workers, self._retries = imported(), workers, retries
        self._function = function
        # In a list Ray hands on the reference: so a worker fetches what is shared once, not with
        # each task.
        self._shared = [self._ray.put(shared)]
        self._remote = self._ray.remote(_task()).options(
            max_retries=retries, num_cpus=1, runtime_env={"env_vars": thread_limits(1)}
        )
        self._tasks: dict[Any, int] = {}
        self._next: deque[tuple[int, bytes]] = deque()

    def begin(self, number: int, task: Any) -> None:
        """Hand over a task, or keep it until fewer than `workers` are under way.

        A cluster with more cores would do what waits at the same time.
        """
        # As bytes, which a worker opens once it knows that it has this version.
        self._next.append((number, self._ray.cloudpickle.dumps((self._function, task))))
        self._submit()

    def wait(self) -> list[tuple[int, Answer]]:
        """Return what is done; see `Crew.wait`."""
        ready, _ = self._ray.wait(list(self._tasks), num_returns=1)
        numbers = [self._tasks.pop(reference) for reference in ready]
        self._submit()
        return [
            (number, self._fetched(reference))
            for number, reference in zip(numbers, ready, strict=True)
        ]

    def _submit(self) -> None:
        while self._next and len(self._tasks) < self._workers:
            number, work = self._next.popleft()
            self._tasks[self._remote.remote(version(), self._shared, work)] = number

    def dismiss(self) -> None:
        """Call off what isn't done."""
        self._next.clear()
        if not self._tasks:
            return
        ready, others = self._ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=0)
        for reference in others:
            self._ray.cancel(reference, force=True)
        for reference in ready:  # an error that nobody asks for is logged
            with suppress(Exception):
                self._ray.get(reference)
        self._tasks.clear()

    def _fetched(self, reference: Any) -> Answer:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            raise _cause(error) from None
        except (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.NodeDiedError) as error:
            raise WorkerLostError(
                f"A task's workers died {self._retries + 1} times while they were at it, so it "
                f"can't be done. Look for a want of memory. Ray says: {error!s:.300}"
            ) from None


def _cause(error: Any) -> BaseException:
    """Return what a task raised, and not what Ray made of it."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, BaseException) else error


def _task() -> Callable:
    """Return what a worker runs, as a function that Ray sends along.

    It is no function of a module: a worker with an older statewise, or none, hasn't that module,
    and is to say so in words.
    """
    words = refused_version()

    def statewise_task(wanted: str, shared: list, work: bytes) -> Any:
        try:
            from statewise._version import __version__ as have
        except ImportError:
            have = "none"
        if have != wanted:
            raise RuntimeError(words.format(have=have, wanted=wanted))
        from statewise.distributed.executors.ray_worker import done

        return done(shared[0], work)

    return statewise_task
