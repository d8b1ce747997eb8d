"""Recurrent layers, where old code imports them from: ``keras.layers.recurrent``."""

from statewise.interop.keras1.layers._old_modules import layers_of

_NAMES = (
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "RNN",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
)
__all__ = list(_NAMES)
__getattr__ = layers_of("recurrent", _NAMES)
