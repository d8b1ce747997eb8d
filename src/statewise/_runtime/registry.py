"""Keras finds the classes of this package by the names in its files, imported or not.

A saved model says ``statewise>Sequential``, and Keras's loaders look that up among the classes that
were registered, which ours are when their modules are imported. ``import statewise`` imports none
of them, so the look-up does: Keras's registry is exchanged for one that imports what registers a
name of ours when it is asked for it.
"""

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

# The one name of Keras's insides outside of `statewise._keras_compat`, which imports Keras; this
# module waits for it.
_REGISTRY = "keras.src.saving.object_registration"
_PREFIX = "statewise>"
# What registers classes, in the order in which it is likely to be asked for.
_MODULES = ("statewise.models", "statewise.tasks")


class _Registered(dict):
    """Keras's classes by name; one of this package is imported when it is looked up."""

    def __contains__(self, name) -> bool:
        return super().__contains__(name) or self._imported(name)

    def __missing__(self, name):
        if self._imported(name):
            return super().__getitem__(name)
        raise KeyError(name)

    def get(self, name, default=None):
        """Return the class of that name, or the default."""
        return super().get(name, default) if name in self else default

    def _imported(self, name) -> bool:
        if not (isinstance(name, str) and name.startswith(_PREFIX)):
            return False
        for module in _MODULES:
            import_module(module)
            if super().__contains__(name):
                return True
        return False


class _Finder(MetaPathFinder, Loader):
    """Waits for Keras's registry to be imported, to exchange it."""

    _loader: Loader

    def find_spec(self, fullname, path, target=None) -> ModuleSpec | None:
        """Find the registry's module as the other finders do, and run it in our way."""
        if fullname != _REGISTRY:
            return None
        sys.meta_path.remove(self)
        found = (finder.find_spec(fullname, path, target) for finder in sys.meta_path)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec):
        """Leave that to the loader that was found."""
        return self._loader.create_module(spec)

    def exec_module(self, module) -> None:
        """Run the module, and exchange its registry."""
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _exchange(module)


def _exchange(module) -> None:
    if type(module.GLOBAL_CUSTOM_OBJECTS) is dict:
        module.GLOBAL_CUSTOM_OBJECTS = _Registered(module.GLOBAL_CUSTOM_OBJECTS)


def make_known_to_keras() -> None:
    """Let Keras's loaders find the classes of this package, before or after Keras is imported."""
    if _REGISTRY in sys.modules:
        _exchange(sys.modules[_REGISTRY])
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
