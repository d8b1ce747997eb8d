"""Floor 2: Keras layers on the recurrence of floor 1.

The recurrent layers and their wrappers are this package's own; every other name is Keras's, so that
a model becomes ours by changing an import: ``from statewise import layers`` or
``from statewise.layers import LSTM, Dense``.
"""

import keras
from keras.layers import RepeatVector, StackedRNNCells

from statewise.layers.bidirectional import Bidirectional
from statewise.layers.carry import Carry
from statewise.layers.layer_norm import LayerNormLSTM, LayerNormLSTMCell
from statewise.layers.minimal import MinGRU, MinGRUCell, MinLSTM, MinLSTMCell
from statewise.layers.projected import ProjectedLSTM, ProjectedLSTMCell
from statewise.layers.rnn import (
    GRU,
    LSTM,
    RNN,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
)
from statewise.layers.time_distributed import TimeDistributed

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "Carry",
    "GRUCell",
    "LSTMCell",
    "LayerNormLSTM",
    "LayerNormLSTMCell",
    "MinGRU",
    "MinGRUCell",
    "MinLSTM",
    "MinLSTMCell",
    "ProjectedLSTM",
    "ProjectedLSTMCell",
    "RepeatVector",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "TimeDistributed",
]


def __getattr__(name: str):
    """Offer Keras's other layers under their own names."""
    if not name.startswith("_") and hasattr(keras.layers, name):
        return getattr(keras.layers, name)
    raise AttributeError(f"module 'statewise.layers' has no attribute {name!r}, nor has Keras")


def __dir__():
    return sorted({*__all__, *dir(keras.layers)})
