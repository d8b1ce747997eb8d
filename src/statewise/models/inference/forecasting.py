"""Forecasts beyond the known steps: warm-up, then closed loop, in one compiled program."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise._keras_compat import all_layers
from statewise._renamed import renamed_arguments
from statewise._runtime.forks import check_not_forked
from statewise.models.inference.stepping import compiled, run
from statewise.models.inputs import check_shape, input_arrays
from statewise.models.mixin import ModelMixin
from statewise.models.state import State
from statewise.models.structure import (
    check_step_by_step,
    has_one_input,
    is_stateful,
    recurrent_layers,
)


class Forecasting(ModelMixin):
    """What continues sequences; to be named before a Keras model in a class's bases."""

    @renamed_arguments(steps="horizon")
    def forecast(
        self,
        x,
        horizon: int,
        *,
        window: int | str | None = "auto",
        feed_back: Callable | None = None,
        state: State | None = None,
    ) -> np.ndarray:
        """Continue sequences by feeding the model's outputs back as its inputs.

        Warm-up: the model runs over the known steps. Closed loop: its output for the last step is
        the first forecast, and the next input; and so on. With a carried state (``window=None``)
        the model is given one new step at a time and remembers what came before; with a window it
        is shown the latest ``window`` steps each time, and remembers nothing.

        What stateful layers carry is neither used nor changed.

        Args:
            x: the known steps, ``(batch, time, features)``. Whole numbers stay such where whole
                numbers are fed back (tokens).
            horizon: how many steps to forecast.
            window: how many steps the model is shown at a time, or None to carry the state.
                "auto" takes the length of the model's input where that is fixed and no layer is
                stateful (a model trained on windows), and None otherwise.
            feed_back: ``(output, step) -> input``, written with `jax.numpy`: makes the next input
                ``(batch, features)`` from the output ``(batch, outputs)`` and the number of the
                forecast step, 0 for the first. Choose a word, add known inputs of the future, ...
                None feeds the output itself.
            state: where the warm-up begins, say ``get_state()``; None for the initial state.

        Returns:
            ``(batch, horizon, outputs)``, a NumPy array.

        Raises:
            TypeError: where ``horizon`` or ``window`` is no whole number, or ``x`` no real numbers.
            ValueError: where the output can't be fed back, there are too few known steps,
                ``horizon`` or ``window`` is below 1, or the model can't be run step by step.

        >>> import numpy as np
        >>> from statewise import Sequential, layers
        >>> model = Sequential([layers.Input((None, 2)), layers.GRU(2, return_sequences=True)])
        >>> tanks = np.random.default_rng(0).normal(size=(3, 10, 2))
        >>> model.forecast(tanks, horizon=4).shape
        (3, 4, 2)
        """
        check_not_forked()
        horizon = _count(horizon, "horizon", "to forecast")
        x = _known_steps(x)
        self._build_for(x)
        window = self._window(window, x)
        check_shape(self, x, exact=True)
        layers = recurrent_layers(self)
        begin = [None] * len(layers)  # the initial state
        if window is None:
            check_step_by_step(self)
        if state is not None:
            if window is not None:
                raise ValueError(
                    f"A state was given, but the model is shown windows of {window} steps, which "
                    "remember nothing. Give window=None to carry the state."
                )
            begin = self._arrays_of(state)
        loop = partial(_warm_up_and_loop, self, layers)
        program = compiled(
            self,
            "_forecast_program",
            lambda: jax.jit(loop, static_argnames=("horizon", "window", "feed_back")),
        )
        values = (
            [v.value for v in self.trainable_variables],
            [v.value for v in self.non_trainable_variables],
        )
        return np.asarray(
            program(values, x, begin, horizon=horizon, window=window, feed_back=feed_back)
        )

    def _window(self, window, x) -> int | None:
        if isinstance(window, str) and window == "auto":
            fixed = self.input_shape[1] if has_one_input(self) else None
            window = None if is_stateful(self) else fixed
        elif isinstance(window, str):
            raise ValueError(
                f"window={window!r}: expected a number of time steps, None to carry the state, or "
                '"auto".'
            )
        elif window is not None:
            window = _count(window, "window", "to show the model")
        if window is not None and x.shape[1] < window:
            raise ValueError(
                f"x has {x.shape[1]} known time steps, but the model looks at {window} at a time: "
                f"give at least {window}."
            )
        return window

    def _build_for(self, x) -> None:
        if not all(layer.built for layer in all_layers(self)):
            with keras.StatelessScope():
                self(x)


def _warm_up_and_loop(model, layers, values, x, begin, *, horizon, window, feed_back):
    """Return the outputs for the ``horizon`` steps after ``x``."""

    # Shown windows, nothing is carried: each layer begins at its initial state by itself.
    carried_layers = layers if window is None else []
    begin = begin if window is None else []

    def last_output(x, states):
        outputs, states = run(model, carried_layers, values, x, states)
        if not hasattr(outputs, "ndim"):
            raise ValueError(
                "A forecast needs a model with one output; this one gives "
                f"{len(jax.tree.leaves(outputs))}."
            )
        return (outputs[:, -1] if outputs.ndim == 3 else outputs), states

    def next_input(output, step):
        fed = output if feed_back is None else feed_back(output, step)
        if fed.shape != x[:, 0].shape:
            raise ValueError(
                f"The output can't be fed back: it has the shape {fed.shape} (batch, features), "
                f"an input step {x[:, 0].shape}. Let the model predict all its input features, or "
                "give feed_back=... to make the next input from its output."
            )
        return fed

    def carried(loop, step):
        output, states = loop
        after, states = last_output(next_input(output, step)[:, None].astype(kind), states)
        return (after, states), output

    def windowed(loop, step):
        output, shown = loop
        fed = next_input(output, step)[:, None].astype(kind)
        shown = jnp.concatenate([shown[:, 1:], fed], axis=1)
        return (last_output(shown, begin)[0], shown), output

    shown = x if window is None else x[:, -window:]
    output, states = last_output(shown, begin)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        # Whole numbers are tokens where tokens are fed back. Else they are measurements, and what
        # comes after them is not cut to whole numbers.
        fed = jax.eval_shape(next_input, output, 0)
        shown = shown.astype(jnp.promote_types(x.dtype, fed.dtype))
    kind = shown.dtype
    start, loop = ((output, states), carried) if window is None else ((output, shown), windowed)
    # The last forecast needs no further run of the model.
    (last, _), outputs = jax.lax.scan(loop, start, jnp.arange(horizon - 1))
    return jnp.concatenate([jnp.swapaxes(outputs, 0, 1), last[:, None]], axis=1)


def _count(value, name: str, what: str) -> int:
    """Return a number of time steps as an int."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}={value!r}: expected a whole number of time steps {what}.")
    if value < 1:
        raise ValueError(f"{name}={value}: there must be at least one step {what}.")
    return int(value)


def _known_steps(x) -> jax.Array:
    """Return the known steps as an array on the device, of two or three axes."""
    x = input_arrays(x)
    if getattr(x, "ndim", 0) not in (2, 3):
        shape = getattr(x, "shape", None)
        raise ValueError(
            "x must be one array (batch, time, features), or (batch, time) for tokens; "
            + ("several came." if shape is None else f"its shape is {tuple(shape)}.")
            + " One series of T steps and F features is x[None], (1, T, F)."
        )
    if x.shape[1] == 0:
        raise ValueError(f"x has no time steps: its shape is {tuple(x.shape)}.")
    return x
