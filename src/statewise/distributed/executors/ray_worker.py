"""What runs in a worker of Ray: what tasks share is fetched once."""

from typing import Any

import ray

from statewise.distributed.executors.worker import Answer, perform

_kept: dict[Any, Any] = {}  # by reference; of the last run alone


def done(reference: Any, work: bytes) -> Answer:
    """Do a task.

    Args:
        reference: Ray's, to what is shared.
        work: a function of what is shared and the task, and the task, pickled.
    """
    function, task = ray.cloudpickle.loads(work)
    return perform(function, shared_by(reference), task)


def shared_by(reference: Any) -> Any:
    """Return what a reference stands for, fetched when it is first asked for."""
    if reference not in _kept:
        _kept.clear()
        _kept[reference] = ray.get(reference)
    return _kept[reference]
