"""What `learn` does: one gradient step on the last steps of many streams, taken wholly or not.

The model's own optimizer and loss are used, and the states that its layers keep are left alone.
"""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import keras
import numpy as np

from statewise._keras_compat import build_symbolically, compiled_loss
from statewise._runtime.forks import check_not_forked
from statewise.models.structure import KeptStates, recurrent_layers
from statewise.models.training.flags import Flags
from statewise.models.training.piece import Piece
from statewise.models.training.piece_runs import train_piece
from statewise.models.training.programs import Programs, Span
from statewise.streams.arrivals import Batch, batches_of
from statewise.streams.engines import power_of_two
from statewise.streams.history import RecentSteps
from statewise.streams.keyed_states import Update
from statewise.streams.keys import by_plain_key
from statewise.streams.runner import Runner
from statewise.streams.targets import check_compiled, checked_targets, ignored_class


class OnlineTrainer:
    """Trains a compiled model on what has just arrived and on the history before it.

    Args:
        model: a model; it may be compiled later, or anew.
        runner: what runs the model for these streams.
        missing: what a step with NaN in it does, see `batches_of`.
    """

    def __init__(self, model: keras.Model, runner: Runner, missing: str):
        self._model, self._runner, self._missing = model, runner, missing
        self._signature, self._history = runner.signature, runner.history
        self._programs: tuple[Programs, GivenStates] | None = None
        self._compiled_for: object = None

    def learn(self, pairs: Mapping) -> dict[str, float]:
        """Take one step, see `Streams.learn`: weights and states change together, or neither do."""
        check_compiled(self._model)
        if not isinstance(pairs, Mapping) or not all(
            isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs.values()
        ):
            raise TypeError("learn takes a mapping {key: (x, y)}.")
        pairs = by_plain_key(pairs)
        targets = {key: y for key, (_, y) in pairs.items()}
        inputs = {key: x for key, (x, _) in pairs.items()}
        batches = batches_of(inputs, self._signature, self._missing)
        updates, parts = self._extended(batches, targets)
        states = self._runner.states
        if not any(parts):
            states.replace(updates)
            return {}
        new = max(batch.x.shape[1] for batch in batches)
        step = self._prepared([part for part in parts if part], new)
        change = states.planned(updates, undo=step.undo)
        try:
            states.table.change = change
            logs = step.take()
            for (keys, rows), part in zip(updates, parts, strict=True):
                if part:
                    rows |= self._runner.recomputed(part)
                    self._runner.check_finite(keys, rows)
            states.carry_out(change, updates)
        finally:
            states.table.settle()  # takes the weights back where it came to nothing
        return logs

    def _extended(
        self, batches: Sequence[Batch], targets: Mapping
    ) -> tuple[list[Update], list[RecentSteps | None]]:
        """Return the rows of the keys, and the steps to learn from: None where there are none.

        The streams of a part are those of the update at its place.
        """
        updates: list[Update] = []
        parts: list[RecentSteps | None] = []
        for batch in batches:
            rows = self._runner.rows(batch.keys)
            rows["steps"] += len(batch.seen)
            y, known = checked_targets(
                batch, targets, self._signature, self._history.target, ignored_class(self._model)
            )
            for which, recent in self._history.extended(rows, batch.x, y, known):
                some = {name: array[which] for name, array in rows.items()}
                updates.append(([batch.keys[i] for i in which], some))
                parts.append(recent if batch.x.shape[1] else None)
        return updates, parts

    def _prepared(self, parts: Sequence[RecentSteps], new: int) -> "GradientStep":
        """Return a gradient step on all of them together, to be taken.

        Parts of several lengths are filled up behind, with steps that don't count. A model that
        gives its last output only has one target a part, its last: there the longer ones are cut
        to the shortest one's length.

        Args:
            parts: with a target at least in each last step.
            new: how many of the steps are new, at most.
        """
        check_not_forked()
        if self._signature.sequences:
            piece, begin = self._sequences(parts, self._history.steps + power_of_two(new))
        else:
            shortest = min(part.x.shape[1] for part in parts)
            engine = self._runner.engine
            piece, begin = _last_steps([part.shortened(shortest, engine) for part in parts])
        programs, states = self._compiled(piece)
        states.arrays = begin
        return GradientStep(self._model, programs, piece)

    def _sequences(self, parts: Sequence[RecentSteps], time: int) -> tuple[Piece, list[np.ndarray]]:
        """Return the steps as one batch, filled up to ``time`` steps and a power of two rows."""
        rows = sum(len(part.x) for part in parts)
        capacity = power_of_two(rows)
        first = parts[0]
        x = np.zeros((capacity, time, *first.x.shape[2:]), first.x.dtype)
        y = np.zeros((capacity, time, *first.y.shape[2:]), first.y.dtype)
        valid = np.zeros((capacity, time), bool)
        start = 0
        for part in parts:
            stop, steps = start + len(part.x), part.x.shape[1]
            x[start:stop, :steps] = part.x
            y[start:stop, :steps] = part.y
            valid[start:stop, :steps] = part.known
            start = stop
        data = ((jnp.asarray(x), jnp.asarray(y)), Flags(None, jnp.asarray(valid)))
        more = capacity - rows
        begin = [
            np.concatenate([*arrays, np.zeros((more, *arrays[0].shape[1:]), arrays[0].dtype)])
            for arrays in zip(*(part.begin for part in parts), strict=True)
        ]
        return Piece(0, 1, capacity, data, None), begin

    def _compiled(self, piece: Piece) -> "tuple[Programs, GivenStates]":
        """Return the compiled programs, for the optimizer and loss as they are now."""
        model = self._model
        if self._programs is None or self._compiled_for is not compiled_loss(model):
            batch = piece.data[0] if isinstance(piece.data[1], Flags) else piece.data
            build_symbolically(model, data_batch=batch)
            states = GivenStates(recurrent_layers(model))
            self._programs = Programs(model, states), states
            self._compiled_for = compiled_loss(model)
        return self._programs


class GradientStep:
    """One gradient step, to be taken or taken back; weights and optimizer are noted before it.

    Args:
        model: compiled, with its optimizer's variables.
        programs: compiled for it.
        piece: one batch of recent steps.
    """

    def __init__(self, model: keras.Model, programs: Programs, piece: Piece):
        self._model, self._programs, self._piece = model, programs, piece
        variables = [*model.variables, *model.optimizer.variables]
        self._before = [(variable, variable.value) for variable in variables]

    def take(self) -> dict[str, float]:
        """Take the step.

        Returns:
            The loss, from before the step, and the metrics.

        Raises:
            FloatingPointError: if the loss is NaN or infinite; the step is to be taken back then.
        """
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


class GivenStates(KeptStates):
    """The states with which a batch of recent steps begins; what they end with isn't used.

    Args:
        layers: the recurrent layers.

    Attributes:
        arrays: those of the state, layer by layer.
    """

    def __init__(self, layers: list[keras.layers.RNN]):
        super().__init__(layers)
        self.arrays: list[np.ndarray] = []

    def begin(self, batch: int) -> list[list]:
        """Return each layer's arrays."""
        arrays = map(jnp.asarray, self.arrays)
        sizes = [len(keras.tree.flatten(layer.state_size)) for layer in self.layers]
        return [[next(arrays) for _ in range(size)] for size in sizes]

    def end(self, states: list[list]) -> None:
        """Do nothing: states are computed anew, with the weights after the step."""


def _last_steps(parts: Sequence[RecentSteps]) -> tuple[Piece, list[np.ndarray]]:
    """Return steps of one length as one batch with a target for the last step of each."""
    x = np.concatenate([part.x for part in parts])
    y = np.concatenate([part.y[:, -1] for part in parts])
    begin = [np.concatenate(same) for same in zip(*(part.begin for part in parts), strict=True)]
    return Piece(0, 1, len(x), (jnp.asarray(x), jnp.asarray(y)), None), begin
