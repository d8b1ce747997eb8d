"""The network of a text: tokens, recurrent layers, a score for each token that may come next."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from statewise import layers
from statewise.models import Model
from statewise.recurrence import CELLS
from statewise.tasks.forecasting.initial_weights import glorot_uniform, orthogonal
from statewise.tasks.text.weight_drop import LAYERS as WEIGHT_DROP

_PLAIN: dict[str, Any] = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
_SEEDS = 1 << 31  # that Keras's layers take
_register = keras.saving.register_keras_serializable(package="statewise")


@dataclass(frozen=True)
class Plan:
    """What a network is made of.

    Attributes:
        tokens: how many there are; the mark of a document's begin is one more, as an input alone.
        embedding: numbers that a token becomes.
        cell: "lstm", "gru" or "rnn".
        units: of each recurrent layer.
        layers: recurrent layers.
        dropout: of what goes into each recurrent layer but the first, and comes out of the last:
            the same values for all steps of a batch.
        weight_drop: of the recurrent weights.
        tied: whether the tokens' numbers are the weights of their scores too.
        layer_norm: whether what comes out of each recurrent layer is normalised.
        seed: of all that is drawn.
    """

    tokens: int
    embedding: int
    cell: str
    units: int
    layers: int
    dropout: float
    weight_drop: float
    tied: bool
    layer_norm: bool
    seed: int

    @property
    def weights(self) -> int:
        """How many weights the network has in its matrices, at least."""
        wide, size, total = len(CELLS[self.cell].gates) * self.units, self.embedding, 0
        for _ in range(self.layers):
            total += wide * (size + self.units)
            size = self.units
        total += (self.tokens + 1) * self.embedding
        return total + (0 if self.tied else self.tokens * self.units)


@_register
class TokenEmbedding(keras.layers.Embedding):
    """Numbers of tokens ``(batch, time, 1)``, as in lanes, to ``(batch, time, features)``."""

    def call(self, inputs):
        """Look the tokens up."""
        return super().call(inputs[..., 0])

    def compute_output_shape(self, input_shape):
        """Return ``(batch, time, features)``."""
        return (*input_shape[:-1], self.output_dim)


@_register
class TiedScores(keras.layers.Layer):
    """Scores of tokens by their own embeddings: ``x E^T + b``.

    Reference: Press and Wolf, "Using the output embedding to improve language models" (EACL 2017).

    Args:
        tokens: the embedding; its last row is that of the mark, which has no score.
    """

    def __init__(self, tokens: TokenEmbedding, **options):
        super().__init__(**options)
        self.tokens = tokens

    def build(self, input_shape):
        """Create the bias."""
        shape = (self.tokens.input_dim - 1,)
        self.bias = self.add_weight(shape=shape, initializer="zeros", name="bias")

    def call(self, inputs):
        """Return ``(batch, time, tokens)``."""
        kernel = ops.transpose(ops.convert_to_tensor(self.tokens.embeddings)[:-1])
        return ops.matmul(inputs, kernel) + self.bias

    def compute_output_shape(self, input_shape):
        """Return ``(batch, time, tokens)``."""
        return (*input_shape[:-1], self.tokens.input_dim - 1)


def network(plan: Plan) -> Model:
    """Return the model of a plan, its weights drawn by NumPy from the plan's seed.

    It takes numbers of tokens ``(batch, time, 1)`` and gives scores ``(batch, time, tokens)``,
    whose softmax are the probabilities of the next token.

    >>> plan = Plan(9, 4, "gru", 5, 2, 0.1, 0.2, True, True, 0)
    >>> network(plan).output_shape
    (None, None, 9)
    """
    given = layers.Input((None, 1), dtype="int32")
    tokens = TokenEmbedding(
        plan.tokens + 1, plan.embedding, embeddings_initializer="zeros", name="tokens"
    )
    x = tokens(given)
    for number in range(plan.layers):
        kind = WEIGHT_DROP[plan.cell] if plan.weight_drop else _PLAIN[plan.cell]
        x = kind(
            plan.units,
            return_sequences=True,
            dropout=plan.dropout if number else 0.0,
            seed=(plan.seed + number) % _SEEDS,
            kernel_initializer="zeros",
            recurrent_initializer="zeros",
            name=f"{plan.cell}_{number + 1}",
            **({"weight_drop": plan.weight_drop} if plan.weight_drop else {}),
        )(x)
        if plan.layer_norm:
            x = layers.LayerNormalization(name=f"norm_{number + 1}")(x)
    if plan.dropout:  # of whole features, for all steps alike
        x = layers.SpatialDropout1D(plan.dropout, seed=plan.seed % _SEEDS, name="dropout")(x)
    if plan.tied:
        if plan.units != plan.embedding:
            x = layers.Dense(plan.embedding, kernel_initializer="zeros", name="projection")(x)
        scores = TiedScores(tokens, name="scores")(x)
    else:
        scores = layers.Dense(plan.tokens, kernel_initializer="zeros", name="scores")(x)
    model = Model(given, scores)
    _draw(model, plan.seed, plan.tied)
    return model


def _draw(model: Model, seed: int, tied: bool) -> None:
    """Give all matrices their first values; Keras would compile a program for each shape."""
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        if len(variable.shape) != 2 or variable.name == "bias":
            continue  # biases, scales and shifts begin as Keras lets them
        rows, columns = variable.shape
        if variable.name == "embeddings":
            scale = columns**-0.5 if tied else 1.0  # as scores' weights they're to be small
            values = rng.normal(0, scale, (rows, columns))
        elif variable.name == "recurrent_kernel":
            values = orthogonal(rng, rows, columns)
        else:
            values = glorot_uniform(rng, rows, columns)
        variable.assign(values.astype(np.float32))
