"""Simple layers, where old code imports them from: ``keras.layers.core``."""

from statewise.interop.keras1.layers._old_modules import layers_of

_NAMES = (
    "Activation",
    "ActivityRegularization",
    "Dense",
    "Dropout",
    "Flatten",
    "Lambda",
    "Masking",
    "Permute",
    "RepeatVector",
    "Reshape",
    "SpatialDropout1D",
)
__all__ = list(_NAMES)
__getattr__ = layers_of("core", _NAMES)
