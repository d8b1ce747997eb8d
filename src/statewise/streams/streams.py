"""`Streams`: one model, many series that are still arriving, and each one's state by its key."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

import keras
import numpy as np

from statewise._runtime.forks import unpickled
from statewise.models.state import State, check_same_layers
from statewise.streams.arguments import checked_choice, checked_count
from statewise.streams.arrivals import batches_of
from statewise.streams.engines import engine_of
from statewise.streams.history import History
from statewise.streams.keyed_states import KeyedStates
from statewise.streams.keys import Key, by_given_key, by_plain_key, plain_key, plain_keys
from statewise.streams.online_training import OnlineTrainer
from statewise.streams.runner import Runner
from statewise.streams.signature import signature_of
from statewise.streams.stream import Stream
from statewise.streams.targets import check_compiled, target_shape


class Streams:
    """The states of many streams that share one model: pushed, forecast, learned from, by key.

    A stream begins at the initial state when its key joins. What arrives is pushed for whichever
    keys have something new; keys don't disturb each other, whatever stands beside them in a push.
    A call that raises changes nothing, for no key. A call that is interrupted, by Ctrl-C or by what
    another thread raises in it, has happened wholly or not at all, in memory and in the store;
    `steps` tells which.

    With a ``store`` every push is on the disk before it returns, and a killed process finds each
    key's state as it was before or after a push when it opens the store again; `steps` says how
    many steps of each key are in it. The store is SQLite (see `StateStore`). It holds states,
    last outputs and counts, but no weights: save the model yourself, above all after `learn`.
    States made with other weights than the model's are taken with a warning.

    Not for several threads at once: guard it with a lock.

    Args:
        model: a built model with one input and one output that can be run step by step. Its
            weights may change: the next push uses the new ones.
        store: the path of the file that keeps the states; None for memory alone.
        unknown: what a key that hasn't joined does in a push: "join", or "raise".
        missing: what a step with NaN in it does: "raise", or "carry": the state is carried over
            it as it is, and its output is NaN.
        history: how many steps of each key are kept, so that the gradient of `learn` reaches back
            over them. Keeping them makes a push take about twice as long.

    Raises:
        TypeError: if it isn't a model of this package.
        ValueError: if the model can't be stepped, an option is none of those named, or the store is
            damaged or of another model, naming the differences.
        BlockingIOError: if the store is open elsewhere.

    >>> import numpy as np
    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(4), layers.Dense(2)])
    >>> streams = Streams(model)
    >>> outputs = streams.push({"north": [1.0, 2.0], 7: [[0.5, 0.5], [0.1, 0.2]]})
    >>> outputs["north"].shape, streams.steps("north"), streams.steps(7)
    ((2,), 1, 2)
    >>> streams.forecast("north", horizon=3)["north"].shape
    (3, 2)
    >>> print(streams.state(7))
    State of 1 sample
      gru...  h (1, 4)
    """

    def __init__(
        self,
        model: keras.Model,
        store: str | os.PathLike | None = None,
        *,
        unknown: Literal["join", "raise"] = "join",
        missing: Literal["raise", "carry"] = "raise",
        history: int = 0,
    ):
        unknown = checked_choice("unknown", unknown, ("join", "raise"))
        missing = checked_choice("missing", missing, ("raise", "carry"))
        history = checked_count("history", history, 0)
        if history:
            check_compiled(model)
        self.model, self._missing = model, missing
        self._options: dict = {"unknown": unknown, "missing": missing, "history": history}
        self._signature = signature_of(model)
        engine = engine_of(model, self._signature.sequences)
        kept = History(history, self._signature, target_shape(model, self._signature))
        self._states = KeyedStates(model, self._signature, kept, store)
        self._runner = Runner(engine, self._signature, self._states, kept, joins=unknown == "join")
        self._trainer = OnlineTrainer(model, self._runner, self._missing)

    def push(self, values: Mapping) -> dict:
        """Run the model over what arrived for some keys, and keep their states.

        Args:
            values: for each key one time step ``(features,)``, or several ``(time, features)``;
                numbers. Keys are text or integers. An empty mapping does nothing.

        Returns:
            For each key a NumPy array: ``(outputs,)`` for one step; for several
            ``(time, outputs)``, or ``(outputs,)``, the last, where the model gives no other. With
            ``missing="carry"`` NaN for missing steps.

        Raises:
            KeyError: if a key hasn't joined and ``unknown="raise"``.
            TypeError: if values aren't numbers, or a key is neither text nor an integer.
            ValueError: if a shape doesn't fit the model, there are no time steps, or a value is
                infinite, (with ``missing="raise"``) NaN, or a token that the model's embedding
                doesn't know; the message names the key.
            FloatingPointError: if a state would become NaN or infinite.
            OSError: if the store can't be written, or was moved, replaced or deleted.
            RuntimeError: in a process forked from the one that opened the store.
        """
        plain = by_plain_key(values)
        batches = batches_of(plain, self._signature, self._missing)
        if self._runner.native is not None and len(batches) == 1:
            outputs = self._runner.push_in_place(batches[0], plain)
            if outputs is not None:
                return outputs if plain is values else by_given_key(outputs, plain, values)
        outputs, updates = self._runner.run(batches)
        self._states.replace(updates)
        return by_given_key(outputs, plain, values)

    def peek(self, values: Mapping) -> dict:
        """Return what `push` would return, and change nothing."""
        plain = by_plain_key(values)
        outputs, _ = self._runner.run(batches_of(plain, self._signature, self._missing))
        return by_given_key(outputs, plain, values)

    def learn(self, pairs: Mapping) -> dict[str, float]:
        """Take one gradient step on what just arrived, with the model's optimizer and loss.

        Every step of a stream is given once: to `learn` where its target is known, to `push` where
        it isn't (`peek` gives an output before the target is there). The gradient reaches back
        over the ``history`` steps before the new ones, whose targets count again; what lies before
        them only gives the state from which they begin (truncated backpropagation).

        Afterwards the states of these keys are computed anew with the new weights, from the
        beginning of what is kept; other keys' states go on as the old weights left them. The
        ``history`` is in memory only: after a restart it fills up again.

        Args:
            pairs: for each key ``(x, y)``: ``x`` as in `push`; ``y`` the target of each step
                ``(time, outputs)``, ``(outputs,)`` for one step or for a model that gives its last
                output only. With a sparse loss a class's number stands for ``outputs``.

        Returns:
            The loss of this step, from before it, and the model's metrics.

        Raises:
            FloatingPointError: if the loss is NaN or infinite, or a state would become so.
            KeyError, TypeError, ValueError, OSError: as `push`; also if the model isn't compiled,
                or a target doesn't fit.
        """
        return self._trainer.learn(pairs)

    def forecast(
        self, keys: Iterable | str | int, horizon: int, *, feed_back: Callable | None = None
    ) -> dict:
        """Look ahead in closed loop, without disturbing any state.

        The first forecast is the last output; it is the next input, and so on.

        Args:
            keys: one key or several.
            horizon: how many steps, at least 1.
            feed_back: ``(output, step) -> input``: makes the next input ``(batch, features)`` from
                the output ``(batch, outputs)`` and the number of the step it forecasts, 0 for
                the first; None feeds the output itself.

        Returns:
            For each key ``(horizon, outputs)``.

        Raises:
            KeyError: if a key hasn't joined.
            ValueError: if nothing was pushed for a key yet, or outputs can't be fed back.
        """
        horizon = checked_count("horizon", horizon, 1)
        keys = plain_keys(keys)
        return self._runner.forecast(keys, horizon, feed_back) if keys else {}

    def join(self, keys: Iterable | str | int) -> None:
        """Let new keys begin at the initial state; keys that are there already go on as they are.

        Raises:
            TypeError, ValueError: if a key isn't text or an integer of 64 bits.
            OSError: if the store can't be written.
        """
        new = self._states.table.strangers(plain_keys(keys))
        if new:
            self._states.replace([(new, self._states.fresh(len(new)))])

    def forget(self, keys: Iterable | str | int) -> None:
        """Let keys leave; their states are gone.

        Raises:
            KeyError: if a key hasn't joined; then no key leaves.
            OSError: if the store can't be written.
        """
        self._states.remove(self._states.known(plain_keys(keys)))

    def reset(self, keys: Iterable | str | int | None = None) -> None:
        """Take keys back to the initial state and to 0 steps; None for all keys.

        Raises:
            KeyError: if a key hasn't joined; then none is reset.
            OSError: if the store can't be written.
        """
        keys = self.keys() if keys is None else self._states.known(plain_keys(keys))
        if keys:
            self._states.replace([(keys, self._states.fresh(len(keys)))])

    def state(self, key: str | int) -> State:
        """Return a copy of a key's state, of one sample.

        Raises:
            KeyError: if the key hasn't joined.
        """
        return self._signature.as_state(self._states.gather(self._states.known([plain_key(key)])))

    def set_state(self, key: str | int, state: State) -> None:
        """Replace a key's state by one of one sample; what is pushed next goes on from there.

        Raises:
            KeyError: if the key hasn't joined and ``unknown="raise"``.
            ValueError: if the state is of another model, or not of one sample.
            FloatingPointError: if it holds NaN or an infinity.
            OSError: if the store can't be written.
        """
        keys = [plain_key(key)]
        rows = self._runner.rows(keys)
        check_same_layers(self._signature.as_state(rows), state)
        if state.batch_size != 1:
            raise ValueError(f"A key's state is of 1 sample; got {state.batch_size}.")
        rows |= self._signature.as_rows(state)
        self._runner.check_finite(keys, rows)
        rows["output"] = np.full_like(rows["output"], np.nan)  # nobody knows it
        self._states.replace([(keys, rows | self._runner.history.anew(rows))])

    def steps(self, key: str | int) -> int:
        """Return how many time steps have arrived for a key since it joined or was reset.

        Raises:
            KeyError: if the key hasn't joined.
        """
        key = plain_key(key)
        newest = self._states.table.newest.get(key)
        if newest is not None:
            return newest[2]
        return int(self._states.gather(self._states.known([key]))["steps"][0])

    def keys(self) -> list[Key]:
        """Return the keys."""
        return list(self._states.table)

    def close(self) -> None:
        """Close the store; without one there is nothing to close."""
        self._states.close()

    def __getitem__(self, key: str | int) -> Stream:
        return Stream(self, key)

    def __contains__(self, key: object) -> bool:
        try:
            return plain_key(key) in self._states.table
        except (TypeError, ValueError):  # True and 1.0 are no keys, equal to 1 as they are
            return False

    def __iter__(self) -> Iterator[Key]:
        return iter(self._states.table)

    def __len__(self) -> int:
        return len(self._states.table)

    def __enter__(self) -> "Streams":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __reduce__(self):
        """Pickle or copy streams in memory: the model, the options, and all that is kept."""
        keys, rows = self._states.copied()
        return unpickled, (_restored, type(self), self.model, self._options, keys, rows)

    def __repr__(self) -> str:
        store = self._states.store
        where = "memory" if store is None else str(store.path)
        return f"<Streams of {self.model.name!r}: {len(self)} keys in {where}>"


def _restored(kind: type, model: keras.Model, options: dict, keys: list, rows: dict) -> Streams:
    """Return streams as they were when they were pickled."""
    streams = kind(model, **options)
    names = dict(zip(rows, streams._states.fresh(0), strict=True))  # layers may have other names
    streams._states.replace([(keys, {names[name]: array for name, array in rows.items()})])
    return streams
