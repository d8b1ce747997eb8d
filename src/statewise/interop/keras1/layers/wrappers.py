"""Wrappers of layers, where old code imports them from: ``keras.layers.wrappers``."""

from statewise.interop.keras1.layers._old_modules import layers_of

_NAMES = (
    "Bidirectional",
    "TimeDistributed",
)
__all__ = list(_NAMES)
__getattr__ = layers_of("wrappers", _NAMES)
