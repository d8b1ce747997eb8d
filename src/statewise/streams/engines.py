"""What steps a batch of streams: the native live step where it serves, the compiled model else.

Both take and give NumPy arrays and hold no state; both follow the model's weights, whoever changes
them. Which of the two runs a model is decided by one predicate, `live_layers`.
"""

from collections.abc import Sequence
from types import SimpleNamespace

import keras
import numpy as np
from keras.src.models.functional import Functional

from statewise import layers
from statewise._runtime.forks import check_not_forked
from statewise.layers.arithmetic import arithmetic_of, weights_of
from statewise.models.structure import recurrent_layers
from statewise.recurrence.native import Dense, available, live_step
from statewise.recurrence.native.live import cell_number

# Inputs whose squares have a smaller sum, and weights that are smaller, make no sums that overflow.
TAME, _TAME_WEIGHT = 1e36, 1e15
# The compiled model is given at most this many time steps at once.
_MOST_STEPS = 1024
# Layers that do nothing outside training.
_IDLE = (keras.layers.InputLayer, keras.layers.Dropout, keras.layers.GaussianNoise)
_RECURRENT = (layers.SimpleRNN, layers.GRU, layers.LSTM)
_ACTIVATIONS = {
    getattr(keras.activations, name): name
    for name in ("linear", "tanh", "sigmoid", "relu", "softmax")
}


class Layers:
    """Tells whether a model is still made of the layers of which it was made.

    Args:
        model: a built model.
    """

    def __init__(self, model: keras.Model):
        # A `Sequential` makes itself a new graph whenever its layers change; others can't change.
        self._graph = getattr(model, "_functional", None)
        self._holder = SimpleNamespace(_functional=None) if self._graph is None else model
        self._name = model.name

    def check(self) -> None:
        """Refuse a model that was changed.

        Raises:
            RuntimeError: if it's made of other layers now.
        """
        if self._holder._functional is not self._graph:
            raise RuntimeError(
                f"Model {self._name!r} is made of other layers now than when its streams were "
                "made, which know nothing of them. Make Streams(model) anew."
            )


class Weights(Layers):
    """Tells whether a model's weights are still those that were noted.

    Args:
        model: a built model.
    """

    def __init__(self, model: keras.Model):
        super().__init__(model)
        self._variables = list(model.weights)
        self.note(self.snapshot())

    def snapshot(self) -> list[tuple]:
        """Return the weights as they are now, to be noted once all is made of them."""
        # The variables' own attribute: asking ten of them in Keras's way takes as long as a step.
        return [(variable, variable._value) for variable in self._variables]

    def note(self, snapshot: list[tuple]) -> None:
        """Take these weights as those that are current."""
        self._noted = snapshot

    def are_current(self) -> bool:
        """Whether the weights are those that were noted.

        Raises:
            RuntimeError: if the model is made of other layers now.
        """
        if self._holder._functional is not self._graph:
            self.check()
        # JAX's arrays never change: other weights are other arrays.
        for variable, value in self._noted:  # noqa: SIM110 (a generator costs half a microsecond)
            if variable._value is not value:
                return False
        return True


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
        self._layers = Layers(model)
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
        batch, room = x.shape[0], power_of_two(x.shape[0])
        x, state = _filled(x, room), [_filled(array, room) for array in state]
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
        model: a model of which `live_layers` isn't None.
        sequences: whether its outputs have a time axis.

    Attributes:
        weights: tells whether they are still those with which `run` computes.
        run: the native step, ``(x (batch, features), state) -> (outputs, state)``.
        update: the same on rows of arrays, in place, ``(x, state, rows=...) -> outputs``.
        tame: whether the weights are finite and so small that finite states come of any inputs
            whose squares have a sum below `TAME`.
    """

    def __init__(self, model: keras.Model, sequences: bool):
        self._stack = live_layers(model)
        self._sequences = sequences
        self.weights = Weights(model)
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
        return (np.stack(outputs, axis=1) if self._sequences else outputs[-1]), list(state)

    def _load(self) -> None:
        snapshot = self.weights.snapshot()
        live = live_step([_live_layer(layer) for layer in self._stack])
        # All of it or, after an interruption, nothing; noted last, so that it's then done again.
        vars(self).update(
            run=live.step,
            update=live.update,
            tame=all(np.abs(v).max(initial=0) < _TAME_WEIGHT for _, v in snapshot),
        )
        self.weights.note(snapshot)


def engine_of(model: keras.Model, sequences: bool) -> CompiledEngine | NativeEngine:
    """Return what steps a model."""
    if live_layers(model) is not None:
        return NativeEngine(model, sequences)
    return CompiledEngine(model, sequences)


def live_layers(model: keras.Model) -> list[keras.Layer] | None:
    """Return the layers that the native live step runs for a model, or None if it doesn't serve.

    It serves a chain (a `Sequential`, or a functional model that is one) of this package's LSTM,
    GRU and SimpleRNN with tanh and sigmoid, of dense layers (in ``TimeDistributed`` or not) and
    dropout, in float32, where the extension is built.

    >>> from statewise import Sequential
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(3), layers.Dense(1)])
    >>> [layer.name for layer in live_layers(model) or []]  # doctest: +SKIP
    ['gru', 'dense']
    """
    chain = _chain(model) if available() else None
    if chain is None:
        return None
    stack = []
    for layer in chain:
        if type(layer) in (layers.TimeDistributed, keras.layers.TimeDistributed):
            layer = layer.layer
            if type(layer) is not keras.layers.Dense:
                return None
        if type(layer) in _IDLE:
            continue
        if not _serves(layer):
            return None
        stack.append(layer)
    return stack if recurrent_layers(model) == [s for s in stack if type(s) in _RECURRENT] else None


def power_of_two(count: int) -> int:
    """Return the smallest power of two that isn't below ``count``.

    >>> [power_of_two(n) for n in (1, 2, 3, 100)]
    [1, 2, 4, 128]
    """
    return 1 << (count - 1).bit_length()


def _chain(model: keras.Model) -> list[keras.Layer] | None:
    """Return the layers of a model in their order; None if they aren't one after the other."""
    if isinstance(model, keras.Sequential):
        parts = model.layers
    elif isinstance(model, Functional) and len(model.inputs) == len(model.outputs) == 1:
        parts, tensor = [], model.outputs[0]
        while tensor is not model.inputs[0]:
            layer, call, _ = tensor._keras_history
            arguments = layer._inbound_nodes[call].arguments
            # Something besides the sequence, an initial state say, makes it more than a chain.
            if layer in parts or len(arguments.args) != 1 or any(arguments.kwargs.values()):
                return None
            if len(arguments.keras_tensors) != 1:
                return None
            parts.insert(0, layer)
            tensor = arguments.keras_tensors[0]
    else:
        return None
    chain = []
    for part in parts:
        inner = _chain(part) if isinstance(part, keras.Model) else [part]
        if inner is None:
            return None
        chain += inner
    return chain


def _serves(layer: keras.Layer) -> bool:
    if layer.compute_dtype != "float32" or layer.variable_dtype != "float32":
        return False
    if type(layer) in _RECURRENT:
        cell = arithmetic_of(layer.cell)
        return not layer.go_backwards and cell is not None and cell_number(cell) is not None
    return (
        type(layer) is keras.layers.Dense
        and layer.activation in _ACTIVATIONS
        and layer.quantization_mode is None
        and not layer.lora_enabled
    )


def _live_layer(layer: keras.Layer):
    if type(layer) in _RECURRENT:
        return arithmetic_of(layer.cell), weights_of(layer.cell)
    kernel, bias = layer.kernel, layer.bias
    return Dense(
        np.asarray(kernel.value),
        None if bias is None else np.asarray(bias.value),
        _ACTIVATIONS[layer.activation],
    )


def _filled(array: np.ndarray, room: int) -> np.ndarray:
    """Return the array with zeros after its rows, up to ``room`` rows."""
    if array.shape[0] == room:
        return array
    filled = np.zeros((room, *array.shape[1:]), array.dtype)
    filled[: array.shape[0]] = array
    return filled
