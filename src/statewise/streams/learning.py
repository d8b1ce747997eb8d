"""One gradient step on windows of many streams, with the model's own optimizer and loss."""

from collections.abc import Sequence

import jax.numpy as jnp
import keras
import numpy as np

from statewise._runtime.forks import check_not_forked
from statewise.models.structure import recurrent_layers
from statewise.models.training.batches import Piece
from statewise.models.training.flags import Flags
from statewise.models.training.pieces import train_piece
from statewise.models.training.programs import Programs, Span
from statewise.streams.engines import power_of_two
from statewise.streams.signature import Signature
from statewise.streams.windows import Window


class Learner:
    """Trains a compiled model on windows; the states that its layers keep are left alone.

    Args:
        model: a model; it may be compiled later, or anew.
        signature: of the model.
        history: how many steps before the newest a window has at most.
    """

    def __init__(self, model: keras.Model, signature: Signature, history: int):
        self._model = model
        self._signature = signature
        self._history = history
        self._programs: Programs | None = None
        self._compiled_for = None

    def prepared(self, windows: Sequence[Window], new: int, engine) -> "GradientStep":
        """Return a gradient step on all windows together, to be taken.

        Windows of several lengths are filled up behind, with steps that don't count. A model that
        gives its last output only has one target a window, its last: there the longer windows are
        cut to the shortest one's length.

        Args:
            windows: with a target at least in each last step.
            new: how many of the steps are new, at most.
            engine: what runs over the steps that are cut off.
        """
        check_not_forked()
        if self._signature.sequences:
            piece, begin = self._sequences(windows, self._history + power_of_two(new))
        else:
            shortest = min(window.x.shape[1] for window in windows)
            piece, begin = _last_steps([w.shortened(shortest, engine) for w in windows])
        return GradientStep(self._model, self._prepared(piece), piece, begin)

    def _sequences(self, windows, time):
        """Return the windows as one batch, filled up to ``time`` steps and a power of two rows."""
        rows = sum(len(window.x) for window in windows)
        room = power_of_two(rows)
        first = windows[0]
        x = np.zeros((room, time, *first.x.shape[2:]), first.x.dtype)
        y = np.zeros((room, time, *first.y.shape[2:]), first.y.dtype)
        valid = np.zeros((room, time), bool)
        start = 0
        for window in windows:
            stop, steps = start + len(window.x), window.x.shape[1]
            x[start:stop, :steps] = window.x
            y[start:stop, :steps] = window.y
            valid[start:stop, :steps] = window.known
            start = stop
        data = ((jnp.asarray(x), jnp.asarray(y)), Flags(None, jnp.asarray(valid)))
        return Piece(0, 1, room, data, None), self._begin(windows, room)

    def _begin(self, windows, room):
        arrays = [np.concatenate(parts) for parts in zip(*(w.begin for w in windows), strict=True)]
        return [
            np.concatenate([array, np.zeros((room - len(array), *array.shape[1:]), array.dtype)])
            for array in arrays
        ]

    def _prepared(self, piece: Piece) -> Programs:
        """Return the compiled programs, for the optimizer and loss as they are now."""
        model = self._model
        if self._programs is None or self._compiled_for is not model._compile_loss:
            batch = piece.data[0] if isinstance(piece.data[1], Flags) else piece.data
            model._symbolic_build(data_batch=batch)
            self._programs = Programs(model, GivenStates(recurrent_layers(model)))
            self._compiled_for = model._compile_loss
        return self._programs


class GradientStep:
    """One gradient step, to be taken or taken back; weights and optimizer are noted before it.

    Args:
        model: compiled, with its optimizer's variables.
        programs: compiled for it.
        piece: one batch of windows.
        begin: the states with which they begin.
    """

    def __init__(self, model: keras.Model, programs: Programs, piece: Piece, begin: list):
        self._model, self._programs, self._piece, self._begin = model, programs, piece, begin
        variables = [*model.variables, *model.optimizer.variables]
        self._before = [(variable, variable.value) for variable in variables]

    def take(self) -> dict[str, float]:
        """Take the step.

        Returns:
            The loss, from before the step, and the metrics.

        Raises:
            FloatingPointError: if the loss is NaN or infinite; the step is to be taken back then.
        """
        self._programs.states.arrays = self._begin
        self._programs.reset_metrics()
        (logs,) = train_piece(self._model, self._programs, self._piece, Span(0, 1, 1))
        logs = {name: float(value) for name, value in logs.items()}
        if not np.isfinite(logs.get("loss", 0.0)):
            raise FloatingPointError(
                f"The loss is {logs['loss']}, so nothing was learned. Scale the inputs and the "
                "targets, or lower the learning rate."
            )
        return logs

    def undo(self) -> None:
        """Go back to weights and optimizer as they were; doing it again changes nothing more."""
        for variable, value in self._before:
            variable.assign(value)


class GivenStates:
    """The states with which a batch of windows begins; what they end with isn't used.

    Args:
        layers: the recurrent layers.

    Attributes:
        arrays: those of the state, layer by layer.
    """

    def __init__(self, layers: list):
        self.layers = layers
        self.arrays: list[np.ndarray] = []

    def begin(self, batch: int) -> list[list]:
        """Return each layer's arrays."""
        arrays = map(jnp.asarray, self.arrays)
        sizes = [len(keras.tree.flatten(layer.state_size)) for layer in self.layers]
        return [[next(arrays) for _ in range(size)] for size in sizes]

    def end(self, states: list[list]) -> None:
        """Do nothing: states are computed anew, with the weights after the step."""


def check_compiled(model: keras.Model) -> None:
    """Refuse a model that can't learn.

    Raises:
        ValueError: if it isn't compiled with an optimizer and a loss.
    """
    if not model.compiled or model.optimizer is None or model.loss is None:
        raise ValueError(
            f"Model {model.name!r} can't learn yet: compile it with an optimizer and a loss first."
        )


def target_shape(model: keras.Model, signature: Signature) -> tuple[int, ...]:
    """Return the shape of the target of one step: the output's, or a class's number alone."""
    loss = getattr(model, "loss", None)
    name = str(getattr(loss, "name", None) or getattr(loss, "__name__", loss))
    return signature.outputs[:-1] if "sparse" in name else signature.outputs


def ignored_class(model: keras.Model) -> int | None:
    """Return the class that a model's loss passes over, if there is one."""
    return getattr(getattr(model, "loss", None), "ignore_class", None)


def _last_steps(windows):
    """Return windows of one length as one batch with a target for the last step of each."""
    x = np.concatenate([window.x for window in windows])
    y = np.concatenate([window.y[:, -1] for window in windows])
    begin = [np.concatenate(parts) for parts in zip(*(w.begin for w in windows), strict=True)]
    return Piece(0, 1, len(x), (jnp.asarray(x), jnp.asarray(y)), None), begin
