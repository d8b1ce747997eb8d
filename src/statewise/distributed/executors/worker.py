"""What a worker does with a task, and what comes back of it."""

import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from statewise._callers import level_of_caller
from statewise._runtime import threads
from statewise._version import __version__


class Answer(NamedTuple):
    """What a task gave.

    Attributes:
        result: of its function.
        warned: the warnings that were given meanwhile, as pairs of category and text.
    """

    result: Any
    warned: tuple[tuple[type[Warning], str], ...] = ()


def perform(function: Callable[[Any, Any], Any], shared: Any, task: Any) -> Answer:
    """Do a task in a worker; what it warns of goes along, for nobody reads a worker's stderr."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        result = function(shared, task)
    told = {(one.category, str(one.message)): None for one in caught if _is_ours(one)}
    return Answer(result, tuple(told))


def given_back(answer: Answer) -> Any:
    """Return a task's result, its warnings given here.

    >>> given_back(Answer(3))
    3
    """
    for category, text in answer.warned:
        warnings.warn(text, category, stacklevel=level_of_caller())
    return answer.result


def limit_threads(most: int) -> None:
    """Let this process compute on so many threads; before it has begun to compute.

    Workers that each take all cores only wait for one another.
    """
    os.environ.update(thread_limits(most))


def thread_limits(most: int) -> dict[str, str]:
    """Return the environment in which a process computes on so many threads.

    >>> thread_limits(2)["STATEWISE_NUM_THREADS"]
    '2'
    """
    # NPROC is what XLA's pool of threads goes by; the other is our kernels'.
    return {"NPROC": str(most), threads.SWITCH: str(most)}


def version() -> str:
    """Return the version that a worker must have to do tasks of this process."""
    return __version__


def _is_ours(warning: warnings.WarningMessage) -> bool:
    """Whether a warning tells the user of their data, and isn't a library's about itself."""
    return issubclass(warning.category, (UserWarning, RuntimeWarning))
