"""Live state by key: series that are still arriving, each with a state of its own.

`Streams` steps whichever keys have something new, and keeps every key's state in memory or in a
file that survives being killed; `StateStore` is that file. Names load when they are first used:
the store needs NumPy only.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statewise.streams.store import StateStore
    from statewise.streams.stream import Stream
    from statewise.streams.streams import Streams

_NAMES = {"StateStore": "store", "Stream": "stream", "Streams": "streams"}

__all__ = ["StateStore", "Stream", "Streams"]


def __getattr__(name: str):
    """Load a public name on first use (PEP 562)."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
