"""Floor 4: code and files of other libraries, and of other times.

`load` reads models from the files of any Keras (`keras_files`), `accelerate` exchanges the
recurrent layers of a stock model, `pytorch` turns modules into models and back, `onnx` writes
models for other runtimes, `cpp` their live step as a C++ header; `keras1` runs code that was
written for Keras 1 and 2. How the formats lay out the weights of recurrent layers stands in
`weights`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors; at run time see __getattr__
    from statewise.interop import cpp, keras1, onnx, pytorch, weights
    from statewise.interop.accelerating import accelerate
    from statewise.interop.cpp import export_cpp
    from statewise.interop.keras_files import FileWarning, load
    from statewise.interop.onnx import export_onnx
    from statewise.interop.pytorch import from_torch, load_torch_weights, to_torch

_NAMES = {
    "FileWarning": "keras_files",
    "accelerate": "accelerating",
    "export_cpp": "cpp",
    "export_onnx": "onnx",
    "from_torch": "pytorch",
    "load": "keras_files",
    "load_torch_weights": "pytorch",
    "to_torch": "pytorch",
}
__all__ = [
    "FileWarning",
    "accelerate",
    "cpp",
    "export_cpp",
    "export_onnx",
    "from_torch",
    "keras1",
    "load",
    "load_torch_weights",
    "onnx",
    "pytorch",
    "to_torch",
    "weights",
]


def __getattr__(name: str):
    """Load a part on first use (PEP 562)."""
    if name in _NAMES:
        return getattr(import_module(f"statewise.interop.{_NAMES[name]}"), name)
    if name in __all__:
        return import_module(f"statewise.interop.{name}")
    raise AttributeError(f"module 'statewise.interop' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
