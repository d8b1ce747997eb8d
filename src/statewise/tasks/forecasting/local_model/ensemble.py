"""Many small networks side by side in one model, so that one compiled program trains them all.

Network k reads feature k of the input and writes feature k of the output, through units of its
own. Inside, the recurrent layer is as wide as all networks together, and its weight matrices are
block-diagonal: no network sees another's units. The blocks are drawn as a network alone would
draw them, and a constraint keeps what lies outside of them at zero while training. The loss is the
mean over the networks, so each one's gradient is the one it would have alone, up to a factor that
Adam doesn't see.
"""

from typing import Any

import keras
import numpy as np

from statewise import layers
from statewise.models import Sequential
from statewise.recurrence import CELLS
from statewise.tasks.forecasting.initial_weights import glorot_uniform, orthogonal

_LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
LEARNING_RATE = 0.005

_register = keras.saving.register_keras_serializable(package="statewise")


def side_by_side(cell: str, *, networks: int, units: int, seed: int = 0) -> Sequential:
    """Return a compiled model of ``networks`` networks for next-step training.

    Each network is a recurrent layer of ``units`` units and a dense layer with one output. The
    loss is the mean squared error, the optimizer Adam.

    Args:
        cell: "lstm", "gru" or "rnn".
        networks: how many.
        units: units of each.
        seed: of the initial weights. Networks of one model differ.

    Returns:
        A model (batch, time, networks) -> (batch, time, networks).

    Raises:
        ValueError: for another cell, or counts below 1.

    >>> model = side_by_side("gru", networks=3, units=2)
    >>> model.forecast(np.ones((1, 5, 3)), horizon=4).shape
    (1, 4, 3)
    """
    if cell not in CELLS:
        raise ValueError(f"cell={cell!r}: it must be one of {', '.join(CELLS)}.")
    if networks < 1 or units < 1:
        raise ValueError(f"networks={networks}, units={units}: both must be at least 1.")
    layer, gates = _LAYERS[cell], len(CELLS[cell].gates)
    drawn = iter(np.random.SeedSequence(seed).generate_state(3).tolist())
    blocks = BlockDiagonal(networks, gates)
    model = Sequential(
        [
            layers.Input((None, networks)),
            layer(
                networks * units,
                return_sequences=True,
                kernel_initializer=Blocks("glorot_uniform", networks, gates, next(drawn)),
                recurrent_initializer=Blocks("orthogonal", networks, gates, next(drawn)),
                kernel_constraint=blocks,
                recurrent_constraint=blocks,
            ),
            layers.Dense(
                networks,
                kernel_initializer=Blocks("glorot_uniform", networks, 1, next(drawn)),
                kernel_constraint=BlockDiagonal(networks, 1),
            ),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(LEARNING_RATE))
    return model


@_register
class Blocks(keras.initializers.Initializer):
    """Draws a block-diagonal matrix, each block as a network alone would draw it.

    Args:
        kind: "glorot_uniform" or "orthogonal".
        networks: the number of blocks.
        gates: how many matrices stand one beside the other in the columns.
        seed: of the draws; NumPy makes them, so they are the same everywhere.
    """

    def __init__(self, kind: str, networks: int, gates: int, seed: int):
        self.kind, self.networks, self.gates, self.seed = kind, networks, gates, seed

    def __call__(self, shape, dtype=None):
        """Return the matrix (rows, gates * columns) of all networks."""
        draw = {"glorot_uniform": glorot_uniform, "orthogonal": orthogonal}[self.kind]
        rows, columns = shape[0] // self.networks, shape[1] // self.networks
        matrix = np.zeros((self.networks, rows, self.gates, self.networks, columns // self.gates))
        rng = np.random.default_rng(self.seed)
        for k in range(self.networks):
            matrix[k, :, :, k] = draw(rng, rows, columns).reshape(rows, self.gates, -1)
        return keras.ops.convert_to_tensor(matrix.reshape(shape), dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {
            "kind": self.kind,
            "networks": self.networks,
            "gates": self.gates,
            "seed": self.seed,
        }


@_register
class BlockDiagonal(keras.constraints.Constraint):
    """Sets to zero what lies outside of the blocks.

    Args:
        networks: the number of blocks.
        gates: how many matrices stand one beside the other in the columns.
    """

    def __init__(self, networks: int, gates: int):
        self.networks, self.gates = networks, gates

    def __call__(self, w):
        """Return the matrix with zeros outside of the blocks."""
        rows, columns = w.shape[0] // self.networks, w.shape[1] // self.networks // self.gates
        block = np.kron(np.eye(self.networks), np.ones((rows, columns)))
        mask = np.tile(block, (1, self.gates))
        return w * keras.ops.convert_to_tensor(mask, w.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"networks": self.networks, "gates": self.gates}
