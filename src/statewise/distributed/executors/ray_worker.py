"""What runs in a worker of Ray: what tasks share is fetched once."""

from importlib import import_module
from typing import Any

from statewise.distributed.executors.worker import Answer, perform

_kept: dict[Any, Any] = {}  # by reference; of the last run alone


def _ray() -> Any:
    """Return Ray, which is where this runs; elsewhere nothing but this module is imported."""
    return import_module("ray")


def done(reference: Any, work: bytes) -> Answer:
    """Do a task.

    Args:
        reference: Ray's, to what is shared.
        work: a function of what is shared and the task, and the task, pickled.
    """
    function, task = _ray().cloudpickle.loads(work)
    return perform(function, shared_by(reference), task)


def shared_by(reference: Any) -> Any:
    """Return what a reference stands for, fetched when it is first asked for."""
    if reference not in _kept:
        _kept.clear()
        _kept[reference] = _ray().get(reference)
    return _kept[reference]
