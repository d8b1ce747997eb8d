"""Floor 4: code and files of other libraries, and of other times."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors; at run time see __getattr__
    from statewise.interop import keras1

__all__ = ["keras1"]


def __getattr__(name: str):
    """Load a part on first use (PEP 562)."""
    if name in __all__:
        return import_module(f"statewise.interop.{name}")
    raise AttributeError(f"module 'statewise.interop' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
