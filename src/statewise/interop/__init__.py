"""Floor 4: code and files of other libraries, and of other times."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors; at run time see __getattr__
    from statewise.interop import keras1, onnx, pytorch
    from statewise.interop.onnx import export_onnx
    from statewise.interop.pytorch import from_torch, load_torch_weights, to_torch

_PARTS = ("keras1", "onnx", "pytorch")
_NAMES = {
    "export_onnx": "onnx",
    "from_torch": "pytorch",
    "load_torch_weights": "pytorch",
    "to_torch": "pytorch",
}
__all__ = [
    "export_onnx",
    "from_torch",
    "keras1",
    "load_torch_weights",
    "onnx",
    "pytorch",
    "to_torch",
]


def __getattr__(name: str):
    """Load a part on first use (PEP 562)."""
    if name in _PARTS:
        return import_module(f"statewise.interop.{name}")
    if name in _NAMES:
        return getattr(import_module(f"statewise.interop.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'statewise.interop' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
