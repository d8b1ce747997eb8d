"""What makes a Keras recurrent layer ours: the state as a value, the recurrence of floor 1."""

import contextlib
from collections.abc import Mapping
from contextvars import ContextVar

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import ops, tree

from statewise._keras_compat import (
    draw_dropout_masks,
    forget_dropout_masks,
    in_stateless_scope,
    takes_training,
)
from statewise._runtime.forks import check_not_forked
from statewise.layers.arithmetic import arithmetic_of
from statewise.layers.carry import current_carry
from statewise.layers.given_states import by_name, check_given_state
from statewise.layers.known_cells import known_cells, note_a_loop, run_cells
from statewise.layers.masks import flag_a_step, mask_of, mask_of_outputs
from statewise.layers.memory import Memory, check_no_state, may_keep, warn_if_forgotten, zeros
from statewise.recurrence.layout import starts_backwards
from statewise.recurrence.residuals import few_residuals

_with_states: ContextVar[bool] = ContextVar("with_states", default=False)


@contextlib.contextmanager
def saving_states(wanted: bool):
    """Within this context a saved layer's file holds the state it keeps, if that is wanted."""
    token = _with_states.set(wanted)
    try:
        yield
    finally:
        _with_states.reset(token)


class Recurrent:
    """What every recurrent layer of this package does differently from Keras's.

    To be named before a Keras layer in a class's bases.

    * The state may come from a `Carry` around the call, see `statewise.layers.carry`.
    * ``stateful=True`` needs no fixed batch size.
    * Cells that floor 1 knows run there; any other cell runs in one loop over time here.
    * Resets inside a batch are honoured.
    * The inputs' mask is heeded where the initial state is given too, and the mask of outputs in
      the reverse order is in that order.
    """

    def __new__(cls, *args, **kwargs):
        """Make a layer, where what it begins with can be computed."""
        check_not_forked()
        return super().__new__(cls, *args, **kwargs)

    @property
    def states(self):
        """The variables that hold a stateful layer's state, or None before there is one."""
        if self.memory.variables is None:
            return None
        return tree.pack_sequence_as(self._state_structure(), self.memory.variables)

    @states.setter
    def states(self, value):
        if value is not None:
            raise AttributeError(
                f"The states of layer {self.name!r} can't be replaced; assign() to its variables, "
                "or call the layer with initial_state=..."
            )
        self.memory = Memory(
            self.name, self._initial_arrays
        )  # as Keras's constructor says: no states yet

    def build(self, sequences_shape, initial_state_shape=None):
        """Create the cell's weights; a stateful layer of known batch size also its state."""
        step_shape = (sequences_shape[0], *sequences_shape[2:])
        if isinstance(self.cell, keras.Layer) and not self.cell.built:
            self.cell.build(step_shape)
            self.cell.built = True
        if self.stateful and sequences_shape[0] is not None and self.memory.variables is None:
            self.memory.store(self._initial_arrays(sequences_shape[0]), carried=False)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Run over the sequences, see `keras.layers.RNN`."""
        check_not_forked()
        if sequences.shape[1] == 0:
            raise ValueError(
                f"Layer {self.name!r} needs at least one time step; the shape that came, "
                f"(batch, time, features), is {tuple(sequences.shape)}."
            )
        self._check_features(sequences)
        begin = self._begin(sequences, initial_state)
        begin = tree.map_structure(
            lambda a: ops.convert_to_tensor(a, dtype=self.cell.compute_dtype), begin
        )
        check_given_state(self, begin, sequences.shape[0])
        mask = flag_a_step(mask_of(sequences, mask), sequences, self.name)
        # Drawn before the loop, so that every step has the same masks (and as Keras does it, so
        # that the same seed gives the same masks).
        draw_dropout_masks(self, self.cell, sequences[:, 0], begin)
        try:
            last, outputs, end = self.inner_loop(sequences, begin, mask, training=training)
        finally:  # after an error too: the next call may have another batch size
            forget_dropout_masks(self, self.cell)
        end = tree.map_structure(lambda a: ops.cast(a, self.compute_dtype), end)
        self._end(sequences, end)
        output = ops.cast(outputs if self.return_sequences else last, self.compute_dtype)
        return (output, *end) if self.return_state else output

    def compute_mask(self, sequences, mask):
        """Return the mask of each output: that of the inputs where all time steps come out."""
        mask = tree.flatten(mask)[0] if self.return_sequences else None
        mask = mask_of_outputs(mask, self.go_backwards)
        return [mask, *[None] * len(self.state_size)] if self.return_state else mask

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Run the cell over time; return the last output, all outputs or None, and the state."""
        carry = current_carry()
        resets = None if carry is None else carry.resets
        cells = known_cells(self.cell)
        if cells is None:
            note_a_loop(self)
            return self._loop_over_time(sequences, initial_state, mask, resets, training)
        return run_cells(self, cells, sequences, initial_state, mask, resets, training)

    def reset_state(self, rows=None):
        """Forget the carried state, of all samples or of the given rows of the batch."""
        if rows is not None:
            check_no_state(rows, self.name)
        self.memory.reset(rows)

    def reset_states(self, rows=None, *, states=None):
        """Keras's older name of `reset_state`; before Keras 3 it took a state, and says so now."""
        self.reset_state(rows if states is None else states)

    def save_own_variables(self, store):
        """Write the layer's own arrays; on request the state it keeps, see `saving_states`."""
        super().save_own_variables(store)
        if _with_states.get() and self.memory.carried:
            for i, variable in enumerate(self.memory.variables):
                store[f"state_{i}"] = np.asarray(variable.value)

    def load_own_variables(self, store):
        """Read the layer's own arrays, and the state if it was saved."""
        count = sum(key.startswith("state_") for key in store.keys())  # noqa: SIM118  (no plain dict)
        if count:
            arrays = [jnp.asarray(np.asarray(store[f"state_{i}"])) for i in range(count)]
            self.memory.store(arrays)

    def _initial_arrays(self, batch):
        """Return the arrays of the initial state, flat."""
        cell = arithmetic_of(self.cell)
        if cell is None:
            return tree.flatten(self.get_initial_state(batch))
        sizes = tree.flatten(self.cell.state_size)
        return [zeros((batch, size), self.cell.compute_dtype) for size in sizes]

    def _begin(self, sequences, initial_state):
        """Return the state before the first step, in the cell's structure."""
        batch = sequences.shape[0]
        carry = current_carry()
        if initial_state is not None:
            if carry is not None and self in carry:
                carry.begin_elsewhere(self)
            if isinstance(initial_state, Mapping):
                initial_state = by_name(self, initial_state)
                return tree.pack_sequence_as(self._state_structure(), initial_state)
            return list(initial_state) if tree.is_nested(initial_state) else [initial_state]
        kept = None
        if carry is not None and self in carry:
            kept = carry.enter(self)
        elif self.stateful and may_keep(sequences):
            kept = self.memory.arrays(batch)
        if kept is None:
            return self.get_initial_state(ops.shape(sequences)[0])
        return tree.pack_sequence_as(self._state_structure(), list(kept))

    def _check_features(self, sequences):
        """Refuse inputs of another number of features than the weights were made for."""
        cells = getattr(self.cell, "cells", [self.cell])
        if arithmetic_of(cells[0]) is None or not cells[0].built:
            return
        expected = cells[0].kernel.shape[0]
        if sequences.shape[-1] != expected:
            raise ValueError(
                f"Layer {self.name!r} takes {expected} features a time step; the shape that came, "
                f"(batch, time, features), is {tuple(sequences.shape)}."
            )

    def _end(self, sequences, state):
        """Hand the state after the last step to whoever carries it on."""
        arrays = tree.flatten(state)
        carry = current_carry()
        if carry is not None and self in carry:
            carry.leave(self, arrays)
        elif self.stateful and may_keep(sequences, *arrays):
            self.memory.store(arrays)
        elif self.stateful and carry is None:
            warn_if_forgotten(self)

    def _state_structure(self):
        sizes = self.state_size
        return [list(s) if isinstance(s, (list, tuple)) else s for s in sizes]

    def _loop_over_time(self, sequences, initial_state, mask, resets, training):
        """Run a cell that floor 1 doesn't know, with Keras's rules for masks."""
        kwargs = {}
        if isinstance(self.cell, keras.Layer) and takes_training(self.cell):
            kwargs["training"] = training
        if resets is not None and self.go_backwards:
            resets = starts_backwards(resets)

        def choose(flags, yes, no):
            return jax.tree.map(
                lambda a, b: jnp.where(flags.reshape(-1, *[1] * (a.ndim - 1)), a, b), yes, no
            )

        def last_output(state):
            # By Keras's rule a cell's first array; of stacked cells, the last one's.
            stacked = isinstance(self.cell, keras.layers.StackedRNNCells)
            return tree.flatten(state[-1] if stacked else state)[0]

        def step(before, now):
            x, valid, starts = now
            if starts is not None:
                before = choose(starts, initial, before)
            output, after = self.cell(x, before, **kwargs)
            after = after if tree.is_nested(after) else [after]
            after = tree.pack_sequence_as(before, tree.flatten(after))
            if valid is not None:
                other = jnp.zeros_like(output) if self.zero_output_for_mask else last_output(before)
                output, after = choose(valid, output, other), choose(valid, after, before)
            return after, output

        initial = tree.map_structure(
            lambda a: ops.cast(a, self.cell.compute_dtype),
            tree.pack_sequence_as(initial_state, self._initial_arrays(sequences.shape[0])),
        )
        steps = jax.tree.map(
            lambda a: jnp.swapaxes(a, 0, 1), (jnp.asarray(sequences), mask, resets)
        )
        scope = contextlib.nullcontext() if in_stateless_scope() else keras.StatelessScope()
        with scope:  # the loop is traced: a variable must not be updated from inside
            state, outputs = jax.lax.scan(
                step if self.unroll else few_residuals(step),
                initial_state,
                steps,
                reverse=self.go_backwards,
                unroll=self.unroll,
            )
        if self.go_backwards:
            outputs = jnp.flip(outputs, axis=0)
        return outputs[-1], jnp.swapaxes(outputs, 0, 1), state
