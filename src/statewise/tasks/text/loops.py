"""Closed loops over tokens: one is drawn from the scores, and is the next input.

Two run them, to the same text but for rounding: the native live step, a step at a time from Python,
and a program compiled by XLA, some steps in a call. `loop_of` chooses.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise import layers
from statewise.layers.arithmetic import arithmetic_of, weights_of
from statewise.models import Model
from statewise.recurrence.native import Dense, available, live_step
from statewise.tasks.text.drawing import Drawing
from statewise.tasks.text.network import TiedScores, TokenEmbedding
from statewise.tasks.text.passing import Passes

STEPS = 16  # tokens that are drawn in a call


class Loop(Protocol):
    """What draws the tokens after some prompts."""

    def begin(self, prompts: Sequence[np.ndarray]) -> None:
        """Warm up over the prompts, a row of a batch for each."""

    def draw(self, drawing: Drawing, uniform: np.ndarray) -> np.ndarray:
        """Draw the next tokens: ``(batch, STEPS)``, by as many numbers from 0 to below 1."""


class NativeLoop:
    """Runs the native live step.

    Args:
        table: the embedding, ``(tokens + 1, features)``.
        stack: the other layers, as `live_step` takes them.
    """

    def __init__(self, table: np.ndarray, stack: list):
        self._table = table
        self._live = live_step(stack)
        self._state: list[np.ndarray] = []
        self._scores = np.zeros((0, 0), np.float32)

    def begin(self, prompts: Sequence[np.ndarray]) -> None:
        """Warm up: all rows that aren't at their end go on together."""
        live, table = self._live, self._table
        self._state = [np.zeros((len(prompts), n), np.float32) for n in live.state_units]
        self._scores = np.zeros((len(prompts), live.outputs), np.float32)
        lengths = np.array([len(prompt) for prompt in prompts])
        for step in range(int(lengths.max()) + 1):
            rows = np.flatnonzero(lengths >= step)
            mark = len(table) - 1
            given = [prompts[row][step - 1] if step else mark for row in rows.tolist()]
            self._scores[rows] = live.update(table[given], self._state, rows=rows)

    def draw(self, drawing: Drawing, uniform: np.ndarray) -> np.ndarray:
        """Draw and step, in turn."""
        drawn = np.empty((len(uniform), STEPS), np.int32)
        for step in range(STEPS):
            drawn[:, step] = drawing(self._scores, uniform[:, step])
            self._scores = self._live.update(self._table[drawn[:, step]], self._state)
        return drawn


class CompiledLoop:
    """Runs the model, draws included, as one program for so many steps.

    Args:
        passes: what runs it.
    """

    def __init__(self, passes: Passes):
        self._passes = passes
        self._program = jax.jit(self._loop, static_argnames="drawing")

    def begin(self, prompts: Sequence[np.ndarray]) -> None:
        """Warm up over all prompts beside each other."""
        self._scores, self._states = self._passes.scores_and_states(prompts)

    def draw(self, drawing: Drawing, uniform: np.ndarray) -> np.ndarray:
        """Draw and step, in turn, in one call."""
        rows = len(self._scores)
        filled = np.zeros((rows, STEPS), np.float32)
        filled[: len(uniform)] = uniform
        drawn, self._scores, self._states = self._program(
            self._passes.values(), self._scores, self._states, filled, drawing=drawing
        )
        return np.asarray(drawn)[: len(uniform)]

    def _loop(self, values, scores, states, uniform, *, drawing):
        def step(carried, u):
            scores, states = carried
            token = drawing(scores, u, jnp)
            scores, states = self._passes.run(values, token[:, None], states)
            return (scores[:, -1], states), token

        carried, drawn = jax.lax.scan(step, (scores, states), uniform.T)
        return drawn.T, *carried


def loop_of(model: Model, passes: Passes) -> Loop:
    """Return what runs closed loops of a model: the native live step where it serves."""
    stack = _stack(model) if available() else None
    return CompiledLoop(passes) if stack is None else NativeLoop(*stack)


def _stack(model: Model) -> tuple[np.ndarray, list] | None:
    """Return the embedding, and the other layers as the native step takes them, if it does."""
    table: np.ndarray | None = None
    stack: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, TokenEmbedding):
            table = np.asarray(layer.embeddings.value)
        elif isinstance(layer, (layers.LSTM, layers.GRU, layers.SimpleRNN)):
            stack.append((arithmetic_of(layer.cell), weights_of(layer.cell)))
        elif isinstance(layer, TiedScores):
            kernel = np.asarray(layer.tokens.embeddings.value)[:-1].T
            stack.append(Dense(np.ascontiguousarray(kernel), np.asarray(layer.bias.value)))
        elif isinstance(layer, keras.layers.Dense):
            stack.append(Dense(np.asarray(layer.kernel.value), np.asarray(layer.bias.value)))
        elif not isinstance(layer, (keras.layers.InputLayer, keras.layers.SpatialDropout1D)):
            return None
    return None if table is None else (table, stack)
