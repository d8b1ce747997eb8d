"""What a model is made of: its recurrent layers, and which of them are stateful."""

import keras

from statewise._keras_compat import all_layers
from statewise.layers.recurrent import Recurrent


def recurrent_layers(model: keras.Model) -> list[keras.layers.RNN]:
    """Return the recurrent layers of a model, those of nested models and wrappers included.

    The order is that in which Keras lists the layers, each layer once.
    """
    return [layer for layer in all_layers(model) if isinstance(layer, Recurrent)]


def stateful_layers(model: keras.Model) -> list[keras.layers.RNN]:
    """Return the recurrent layers that were built with ``stateful=True``.

    Raises:
        TypeError: for a stateful layer of Keras's own, whose state Keras's JAX trainer loses.
    """
    for layer in all_layers(model):
        of_keras = isinstance(layer, keras.layers.RNN) and not isinstance(layer, Recurrent)
        if of_keras and layer.stateful:
            raise TypeError(
                f"Layer {layer.name!r} is Keras's own stateful {type(layer).__name__}, whose "
                "state is not carried between batches on JAX. Use "
                f"statewise.layers.{type(layer).__name__} instead: same arguments and weights."
            )
    return [layer for layer in recurrent_layers(model) if layer.stateful]


class KeptStates:
    """The states that stateful layers keep: read before a program runs, and kept after it.

    Args:
        layers: the stateful layers.
    """

    def __init__(self, layers: list[keras.layers.RNN]):
        self.layers = layers

    def begin(self, batch: int) -> list[list]:
        """Return each layer's arrays for ``batch`` samples: what it keeps, or its initial state.

        Raises:
            ValueError: where the state of another number of samples is kept.
        """
        return [_begin(layer, layer.memory.arrays(batch), batch) for layer in self.layers]

    def start_epoch(self) -> None:
        """Do nothing: what is kept goes on from epoch to epoch."""

    def end(self, states: list[list]) -> None:
        """Let the layers keep what they ended with."""
        for layer, arrays in zip(self.layers, states, strict=True):
            layer.memory.store(arrays)


class LaneStates:
    """The states of all recurrent layers while they run over lanes; the layers keep nothing.

    Args:
        layers: the recurrent layers.

    Attributes:
        carried: each layer's arrays after the last chunk; None before the first.
    """

    def __init__(self, layers: list[keras.layers.RNN]):
        self.layers = layers
        self.carried: list[list] | None = None

    def begin(self, batch: int) -> list[list]:
        """Return each layer's arrays after the last chunk; before the first the initial state."""
        if self.carried is None:
            return [_begin(layer, None, batch) for layer in self.layers]
        return self.carried

    def end(self, states: list[list]) -> None:
        """Take each layer's arrays after a chunk."""
        self.carried = states

    def start_epoch(self) -> None:
        """Begin the lanes anew."""
        self.carried = None


def _begin(layer, arrays, batch: int) -> list:
    if arrays is None:
        arrays = keras.tree.flatten(layer.get_initial_state(batch))
    dtype = layer.compute_dtype
    return [a if a.dtype == dtype else keras.ops.cast(a, dtype) for a in arrays]


def has_one_input(model: keras.Model) -> bool:
    """Whether the model takes one array, of a shape that is known."""
    return one_input_shape(model) is not None


def one_input_shape(model: keras.Model) -> tuple | None:
    """Return the shape of what the model takes, if it's one array of a known shape."""
    shape = getattr(model, "input_shape", None)
    one = isinstance(shape, tuple) and len(shape) > 1 and not isinstance(shape[0], (tuple, list))
    return shape if one else None


def is_stateful(model: keras.Model) -> bool:
    """Whether any layer of the model carries its state from call to call."""
    return bool(stateful_layers(model))


# Layers that mix time steps: one step given alone is not what they would make of it within the
# whole sequence.
_MIX_TIME_STEPS = tuple(
    getattr(keras.layers, name)
    for name in (
        "Bidirectional RepeatVector Flatten Reshape Permute Conv1D Conv1DTranspose SeparableConv1D "
        "DepthwiseConv1D MaxPooling1D AveragePooling1D GlobalMaxPooling1D GlobalAveragePooling1D "
        "UpSampling1D ZeroPadding1D Cropping1D Attention AdditiveAttention MultiHeadAttention "
        "GroupQueryAttention ConvLSTM1D ConvLSTM2D ConvLSTM3D"
    ).split()
)


def check_step_by_step(model: keras.Model) -> None:
    """Refuse a model for which one step at a time can't equal the whole sequence.

    Raises:
        ValueError: naming the layer and the reason.

    >>> from statewise import Sequential, layers
    >>> check_step_by_step(Sequential([layers.Input((5, 1)), layers.Bidirectional(layers.GRU(2))]))
    Traceback (most recent call last):
    ...
    ValueError: Layer 'bidirectional...' (Bidirectional) needs several time steps at once...
    """
    for layer in all_layers(model):
        reason = None
        if isinstance(layer, _MIX_TIME_STEPS):
            reason = "needs several time steps at once"
        elif isinstance(layer, keras.layers.RNN) and layer.go_backwards:
            reason = "begins at the last time step"
        elif isinstance(layer, keras.layers.RNN) and not isinstance(layer, Recurrent):
            reason = "is Keras's own; take the layer of the same name from statewise.layers"
        elif isinstance(layer, keras.layers.TimeDistributed) and any(
            isinstance(inner, keras.layers.RNN) for inner in all_layers(layer.layer)
        ):
            reason = "runs a recurrent layer within every time step"
        if reason:
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) {reason}, so the model can't be "
                "run one step at a time with a carried state. A forecast can show it windows "
                "instead: forecast(x, horizon, window=...)."
            )
