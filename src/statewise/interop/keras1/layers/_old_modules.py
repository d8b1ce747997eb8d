"""What the modules have in common from which old code imports layers."""

from statewise.interop.keras1.layers._old_layers import old_layer
from statewise.interop.keras1.spelling import warn_once


def layers_of(module: str, names: tuple[str, ...]):
    """Return the ``__getattr__`` of an old module of layers.

    Args:
        module: the module's name, as in ``embeddings``.
        names: the layers that old code imports from it.
    """

    def __getattr__(name: str):  # noqa: N807
        if name not in names:
            raise AttributeError(f"module '{__package__}.{module}' has no {name!r}")
        warn_once(f"keras.layers.{module}", "keras.layers")
        return old_layer(name)

    return __getattr__
