"""Closed loops over tokens: one is drawn from the scores, and is the next input.

Two run them, to the same text but for rounding: the native live step, a step at a time from Python,
and a program compiled by XLA, some steps in a call. `loop_of` chooses.
"""

from collections.abc import Sequence
from dataclasses import replace
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
    """What draws the tokens after some prompts; several texts may be written in turn."""

    def begin(self, prompts: Sequence[np.ndarray]) -> Any:
        """Warm up over the prompts, a row of a batch for each; return the scores and the state."""

    def draw(self, carried: Any, drawing: Drawing, uniform: np.ndarray) -> tuple[np.ndarray, Any]:
        """Draw the next tokens, ``(batch, STEPS)``.

        Args:
            carried: the scores and the state, which aren't to be used again.
            drawing: how tokens are drawn.
            uniform: numbers from 0 to below 1, ``(batch, STEPS)``.

        Returns:
            The tokens, and what is carried on.
        """


class NativeLoop:
    """Runs the native live step.

    Args:
        table: the embedding, ``(tokens + 1, features)``.
        stack: the other layers, as `live_step` takes them.
        never: the token that is never drawn, or None.
    """

    def __init__(self, table: np.ndarray, stack: list, never: int | None):
        self._table = table
        if never is not None:
            scores = stack.pop()
            bias = scores.bias.copy()
            bias[never] = -np.inf
            stack.append(scores._replace(bias=bias))
        self._live = live_step(stack)

    def begin(self, prompts: Sequence[np.ndarray]) -> Any:
        """Warm up: all rows that aren't at their end go on together."""
        live, table = self._live, self._table
        state = [np.zeros((len(prompts), n), np.float32) for n in live.state_units]
        scores = np.zeros((len(prompts), live.outputs), np.float32)
        lengths = np.array([len(prompt) for prompt in prompts])
        for step in range(int(lengths.max()) + 1):
            rows = np.flatnonzero(lengths >= step)
            mark = len(table) - 1
            given = [prompts[row][step - 1] if step else mark for row in rows.tolist()]
            scores[rows] = live.update(table[given], state, rows=rows)
        return scores, state

    def draw(self, carried: Any, drawing: Drawing, uniform: np.ndarray) -> tuple[np.ndarray, Any]:
        """Draw and step, in turn."""
        drawing = replace(drawing, never=None)  # its score is infinitely low
        scores, state = carried
        drawn = np.empty((len(uniform), STEPS), np.int32)
        for step in range(STEPS):
            drawn[:, step] = drawing(scores, uniform[:, step])
            scores = self._live.update(self._table[drawn[:, step]], state)
        return drawn, (scores, state)


class CompiledLoop:
    """Runs the model, draws included, as one program for so many steps.

    Args:
        passes: what runs it.
    """

    def __init__(self, passes: Passes):
        self._passes = passes
        self._program = jax.jit(self._loop, static_argnames="drawing")

    def begin(self, prompts: Sequence[np.ndarray]) -> Any:
        """Warm up over all prompts beside each other."""
        return self._passes.scores_and_states(prompts)

    def draw(self, carried: Any, drawing: Drawing, uniform: np.ndarray) -> tuple[np.ndarray, Any]:
        """Draw and step, in turn, in one call."""
        filled = np.zeros((len(carried[0]), STEPS), np.float32)
        filled[: len(uniform)] = uniform
        drawn, carried = self._program(self._passes.values(), carried, filled, drawing=drawing)
        return np.asarray(drawn)[: len(uniform)], carried

    def _loop(self, values, carried, uniform, *, drawing):
        def step(carried, u):
            scores, states = carried
            token = drawing(scores, u, jnp)
            scores, states = self._passes.run(values, token[:, None], states)
            return (scores[:, -1], states), token

        carried, drawn = jax.lax.scan(step, carried, uniform.T)
        return drawn.T, carried


def loop_of(model: Model, passes: Passes, never: int | None) -> Loop:
    """Return what runs closed loops of a model: the native live step where it serves."""
    stack = _stack(model) if available() else None
    return CompiledLoop(passes) if stack is None else NativeLoop(*stack, never)


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
