"""A process that was forked after JAX had computed something: told so, instead of hanging.

JAX computes on threads, which don't come along when a process forks, and locks that they held stay
shut for ever: whatever is computed in the child waits without an end. Nothing mends that from
outside JAX. So it is noticed at the fork, and what would compute asks here first.
"""

import os
import sys
from collections.abc import Callable

_computed = False  # whether JAX had computed something when this process was forked, or an ancestor


def check_not_forked() -> None:
    """Refuse to compute in a process in which that would never end.

    Raises:
        RuntimeError: in a process forked from one in which JAX had computed something.
    """
    if _computed:
        raise RuntimeError(
            "This process was forked from one in which JAX had computed something. JAX's threads "
            "don't come along, so a computation here would never end. Start workers that begin "
            "anew, by multiprocessing.get_context('spawn') or get_context('forkserver') (joblib's "
            "own way, loky, does so), and give them the model, which can be pickled, or let them "
            "load it; or fork before anything is computed."
        )


class Unusable:
    """Stands for what was unpickled in such a process: whatever is asked of it says so."""

    def __getattr__(self, name: str):
        if name.startswith("__"):  # what Python itself looks for
            raise AttributeError(name)
        check_not_forked()

    def __call__(self, *args, **kwargs):
        """Say what can't be done."""
        check_not_forked()


def unpickled(make: Callable, *args):
    """Return ``make(*args)``; what stands for it where that would never end.

    An error while a worker of a pool unpickles its task would be no answer: the pool waits for one
    without an end. So the error comes when the task is done.
    """
    return Unusable() if _computed else make(*args)


def _before_fork() -> None:
    global _at_fork
    bridge = sys.modules.get("jax._src.xla_bridge")
    # What JAX has opened to compute with. If it's called otherwise one day: as if there were some.
    _at_fork = bridge is not None and bool(getattr(bridge, "_backends", True))


def _after_fork() -> None:
    global _computed
    _computed = _computed or _at_fork


_at_fork = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
