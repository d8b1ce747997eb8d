"""From PyTorch and to it: modules, and files of their weights."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors; at run time see __getattr__
    from statewise.interop.pytorch.modules import to_torch
    from statewise.interop.pytorch.reading import from_torch
    from statewise.interop.pytorch.state_dicts import load_torch_weights

_NAMES = {"from_torch": "reading", "load_torch_weights": "state_dicts", "to_torch": "modules"}
__all__ = ["from_torch", "load_torch_weights", "to_torch"]


def __getattr__(name: str):
    """Load a function on first use (PEP 562)."""
    if name in _NAMES:
        return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
