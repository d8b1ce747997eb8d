"""What steps a batch of streams: the native live step where it serves, the compiled model else.

Both take and give NumPy arrays and hold no state; both follow the model's weights, whoever changes
them. Which of the two runs a model is decided by one predicate, `live_layers`.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from statewise._runtime.forks import check_not_forked
from statewise.models.structure import recurrent_layers
from statewise.recurrence.native import live_step
from statewise.streams.live_layers import live_layer, live_layers
from statewise.streams.model_watch import LayersWatch, WeightsWatch

# Inputs whose squares have a smaller sum, and weights that are smaller, make no sums that overflow.
TAME, _TAME_WEIGHT = 1e36, 1e15
# The compiled model is given at most this many time steps at once.
_MOST_STEPS = 1024


class CompiledEngine:
    """Steps any model, as a program compiled by XLA.

    The batch is filled up to a power of two, and many time steps are cut into powers of two, so
    that a handful of programs serves every push.

    Args:
        model: a built model that can be run step by step.
        sequences: whether its outputs have a time axis.
    """

    def __init__(self, model: keras.Model, sequences: bool):
        self._model = model
        self._layers = LayersWatch(model)
        self._sequences = sequences
        found = recurrent_layers(model)
        self._sizes = [len(keras.tree.flatten(layer.get_initial_state(1))) for layer in found]
        self._program = model._step_program()  # shared by all that step this model

    def step(self, x: np.ndarray, state: Sequence[np.ndarray]):
        """Run over time steps: ``(outputs, state)``.

        Args:
            x: ``(batch, time, features)``.
            state: for each array of the state ``(batch, ...)``.

        Returns:
            Outputs ``(batch, time, outputs)``, or ``(batch, outputs)`` where the model gives the
            last only; and the state after the last step. New arrays.
        """
        check_not_forked()
        self._layers.check()
        batch, capacity = x.shape[0], power_of_two(x.shape[0])
        x, state = _filled(x, capacity), [_filled(array, capacity) for array in state]
        model = self._model
        values = (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )
        nested, parts, start = self._nested(state), [], 0
        while start < x.shape[1]:
            stop = start + min(_MOST_STEPS, 1 << ((x.shape[1] - start).bit_length() - 1))
            outputs, nested = self._program(values, x[:, start:stop], nested)
            parts.append(np.array(outputs)[:batch])
            start = stop
        outputs = np.concatenate(parts, axis=1) if self._sequences else parts[-1]
        return outputs, [np.asarray(array)[:batch] for arrays in nested for array in arrays]

    def _nested(self, arrays):
        arrays = iter(arrays)
        return [[next(arrays) for _ in range(size)] for size in self._sizes]


class NativeEngine:
    """Steps a stack of recurrent and dense layers without JAX, microseconds a step.

    Args:
        model: a model that the native step serves.
        stack: its `live_layers`.
        sequences: whether its outputs have a time axis.

    Attributes:
        weights: tells whether they are still those with which `run` computes.
        run: the native step, ``(x (batch, features), state) -> (outputs, state)``.
        update: the same on rows of arrays, in place, ``(x, state, rows=...) -> outputs``.
        tame: whether the weights are finite and so small that finite states come of any inputs
            whose squares have a sum below `TAME`.
    """

    run: Callable
    update: Callable
    tame: bool

    def __init__(self, model: keras.Model, stack: list[keras.Layer], sequences: bool):
        self._stack = stack
        self._sequences = sequences
        self.weights = WeightsWatch(model)
        self._load()

    def refresh(self) -> None:
        """Take the model's weights as they are now."""
        if not self.weights.are_current():
            self._load()

    def step(self, x: np.ndarray, state: Sequence[np.ndarray]):
        """Run over time steps, see `CompiledEngine.step`."""
        self.refresh()
        outputs = []
        for t in range(x.shape[1]):
            y, state = self.run(np.ascontiguousarray(x[:, t]), state)
            outputs.append(y)
        if not self._sequences:
            return outputs[-1], list(state)
        return (y[:, None] if len(outputs) == 1 else np.stack(outputs, axis=1)), list(state)

    def _load(self) -> None:
        snapshot = self.weights.snapshot()
        live = live_step([live_layer(layer) for layer in self._stack])
        # All of it or, after an interruption, nothing; noted last, so that it's then done again.
        vars(self).update(
            run=live.step,
            update=live.update,
            tame=all(np.abs(v).max(initial=0) < _TAME_WEIGHT for _, v in snapshot),
        )
        self.weights.note(snapshot)


Engine = CompiledEngine | NativeEngine


def engine_of(model: keras.Model, sequences: bool) -> Engine:
    """Return what steps a model."""
    stack = live_layers(model)
    if stack is not None:
        return NativeEngine(model, stack, sequences)
    return CompiledEngine(model, sequences)


def power_of_two(count: int) -> int:
    """Return the smallest power of two that isn't below ``count``.

    >>> [power_of_two(n) for n in (1, 2, 3, 100)]
    [1, 2, 4, 128]
    """
    return 1 << (count - 1).bit_length()


def _filled(array: np.ndarray, capacity: int) -> np.ndarray:
    """Return the array with zeros after its rows, up to ``capacity`` rows."""
    if array.shape[0] == capacity:
        return array
    filled = np.zeros((capacity, *array.shape[1:]), array.dtype)
    filled[: array.shape[0]] = array
    return filled
