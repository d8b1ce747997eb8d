"""Whose line a warning is about: that of whoever called this package."""

import sys


def level_of_caller(*ours: str) -> int:
    """Return the ``stacklevel`` by which a warning of the calling function names the user's line.

    Args:
        ours: packages whose frames are passed over, besides this one.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     warnings.warn("here", stacklevel=level_of_caller())
    >>> len(told)
    1
    """
    level, frame = 1, sys._getframe(1)
    packages = {"statewise", *ours}
    while (
        frame.f_back is not None
        and frame.f_globals.get("__name__", "").partition(".")[0] in packages
    ):
        level, frame = level + 1, frame.f_back
    return level
