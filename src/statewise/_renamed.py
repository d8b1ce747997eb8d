"""Names that have changed: the old ones work for a release, and say so."""

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])


def say_renamed(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that a name has changed, at the line that uses it.

    Args:
        old: the name that was used.
        new: what to write instead.
        stacklevel: how far up that line is; 3 is whoever called the caller.
    """
    message = f"{old} is now called {new}; the old name goes with the next release"
    warnings.warn(message, FutureWarning, stacklevel=stacklevel)


def renamed_value(
    argument: str, value: Any, names: Mapping[str, str], *, stacklevel: int = 4
) -> Any:
    """Return what an argument says today, and warn where it says so in an old word.

    Args:
        argument: its name.
        value: what was given.
        names: the new word by the old one.
        stacklevel: how far up the line is that says so; 4 is whoever called the caller.

    >>> renamed_value("missing", "carry", {"refuse": "raise"})
    'carry'
    """
    if not (isinstance(value, str) and value in names):
        return value
    say_renamed(f"{argument}={value!r}", f"{argument}={names[value]!r}", stacklevel=stacklevel)
    return names[value]


def renamed_arguments(**names: str) -> Callable[[_Function], _Function]:
    """Let a function take keyword arguments by their old names too.

    Args:
        names: the new name by the old one.

    Raises:
        TypeError: when the function is given an argument under both names.

    >>> @renamed_arguments(look_back="lookback")
    ... def f(lookback):
    ...     return lookback
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", FutureWarning)
    ...     f(look_back=3)
    3
    """

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for old in names.keys() & kwargs.keys():
                new = names[old]
                if new in kwargs:
                    raise TypeError(
                        f"{function.__qualname__} got {old}= and {new}=, which are two names of "
                        f"one argument: give {new} alone"
                    )
                say_renamed(f"{old}=", f"{new}=")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate
