"""The compiled programs of a model: many batches in one call.

Each program is a loop over the batches of a `Piece`, compiled by XLA once for a batch size. The
step inside is Keras's own (``train_step``, ``test_step``, ``predict_step``), so optimizers, losses,
metrics and regularisers are Keras's; what is saved is the Python call for every batch. Where the
loop begins and ends is an argument, so a piece can be run whole, in parts (to show progress), or
batch by batch (for a callback that wants each), by the same program and with the same result.
"""

from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

from statewise._keras_compat import assign_values, has_own, resets_only_variables, structure_of
from statewise._runtime.device import platform
from statewise.layers.scores import keeping_scores
from statewise.models.losses.cross_entropy import projecting_layers, softmax_layers
from statewise.models.structure import KeptStates, LaneStates
from statewise.models.training.batches import EPOCHS
from statewise.models.training.flags import flagged
from statewise.models.training.one_batch import (
    batch_now,
    batch_of,
    put_batch,
    room_for,
    split_flags,
)
from statewise.models.training.shared_programs import (
    predict_in_place,
    test_in_place,
    train_in_place,
)
from statewise.models.training.shares import current_shares
from statewise.models.training.sparse import samples_in
from statewise.models.training.updates import joint_updates


class Span(NamedTuple):
    """Which batches of a piece to train on: from a batch of the first epoch to one of the last.

    Attributes:
        start: the first batch of the first epoch.
        stop: where to stop in the last epoch.
        steps: batches of an epoch.
        epochs: how many epochs, at most `EPOCHS`.
    """

    start: int
    stop: int
    steps: int
    epochs: int = 1


class Programs:
    """The programs of one compiled model.

    Args:
        model: the model; it must be built before a program runs.
        states: where the states of its layers come from and go to.
    """

    def __init__(self, model, states: KeptStates | LaneStates):
        self.model = model
        self.states = states
        self.layers = tuple(states.layers)
        self.structure = structure_of(model)
        self.shares = current_shares()
        self.compiled = model.jit_compile and not model.run_eagerly
        self.seconds: dict[int, float] = {}  # that a training step takes, by batch size
        self.metrics: list = []  # the variables of the metrics, as the last reset found them
        self.fresh_metrics: list | None = None  # once it's known that a reset does no more
        self.own_train_step = has_own(model, "train_step")
        self.own_test_step = has_own(model, "test_step")

    @cached_property
    def train(self):
        """`_train`, compiled unless the model runs eagerly."""
        return self._jit(self._train, train_in_place)

    @cached_property
    def test(self):
        """`_test`, likewise."""
        return self._jit(self._test, test_in_place)

    @cached_property
    def predict(self):
        """`_predict`, likewise."""
        return self._jit(self._predict, predict_in_place)

    def _jit(self, function, in_place):
        if self.shares is not None:
            function = in_place(function, self.model, self.shares)
        if not self.compiled:
            return function
        trained = sum(variable.value.size for variable in self.model.trainable_variables)
        return jax.jit(
            function, static_argnames="batch_size", compiler_options=_compiler_options(trained)
        )

    def reset_metrics(self) -> None:
        """Do what the model's ``reset_metrics`` does, without computing the zeros every time."""
        variables = self.metrics = self.model.metrics_variables
        if self.fresh_metrics is not None and len(self.fresh_metrics) == len(variables):
            assign_values(variables, self.fresh_metrics)
            return
        self.model.reset_metrics()
        if resets_only_variables(self.model):
            self.fresh_metrics = [variable.value for variable in variables]

    @property
    def joins_epochs(self) -> bool:
        """Whether one call may run several epochs: where metrics only need their zeros between."""
        return self.compiled and not self.own_train_step and self.fresh_metrics is not None

    def _train(self, state, data, orders, span, fresh, *, batch_size):
        """Train over a `Span`; return the state after it, and the logs of each of its epochs.

        The logs have room for `EPOCHS` epochs. ``fresh`` are the metrics that an epoch begins with.
        """

        def step(state, batch):
            batch, flags = split_flags(batch)
            with flagged(flags), self._keeping_scores(), joint_updates(self.model.optimizer):
                logs, state = self.model.train_step(state, batch)
            return state, logs

        if self.own_train_step or not self.compiled:  # one epoch, or a part of it
            order = None if orders is None else orders[0]
            piece = (data, order, span.start, span.stop, batch_size)
            state, logs = self._loop(step, state, piece, self.own_train_step)
            return state, jax.tree.map(lambda value: jnp.asarray(value)[None], logs)

        def epoch(number, carried):
            (*others, metrics), logs = carried
            first, last = number == 0, number == span.epochs - 1
            metrics = jax.tree.map(lambda old, new: jnp.where(first, old, new), metrics, fresh)
            order = None if orders is None else orders[number]
            state = jax.lax.fori_loop(
                jnp.where(first, span.start, 0),
                jnp.where(last, span.stop, span.steps),
                lambda i, state: step(state, batch_of(data, order, i, batch_size))[0],
                (*others, metrics),
            )
            results = self._metrics(state[-1])
            logs = jax.tree.map(lambda rows, value: rows.at[number].set(value), logs, results)
            return state, logs

        shapes = jax.eval_shape(self._metrics, state[-1])
        logs = jax.tree.map(lambda s: jnp.zeros((EPOCHS, *s.shape), s.dtype), shapes)
        return jax.lax.fori_loop(0, span.epochs, epoch, (state, logs))

    def _test(self, trainable, state, data, order, start, stop, *, batch_size):
        """Evaluate on batches ``start`` to ``stop``; return the state after them, and the logs.

        The trainable variables stay as they are, and are no part of what comes back: large ones
        would be copied.
        """

        def step(state, batch):
            carried, metrics = state
            batch, flags = split_flags(batch)
            with flagged(flags), carried.carry() as carry, self._keeping_scores():
                logs, after = self.model.test_step((trainable, carried.variables, metrics), batch)
            _, variables, metrics = after
            return (carried.after(variables, carry), metrics), logs

        return self._loop(step, state, (data, order, start, stop, batch_size), self.own_test_step)

    def _predict(self, trainable, carried, data, steps, *, batch_size):
        """Predict the first ``steps`` batches; return what is carried on, and the outputs.

        The outputs have room for every batch of ``data``; those that weren't run are zeros.
        """

        take = batch_of if self.compiled else batch_now

        def step(carried, i):
            batch, flags = split_flags(take(data, None, i, batch_size))
            with flagged(flags), carried.carry() as carry:
                outputs, variables = self.model.predict_step((trainable, carried.variables), batch)
            return carried.after(variables, carry), outputs

        capacity = samples_in(data) // batch_size
        if capacity == 1:
            after, outputs = step(carried, 0)
            return after.changed_since(carried), outputs
        if not self.compiled:
            outputs = []
            for i in range(int(steps)):
                carried, output = step(carried, i)
                outputs.append(output)
            outputs += [jax.tree.map(jnp.zeros_like, outputs[0])] * (capacity - len(outputs))
            return carried, jax.tree.map(lambda *parts: jnp.concatenate(parts), *outputs)

        def body(i, both):
            carried, outputs = both
            carried, now = step(carried, i)
            return carried, jax.tree.map(lambda a, b: put_batch(data, a, b, i), outputs, now)

        shapes = jax.eval_shape(lambda: step(carried, 0)[1])
        outputs = jax.tree.map(
            lambda s: jnp.zeros(room_for(data, capacity, s.shape), s.dtype), shapes
        )
        return jax.lax.fori_loop(0, steps, body, (carried, outputs))

    def _loop(self, step, state, piece, own_step):
        """Run ``step`` over the batches of a piece."""
        data, order, start, stop, batch_size = piece
        if not self.compiled:
            logs = None
            for i in range(int(start), int(stop)):
                state, logs = step(state, batch_now(data, order, i, batch_size))
            return state, logs if own_step else self._metrics(state[-1])
        take = partial(batch_of, data, order, size=batch_size)
        if own_step:
            # Nobody knows what a step of the user's own gives as logs: the last ones are kept.
            shapes = jax.eval_shape(lambda: step(state, take(0))[1])
            logs = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
            return jax.lax.fori_loop(
                start, stop, lambda i, carried: step(carried[0], take(i)), (state, logs)
            )
        state = jax.lax.fori_loop(start, stop, lambda i, s: step(s, take(i))[0], state)
        return state, self._metrics(state[-1])

    def _keeping_scores(self):
        return keeping_scores(softmax_layers(self.model), projecting_layers(self.model))

    def _metrics(self, values) -> dict[str, Any]:
        """Return the results of the model's metrics for given values of their variables."""
        pairs = list(zip(self.model.metrics_variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return self.model.get_metrics_result()


def _compiler_options(trained: int) -> dict:
    """Return how hard XLA is to try for a model of so many trained values.

    What it compiles besides the recurrence are loops over them. For few values they take next to no
    time, and most of a first epoch is compiling. Measured on one processor: an LSTM(4) begins in
    0.36 s instead of 0.50, an LSTM(64) in 0.50 instead of 0.54, and their steps take no longer than
    before. With more values the steps of the simpler programs are slower, by a third for the
    LSTM(64) without the emitters.
    """
    options = {}
    if platform() == "cpu":
        if trained <= 50_000:
            options["xla_backend_optimization_level"] = 1
        if trained <= 1000:
            options["xla_cpu_use_fusion_emitters"] = False
            options["xla_llvm_disable_expensive_passes"] = True
    return options
