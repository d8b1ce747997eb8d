"""What writes a model in other formats: on a floor above the models, loaded when asked for."""

from collections.abc import Callable
from importlib import import_module

# By the format, and by how names of its files end: the folder that has it, the function.
_EXPORTERS = {
    "onnx": ("statewise.interop", "export_onnx"),
    "cpp": ("statewise.interop", "export_cpp"),
}
_ENDINGS = {".onnx": "onnx", ".hpp": "cpp", ".h": "cpp"}


def format_of(path: str) -> str | None:
    """Return the format that a file's name speaks of; None for any other.

    >>> format_of("tank.onnx"), format_of("a/folder")
    ('onnx', None)
    """
    return next((f for ending, f in _ENDINGS.items() if path.lower().endswith(ending)), None)


def exporter(format: str | None) -> Callable | None:
    """Return the function that writes a format, ``(model, path, **options)``; None for others."""
    if format not in _EXPORTERS:
        return None
    folder, name = _EXPORTERS[format]
    return getattr(import_module(folder), name)
