"""To ONNX: a model as a graph of ONNX's own operators, with its states on request."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors; at run time see __getattr__
    from statewise.interop.onnx.exporting import export_onnx

__all__ = ["export_onnx"]


def __getattr__(name: str):
    """Load a function on first use (PEP 562)."""
    if name in __all__:
        return getattr(import_module(f"{__name__}.exporting"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
