"""The embedding layer, where old code imports it from: ``keras.layers.embeddings``."""

from statewise.interop.keras1.layers._old_modules import layers_of

_NAMES = ("Embedding",)
__all__ = list(_NAMES)
__getattr__ = layers_of("embeddings", _NAMES)
