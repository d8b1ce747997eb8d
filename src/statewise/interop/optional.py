"""Packages that only some formats need, loaded when they are first needed, and no earlier."""

from importlib import import_module
from types import ModuleType


def load_optional(package: str, purpose: str) -> ModuleType:
    """Return a package that is an extra of the same name.

    Args:
        package: its name.
        purpose: what needs it, as the subject of a sentence.

    Raises:
        ImportError: saying how to install it, where it isn't there.

    >>> load_optional("json", "an example").__name__
    'json'
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(
            f"{package} isn't installed, and {purpose} needs it: "
            f"python3 -m pip install 'statewise[{package}]'."
        ) from error
