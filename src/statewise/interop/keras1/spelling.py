"""How an old spelling is told from today's, warned of once, and turned into it."""

import warnings
from collections.abc import Mapping
from typing import Any

from statewise._callers import level_of_caller

_warned: set[str] = set()


class OldSpellingWarning(FutureWarning):
    """An old spelling was used; the message names today's.

    Each spelling is named once in a program, where it is used first.
    """


def warn_once(old: str, today: str) -> None:
    """Warn that ``old`` is an old spelling, at the line of whoever calls this package.

    Args:
        old: the old spelling, as in ``nb_epoch=``; it is named once in a program.
        today: what to write instead.
    """
    if old in _warned:
        return
    message = f"{old} is an old spelling. Today: {today}."
    warnings.warn(message, OldSpellingWarning, stacklevel=level_of_caller("keras"))
    _warned.add(old)  # not before: where warnings are errors, it would be said to nobody


def rename(arguments: dict[str, Any], names: Mapping[str, str], owner: str) -> dict[str, Any]:
    """Return keyword arguments under today's names.

    Args:
        arguments: keyword arguments as they came.
        names: from the old names to today's.
        owner: whose arguments they are, for the error.

    Raises:
        TypeError: where an argument comes under both names.

    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", OldSpellingWarning)
    ...     rename({"nb_epoch": 3, "verbose": 0}, {"nb_epoch": "epochs"}, "fit")
    {'epochs': 3, 'verbose': 0}
    """
    renamed = {}
    for name, value in arguments.items():
        today = names.get(name, name)
        if today != name:
            if today in arguments:
                raise TypeError(
                    f"{owner} got both {today} and its old spelling {name}: give only {today}."
                )
            warn_once(f"{name}=", f"{today}=")
        renamed[today] = value
    return renamed


class OldName(type):
    """The metaclass of today's classes under their old names.

    Calling such a class makes an object of today's class, from old or new arguments, so that
    nothing downstream (a saved file, a look at a type) ever sees the old one. A class derived from
    it is made as itself, from the same arguments.

    A class with this metaclass defines ``today``, the class itself, and the class method
    ``_make(construct, args, kwargs)``, which calls ``construct`` with today's arguments.
    """

    def __call__(cls, *args, **kwargs):
        """Make an object from old or new arguments."""
        is_the_name_itself = "today" in vars(cls)
        construct = cls.today if is_the_name_itself else super().__call__
        return cls._make(construct, args, kwargs)

    def __instancecheck__(cls, instance):
        if "today" in vars(cls):
            return isinstance(instance, cls.today)
        return super().__instancecheck__(instance)
