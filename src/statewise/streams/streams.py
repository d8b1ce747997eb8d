"""`Streams`: one model, many series that are still arriving, and each one's state by its key."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from operator import call
from typing import Literal

import keras
import numpy as np

from statewise._runtime.forks import unpickled
from statewise.models.state import State, check_same_layers
from statewise.streams.arrivals import (
    Batch,
    batches_of,
    check_tokens,
    checked_count,
    checked_targets,
)
from statewise.streams.engines import NativeEngine, engine_of
from statewise.streams.keeper import Keeper
from statewise.streams.keys import by_plain_key, plain_key, plain_keys
from statewise.streams.learning import Learner, check_compiled, ignored_class, target_shape
from statewise.streams.signature import signature_of
from statewise.streams.slots import InPlace
from statewise.streams.stream import Stream
from statewise.streams.windows import Window, Windows


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
        unknown: what a key that hasn't joined does in a push: "join", or "refuse".
        missing: what a step with NaN in it does: "refuse", or "carry": the state is carried over
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
        unknown: Literal["join", "refuse"] = "join",
        missing: Literal["refuse", "carry"] = "refuse",
        history: int = 0,
    ):
        _check_choice("unknown", unknown, ("join", "refuse"))
        _check_choice("missing", missing, ("refuse", "carry"))
        history = checked_count("history", history, 0)
        if history:
            check_compiled(model)
        self.model = model
        self._joins, self._missing = unknown == "join", missing
        self._signature = signature_of(model)
        self._engine = engine_of(model, self._signature.sequences)
        target = target_shape(model, self._signature)
        self._windows = Windows(history, self._signature, target)
        self._learner = Learner(model, self._signature, history)
        self._keeper = Keeper(model, self._signature, self._windows, store)
        # The native step writes to all of its rows or, where it refuses, to none.
        native = isinstance(self._engine, NativeEngine)
        self._in_place = native and store is None and not history
        # What is finite in every state, but for a model of somebody else's that begins with more.
        self._finite = [
            name
            for name, row in self._signature.state.items()
            if row.dtype.kind == "f" and np.isfinite(row).all()
        ]

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
            KeyError: if a key hasn't joined and ``unknown="refuse"``.
            TypeError: if values aren't numbers, or a key is neither text nor an integer.
            ValueError: if a shape doesn't fit the model, there are no time steps, or a value is
                infinite, (with ``missing="refuse"``) NaN, or a token that the model's embedding
                doesn't know; the message names the key.
            FloatingPointError: if a state would become NaN or infinite.
            OSError: if the store can't be written, or was moved, replaced or deleted.
            RuntimeError: in a process forked from the one that opened the store.
        """
        plain = _checked_mapping(values)
        batches = batches_of(plain, self._signature, self._missing)
        if self._in_place and len(batches) == 1:
            outputs = self._pushed_in_place(batches[0])
            if outputs is not None:
                return outputs if plain is values else _by_given_key(outputs, plain, values)
        outputs, updates = self._run(batches)
        self._keeper.keep(updates)
        return _by_given_key(outputs, plain, values)

    def peek(self, values: Mapping) -> dict:
        """Return what `push` would return, and change nothing."""
        plain = _checked_mapping(values)
        outputs, _ = self._run(batches_of(plain, self._signature, self._missing))
        return _by_given_key(outputs, plain, values)

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
        check_compiled(self.model)
        if not isinstance(pairs, Mapping) or not all(
            isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs.values()
        ):
            raise TypeError("learn takes a mapping {key: (x, y)}.")
        pairs = by_plain_key(pairs)
        inputs = {key: x for key, (x, _) in pairs.items()}
        targets = {key: y for key, (_, y) in pairs.items()}
        updates, windows = [], []  # the streams of windows[i] are those of updates[i]
        batches = batches_of(inputs, self._signature, self._missing)
        for batch in batches:
            rows = self._rows(batch.keys)
            rows["steps"] += len(batch.seen)
            y, known = checked_targets(
                batch, targets, self._signature, self._windows.target, ignored_class(self.model)
            )
            for which, window in self._windows.extended(rows, batch.x, y, known):
                some = {name: array[which] for name, array in rows.items()}
                updates.append(([batch.keys[i] for i in which], some))
                windows.append(window if batch.x.shape[1] else None)
        if not any(windows):
            self._keeper.keep(updates)
            return {}
        new = max(batch.x.shape[1] for batch in batches)
        step = self._learner.prepared([w for w in windows if w], new, self._engine)
        change = self._keeper.planned(updates, undo=step.undo)
        table = self._keeper.table
        try:
            table.change = change
            logs = step.take()
            for (keys, rows), window in zip(updates, windows, strict=True):
                if window:
                    rows |= self._recomputed(window)
                    self._check_finite(keys, rows)
            self._keeper.do(change, updates)
        finally:
            table.settle()  # takes the weights back where it came to nothing
        return logs

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
        if not keys:
            return {}
        rows = self._keeper.gather(self._joined(keys))
        output, state = rows["output"], [rows[name] for name in self._signature.state]
        silent = np.isnan(output).reshape(len(keys), -1).any(axis=1)
        if silent.any():
            raise ValueError(
                f"Key {keys[int(np.argmax(silent))]!r} has no output to go on from: push a step "
                "first."
            )
        outputs = [output]
        for step in range(horizon - 1):
            fed = np.asarray(output if feed_back is None else feed_back(output, step))
            if fed.shape != (len(keys), *self._signature.features):
                raise ValueError(
                    f"The output can't be fed back: it has the shape {fed.shape}, an input step "
                    f"{(len(keys), *self._signature.features)}, (batch, features). Let the model "
                    "predict all its input features, or give feed_back=..."
                )
            if self._signature.vocabulary is not None:
                check_tokens("The outputs that are fed back", fed, self._signature.vocabulary)
            x = fed.astype(self._signature.dtype, copy=False)[:, None]
            output, state = self._engine.step(x, state)
            output = output[:, -1] if self._signature.sequences else output
            outputs.append(output)
        return dict(zip(keys, np.stack(outputs, axis=1), strict=True))

    def join(self, keys: Iterable | str | int) -> None:
        """Let new keys begin at the initial state; keys that are there already go on as they are.

        Raises:
            TypeError, ValueError: if a key isn't text or an integer of 64 bits.
            OSError: if the store can't be written.
        """
        new = self._keeper.table.strangers(plain_keys(keys))
        if new:
            self._keeper.keep([(new, self._keeper.fresh(len(new)))])

    def forget(self, keys: Iterable | str | int) -> None:
        """Let keys leave; their states are gone.

        Raises:
            KeyError: if a key hasn't joined; then no key leaves.
            OSError: if the store can't be written.
        """
        self._keeper.remove(self._joined(plain_keys(keys)))

    def reset(self, keys: Iterable | str | int | None = None) -> None:
        """Take keys back to the initial state and to 0 steps; None for all keys.

        Raises:
            KeyError: if a key hasn't joined; then none is reset.
            OSError: if the store can't be written.
        """
        keys = self.keys() if keys is None else self._joined(plain_keys(keys))
        if keys:
            self._keeper.keep([(keys, self._keeper.fresh(len(keys)))])

    def state(self, key: str | int) -> State:
        """Return a copy of a key's state, of one sample.

        Raises:
            KeyError: if the key hasn't joined.
        """
        return self._signature.as_state(self._keeper.gather(self._joined([plain_key(key)])))

    def set_state(self, key: str | int, state: State) -> None:
        """Replace a key's state by one of one sample; what is pushed next goes on from there.

        Raises:
            KeyError: if the key hasn't joined and ``unknown="refuse"``.
            ValueError: if the state is of another model, or not of one sample.
            FloatingPointError: if it holds NaN or an infinity.
            OSError: if the store can't be written.
        """
        keys = [plain_key(key)]
        rows = self._rows(keys)
        check_same_layers(self._signature.as_state(rows), state)
        if state.batch != 1:
            raise ValueError(f"A key's state is of 1 sample; got {state.batch}.")
        for name in self._signature.state:
            layer, array = name.rsplit(":", 1)
            rows[name] = np.array(state[layer][array])
        self._check_finite(keys, rows)
        rows["output"] = np.full_like(rows["output"], np.nan)  # nobody knows it
        self._keeper.keep([(keys, rows | self._windows.anew(rows))])

    def steps(self, key: str | int) -> int:
        """Return how many time steps have arrived for a key since it joined or was reset.

        Raises:
            KeyError: if the key hasn't joined.
        """
        key = plain_key(key)
        newest = self._keeper.table.newest.get(key)
        if newest is not None:
            return newest[2]
        return int(self._keeper.gather(self._joined([key]))["steps"][0])

    def keys(self) -> list[str | int]:
        """Return the keys."""
        return list(self._keeper.table)

    def close(self) -> None:
        """Close the store; without one there is nothing to close."""
        self._keeper.close()

    def __getitem__(self, key: str | int) -> Stream:
        return Stream(self, key)

    def __contains__(self, key: object) -> bool:
        try:
            return plain_key(key) in self._keeper.table
        except (TypeError, ValueError):  # True and 1.0 are no keys, equal to 1 as they are
            return False

    def __iter__(self) -> Iterator[str | int]:
        return iter(self._keeper.table)

    def __len__(self) -> int:
        return len(self._keeper.table)

    def __enter__(self) -> "Streams":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __reduce__(self):
        """Pickle or copy streams in memory: the model, the options, and all that is kept."""
        store = self._keeper.store
        if store is not None:
            raise TypeError(
                f"These streams keep their states in {store.path}, which one process at a time has "
                "open, so they can't be pickled or copied. Close them, and let the other process "
                "make Streams(model, store=...) of its own."
            )
        options = {
            "unknown": "join" if self._joins else "refuse",
            "missing": self._missing,
            "history": self._windows.history,
        }
        keys = self.keys()
        rows = self._keeper.gather(keys)
        return unpickled, (_restored, type(self), self.model, options, keys, rows)

    def __repr__(self) -> str:
        store = self._keeper.store
        where = "memory" if store is None else str(store.path)
        return f"<Streams of {self.model.name!r}: {len(self)} keys in {where}>"

    def _run(self, batches: Sequence[Batch]) -> tuple[dict, list]:
        """Return each key's output, and the rows to be kept."""
        outputs, updates = {}, []
        for batch in batches:
            rows = self._rows(batch.keys)
            rows["steps"] += len(batch.seen)
            y = None
            if batch.x.shape[1]:
                y, state = self._engine.step(
                    batch.x, [rows[name] for name in self._signature.state]
                )
                kept = self._extended(rows, batch.x)
                rows |= dict(zip(self._signature.state, state, strict=True)) | kept
                self._check_finite(batch.keys, rows)
                rows["output"] = y[:, -1] if self._signature.sequences else y
            outputs.update(zip(batch.keys, self._laid_out(batch, y), strict=True))
            updates.append((batch.keys, rows))
        return outputs, updates

    def _laid_out(self, batch: Batch, y: np.ndarray | None) -> np.ndarray:
        """Return the outputs as they are handed out, NaN where nothing was run."""
        count, shape = len(batch.keys), self._signature.outputs
        if not self._signature.sequences:
            return y if batch.seen[-1] else np.full((count, *shape), np.nan, "float32")
        if not batch.seen.all():
            whole = np.full((count, len(batch.seen), *shape), np.nan, "float32")
            if y is not None:
                whole[:, batch.seen] = y
            y = whole
        return y[:, 0] if batch.single else y

    def _pushed_in_place(self, batch: Batch) -> dict | None:
        """Push one step where the states lie; None where that can't be done."""
        engine, table = self._engine, self._keeper.table
        if batch.x.shape[1] != 1 or not batch.tame:
            return None
        engine.refresh()
        if not engine.tame:
            return None
        several = self._signature.sequences and not batch.single
        if len(batch.keys) == 1:
            (key,) = batch.keys
            if (newest := table.newest.get(key)) is None:
                if key not in table:
                    return None
                newest = table.newest_of(key)
            state, _, steps = newest
            y, state = engine.run(batch.x[:, 0], state)
            # The push is done by this one operation: before it, nothing has changed.
            table.newest[key] = (state, y[0].copy(), steps + 1)
            return {key: y if several else y[0]}
        slots = table.find_all(batch.keys)
        if slots is None:
            return None
        columns = table.columns
        state = [columns[name] for name in self._signature.state]
        change = InPlace(slots, columns["steps"][slots] + 1)
        try:
            table.change = change
            # One call, run through in C: no interruption comes between the states and the mark.
            update = partial(engine.update, batch.x[:, 0], state, rows=slots)
            change.decided.extend(map(call, (update,)))
            change.apply(table)
            table.change = None
        finally:
            table.settle()
        y = change.decided[0]
        return dict(zip(batch.keys, y[:, None] if several else y, strict=True))

    def _extended(self, rows: dict, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of the windows after new steps without targets."""
        history = self._windows.history
        if not history:
            return {}
        columns = {name: np.empty_like(rows[name]) for name in self._windows.first_rows()}
        for which, window in self._windows.extended(rows, x):
            kept = self._windows.kept(window.shortened(history, self._engine))
            for name, array in kept.items():
                columns[name][which] = array
        return columns

    def _recomputed(self, window: Window) -> dict[str, np.ndarray]:
        """Return the columns after the steps of a window, run with the weights as they are now."""
        kept = window.shortened(self._windows.history, self._engine)
        whole = kept if self._windows.history else window
        output, state = self._engine.step(whole.x, whole.begin)
        return {
            **dict(zip(self._signature.state, state, strict=True)),
            "output": output[:, -1] if self._signature.sequences else output,
            **self._windows.kept(kept),
        }

    def _rows(self, keys: list) -> dict[str, np.ndarray]:
        """Return copies of the rows of keys; those of a beginning where keys may join."""
        return self._keeper.gather(keys if self._joins else self._joined(keys))

    def _check_finite(self, keys: list, rows: Mapping[str, np.ndarray]) -> None:
        """Refuse states from which a stream could never go on.

        Raises:
            FloatingPointError: if a state holds NaN or an infinity; it names the key.
        """
        for name in self._finite:
            array = rows[name]
            if isfinite(np.vdot(array, array)):
                continue
            lost = ~np.isfinite(array).reshape(len(keys), -1).all(axis=1)
            if lost.any():
                raise FloatingPointError(
                    f"The state of key {keys[int(np.argmax(lost))]!r} would hold NaN or an "
                    f"infinity (in {name}), from which no stream recovers, so nothing was changed. "
                    "Look for inputs that aren't scaled and for weights spoilt by a training."
                )

    def _joined(self, keys: list) -> list:
        """Refuse keys that haven't joined."""
        strangers = self._keeper.table.strangers(keys)
        if strangers:
            more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
            raise KeyError(
                f"No such key: {', '.join(map(repr, strangers[:3]))}{more}. There are {len(self)} "
                "keys; join(keys) lets new ones begin."
            )
        return keys


def _restored(kind: type, model: keras.Model, options: dict, keys: list, rows: dict) -> Streams:
    """Return streams as they were when they were pickled."""
    streams = kind(model, **options)
    names = dict(zip(rows, streams._keeper.fresh(0), strict=True))  # layers may have other names
    streams._keeper.keep([(keys, {names[name]: array for name, array in rows.items()})])
    return streams


def _checked_mapping(values: Mapping) -> Mapping:
    """Return what arrived with plain keys."""
    if not isinstance(values, Mapping):
        raise TypeError(f"push takes a mapping {{key: values}}, got a {type(values).__name__}.")
    return by_plain_key(values)


def _by_given_key(outputs: dict, plain: Mapping, values: Mapping) -> dict:
    """Return the outputs in the order in which the keys were given, and by these."""
    return dict(zip(values, map(outputs.__getitem__, plain), strict=True))


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name}={value!r}: expected {' or '.join(map(repr, choices))}.")
