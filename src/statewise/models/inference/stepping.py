"""A model as a function ``(inputs, state) -> (outputs, state)``, and the state that it keeps."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import keras

from statewise._keras_compat import all_layers, structure_of, takes_training
from statewise._renamed import renamed_arguments
from statewise._runtime.forks import check_not_forked, unpickled
from statewise.layers import Carry
from statewise.layers.masks import leaving_masks
from statewise.layers.recurrent import saving_states
from statewise.models import state as states
from statewise.models.inputs import check_count, check_shape, input_arrays
from statewise.models.mixin import ModelMixin
from statewise.models.state import State
from statewise.models.state_files import load_state, save_state
from statewise.models.structure import check_step_by_step, recurrent_layers


class Stepping(ModelMixin):
    """The state of a model, at hand; to be named before a Keras model in a class's bases.

    Every model of recurrent layers has it, built stateful or not. A state is either given and
    returned (`step`), or kept by the model's layers: that is what stateful layers use in ``fit``,
    ``predict`` and the rest, and what `step` uses where no state is given.
    """

    @renamed_arguments(batch="batch_size")
    def initial_state(self, batch_size: int) -> State:
        """Return the state before the first step, for ``batch_size`` samples.

        Raises:
            TypeError: if ``batch_size`` is no whole number.
            ValueError: if it is below 1, the model isn't built yet, or it can't be run step by
                step.

        >>> from statewise import Sequential, layers
        >>> model = Sequential([layers.Input((None, 2)), layers.LSTM(4)])
        >>> print(model.initial_state(3))
        State of 3 samples
          lstm...  h (3, 4)  c (3, 4)
        """
        batch_size = check_count(batch_size, "batch_size", "samples")
        self._check_can_step()
        return states.initial_state(self, batch_size)

    def step(self, x, state: State | None = None):
        """Run over the next time steps, from a state to a state; compiled.

        Args:
            x: the next steps, ``(batch, time, features)``, one step or more.
            state: where to begin. None is the state that the model keeps (the initial state where
                it keeps none); it's then brought up to date.

        Returns:
            ``(outputs, state)``: the model's outputs for these steps, and the state after them.
            Arrays of JAX.

        Raises:
            TypeError: if the state isn't a `State`, or ``x`` no real numbers.
            ValueError: if the state is of another model or another number of samples, if the model
                doesn't take arrays of the shape of ``x``, or can't be run step by step.

        >>> import numpy as np
        >>> from statewise import Sequential, layers
        >>> model = Sequential([layers.Input((None, 2)), layers.GRU(4, return_sequences=True)])
        >>> tanks = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
        >>> first, state = model.step(tanks[:, :2], model.initial_state(3))
        >>> second, state = model.step(tanks[:, 2:], state)
        >>> bool(np.allclose(np.concatenate([first, second], 1), model(tanks), atol=1e-6))
        True
        """
        self._check_can_step()
        x = self._next_steps(x)
        batch = _samples(x)
        arrays = self._kept_arrays(batch) if state is None else self._arrays_of(state)
        if state and state.batch_size != batch:
            raise ValueError(
                f"The state is of {state.batch_size} samples, but {batch} came. Either take the "
                f"rows that these samples continue, state.rows([...]), or begin new sequences with "
                f"initial_state({batch})."
            )
        outputs, arrays = self._step_program()(_values(self), x, arrays)
        if state is None:
            self._keep(arrays)
        return outputs, states.state_of_arrays(self, arrays)

    def warm_up(self, x, state: State | None = None) -> State:
        """Run over known steps for the state's sake, and return the state after them.

        Unlike `step` it begins at the initial state where none is given, and changes nothing.

        Args:
            x: the known steps, ``(batch, time, features)``.
            state: where to begin; None for the initial state.
        """
        x = self._next_steps(x)
        return self.step(x, self.initial_state(_samples(x)) if state is None else state)[1]

    def get_state(self) -> State:
        """Return the state that the model keeps, of all recurrent layers.

        Raises:
            ValueError: if it keeps none, because nothing was run yet or it was reset.
        """
        self._check_can_step()
        batches = {layer.memory.batch_size for layer in recurrent_layers(self)} - {None}
        if not batches:
            raise ValueError(
                "The model keeps no state: nothing was run yet, or it was reset. "
                "initial_state(batch_size) gives a fresh one."
            )
        return states.state_of_arrays(self, self._kept_arrays(max(batches)))

    def set_state(self, state: State) -> None:
        """Let the model keep a state: what comes next goes on from there.

        Raises:
            TypeError: if it isn't a `State`.
            ValueError: if the state is of another model, naming the differences.
        """
        self._check_can_step()
        self._keep(self._arrays_of(state))

    def reset_states(self, rows: Sequence[int] | None = None) -> None:
        """Forget the state that is kept, of all samples or of the given rows of the batch."""
        for layer in recurrent_layers(self):
            layer.reset_state(rows)

    def save_state(self, path: str | os.PathLike) -> None:
        """Write the state that the model keeps to a file (safetensors), whole or not at all.

        Raises:
            ValueError: if it keeps none.
            OSError: if the file can't be written.
        """
        save_state(self.get_state(), path)

    def load_state(self, path: str | os.PathLike) -> State:
        """Read a state from a file, let the model keep it, and return it.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the file is damaged, or its state is of another model; the state that
                the model kept before stays.
        """
        state = load_state(path)
        self.set_state(state)
        return state

    def _next_steps(self, x):
        """Return what `step` is given as arrays, checked."""
        x = input_arrays(x)
        check_shape(self, x)
        if not jax.tree.leaves(x) or _samples(x) == 0:
            raise ValueError("x holds no samples; give at least one, (batch, time, features).")
        return x

    def __call__(self, *args, **kwargs):
        """Call the model, as in Keras."""
        check_not_forked()
        if kwargs.get("mask") is None:
            return super().__call__(*args, **kwargs)
        with leaving_masks((args, kwargs)):  # the next call may have another mask, or none
            return super().__call__(*args, **kwargs)

    def __reduce__(self):
        """Pickle or copy the model with its weights, as Keras does, and with the state it keeps."""
        with saving_states(True):
            make, args = super().__reduce__()
        return unpickled, (make, *args)

    def _check_can_step(self) -> None:
        check_not_forked()
        if not all(layer.built for layer in all_layers(self)):
            raise ValueError(
                f"Model {self.name!r} isn't built yet: give it an Input, or call it on some data."
            )
        check_step_by_step(self)

    def _arrays_of(self, state: State):
        if not isinstance(state, State):
            raise TypeError(
                f"A state is expected, as initial_state(batch_size) or step(x) gives it; got a "
                f"{type(state).__name__}."
            )
        expected = compiled(self, "_expected_state", lambda: states.initial_state(self, 1))
        states.check_same_layers(expected, state)
        names = zip(states.layer_names(self), recurrent_layers(self), strict=True)
        return [[state[name][key] for key in states.array_names(layer)] for name, layer in names]

    def _kept_arrays(self, batch: int):
        kept = []
        for layer in recurrent_layers(self):
            arrays = layer.memory.arrays(batch)
            kept.append(
                keras.tree.flatten(layer.get_initial_state(batch)) if arrays is None else arrays
            )
        return kept

    def _keep(self, arrays) -> None:
        for layer, values in zip(recurrent_layers(self), arrays, strict=True):
            layer.memory.store([jnp.asarray(value) for value in values])

    def _step_program(self):
        layers = recurrent_layers(self)
        return compiled(self, "_compiled_step", lambda: jax.jit(partial(run, self, layers)))


@dataclass(frozen=True, eq=False)
class _Made:
    """What was compiled, and for what; no tuple, which Keras would look through for layers."""

    structure: list
    program: Callable


def compiled(model, attribute: str, make: Callable):
    """Return the program that the model keeps by the name of ``attribute``.

    It is made once, and again where the model is made of other layers by now; see `structure_of`.
    """
    structure, made = structure_of(model), getattr(model, attribute, None)
    if made is None or made.structure != structure:
        made = _Made(structure, make())
        setattr(model, attribute, made)
    return made.program


def run(model, layers, values, x, arrays):
    """Call a model as a pure function of its variables, its inputs and the states of ``layers``.

    Args:
        model: any built model.
        layers: the recurrent layers whose state goes in and out.
        values: the values of its trainable and its other variables.
        x: inputs.
        arrays: for each of the layers the arrays of its state, or None for its initial state.

    Returns:
        The outputs, and for each layer the arrays it ended with.
    """
    kwargs = {"training": False} if takes_training(model) else {}
    with Carry(dict(zip(layers, arrays, strict=True))) as carry:
        outputs, _ = model.stateless_call(*values, x, **kwargs)
    return outputs, carry.ended(layers)


def _values(model):
    return (
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
    )


def _samples(x) -> int:
    return jax.tree.leaves(x)[0].shape[0]
