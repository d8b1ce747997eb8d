"""On how many threads this process computes."""

import os

# By this environment variable the kernels, and networks that are trained side by side, take fewer.
SWITCH = "STATEWISE_NUM_THREADS"


def cores() -> int:
    """Return on how many cores this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count() -> int:
    """Return on how many threads it's to compute: what the environment says, or one a core.

    >>> thread_count() > 0
    True
    """
    wish = os.environ.get(SWITCH, "").strip()
    return int(wish) if wish.isdecimal() and int(wish) > 0 else cores()
