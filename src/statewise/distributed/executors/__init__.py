"""`Executor`: where work is done that falls into tasks: here, in processes, or on Ray.

`OneProcess` does it in this process, `Processes` in several of this machine, `Ray` (the extra
``statewise[ray]``) on a cluster. All give the same results in the same order.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statewise.distributed.executors.on_ray import Ray
    from statewise.distributed.executors.one_process import OneProcess
    from statewise.distributed.executors.processes import Processes
    from statewise.distributed.executors.protocol import Executor, WorkerLostError

_NAMES = {
    "Executor": "protocol",
    "OneProcess": "one_process",
    "Processes": "processes",
    "Ray": "on_ray",
    "WorkerLostError": "protocol",
}

__all__ = ["Executor", "OneProcess", "Processes", "Ray", "WorkerLostError"]


def __getattr__(name: str):
    """Load a public name on first use (PEP 562)."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
