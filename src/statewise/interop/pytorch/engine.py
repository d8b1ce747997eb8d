"""PyTorch itself, loaded when it's first needed, and no earlier."""

from importlib import import_module
from types import ModuleType


def load_torch() -> ModuleType:
    """Return PyTorch.

    Raises:
        ImportError: saying how to install it, where it isn't there.
    """
    try:
        return import_module("torch")
    except ImportError as error:
        raise ImportError(
            "PyTorch isn't installed, and reading or making its modules needs it: "
            "python3 -m pip install 'statewise[torch]'."
        ) from error
