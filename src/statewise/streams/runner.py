"""Runs a model over what arrived for some keys, each from its own state."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite
from operator import call

import numpy as np

from statewise.streams.arrivals import Batch, check_tokens
from statewise.streams.engines import Engine, NativeEngine
from statewise.streams.history import History, RecentSteps
from statewise.streams.keyed_states import KeyedStates, Update
from statewise.streams.signature import Signature
from statewise.streams.slots import InPlace


class Runner:
    """What a push computes, and a look ahead.

    Args:
        engine: steps the model.
        signature: of the model.
        states: of all keys.
        history: what is kept for learning.
        joins: whether a key that isn't there begins with what arrives for it.

    Attributes:
        engine, signature, states, history: as given.
        native: the engine, where it may change the states where they lie; else None.
    """

    def __init__(
        self,
        engine: Engine,
        signature: Signature,
        states: KeyedStates,
        history: History,
        *,
        joins: bool,
    ):
        self.engine, self.signature = engine, signature
        self.states, self.history = states, history
        self._joins = joins
        # The native step writes to all of its rows or, where it refuses, to none.
        self.native: NativeEngine | None = None
        if isinstance(engine, NativeEngine) and states.store is None and not history.steps:
            self.native = engine
        # What is finite in every state, but for a model of somebody else's that begins with more.
        self._finite = [
            name
            for name, row in signature.state.items()
            if row.dtype.kind == "f" and np.isfinite(row).all()
        ]

    def run(self, batches: Sequence[Batch]) -> tuple[dict, list[Update]]:
        """Return each key's output, and the rows that its push makes.

        Raises:
            KeyError: if a key isn't there and may not join.
            FloatingPointError: if a state would become NaN or infinite.
        """
        outputs: dict = {}
        updates: list[Update] = []
        for batch in batches:
            rows = self.rows(batch.keys)
            rows["steps"] += len(batch.seen)
            y = None
            if batch.x.shape[1]:
                y, state = self.engine.step(batch.x, [rows[name] for name in self.signature.state])
                kept = self._extended(rows, batch.x)
                rows |= dict(zip(self.signature.state, state, strict=True)) | kept
                self.check_finite(batch.keys, rows)
                rows["output"] = y[:, -1] if self.signature.sequences else y
            outputs.update(zip(batch.keys, self._laid_out(batch, y), strict=True))
            updates.append((batch.keys, rows))
        return outputs, updates

    def push_in_place(self, batch: Batch, values: Mapping) -> dict | None:
        """Push one step where the states lie, and return each key's output.

        Args:
            batch: what arrived.
            values: of which it was made, with the same keys.

        Returns:
            The outputs; None where that can't be done: for several steps, keys that aren't there,
            and numbers so large that a state might become infinite.
        """
        engine, table = self.native, self.states.table
        if engine is None or batch.x.shape[1] != 1 or not batch.tame:
            return None
        engine.refresh()
        if not engine.tame:
            return None
        several = self.signature.sequences and not batch.single
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
        # A copy, as that needs no look at the keys, whose values are then replaced by the outputs.
        outputs = values.copy() if type(values) is dict else dict.fromkeys(batch.keys)
        columns = table.columns
        arrays = [columns[name] for name in self.signature.state]
        change = InPlace(slots, columns["steps"][slots] + 1)
        # One call, run through in C: no interruption comes between states, outputs and the mark.
        update = partial(
            engine.update,
            batch.x[:, 0],
            arrays,
            rows=slots,
            kept=columns["output"],
            into=None if several else outputs,
        )
        try:
            table.change = change
            change.decided.extend(map(call, (update,)))
            change.apply(table)
            table.change = None
        finally:
            table.settle()
        if several:
            outputs = dict(zip(batch.keys, change.decided[0][:, None], strict=True))
        return outputs

    def forecast(self, keys: list, horizon: int, feed_back: Callable | None) -> dict:
        """Look ahead in closed loop, see `Streams.forecast`."""
        rows = self.states.gather(self.states.known(keys))
        output, state = rows["output"], [rows[name] for name in self.signature.state]
        silent = np.isnan(output).reshape(len(keys), -1).any(axis=1)
        if silent.any():
            raise ValueError(
                f"Key {keys[int(np.argmax(silent))]!r} has no output to go on from: push a step "
                "first."
            )
        outputs = [output]
        for step in range(horizon - 1):
            fed = np.asarray(output if feed_back is None else feed_back(output, step))
            if fed.shape != (len(keys), *self.signature.features):
                raise ValueError(
                    f"The output can't be fed back: it has the shape {fed.shape}, an input step "
                    f"{(len(keys), *self.signature.features)}, (batch, features). Let the model "
                    "predict all its input features, or give feed_back=..."
                )
            if self.signature.vocabulary is not None:
                check_tokens("The outputs that are fed back", fed, self.signature.vocabulary)
            x = fed.astype(self.signature.dtype, copy=False)[:, None]
            output, state = self.engine.step(x, state)
            output = output[:, -1] if self.signature.sequences else output
            outputs.append(output)
        return dict(zip(keys, np.stack(outputs, axis=1), strict=True))

    def recomputed(self, recent: RecentSteps) -> dict[str, np.ndarray]:
        """Return the columns after these steps, run with the weights as they are now."""
        kept = recent.shortened(self.history.steps, self.engine)
        whole = kept if self.history.steps else recent
        output, state = self.engine.step(whole.x, whole.begin)
        return {
            **dict(zip(self.signature.state, state, strict=True)),
            "output": output[:, -1] if self.signature.sequences else output,
            **self.history.kept(kept),
        }

    def rows(self, keys: list) -> dict[str, np.ndarray]:
        """Return copies of the rows of keys; those of a beginning where keys may join.

        Raises:
            KeyError: if a key isn't there and may not join.
        """
        return self.states.gather(keys if self._joins else self.states.known(keys))

    def check_finite(self, keys: list, rows: Mapping[str, np.ndarray]) -> None:
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

    def _laid_out(self, batch: Batch, y: np.ndarray | None) -> np.ndarray:
        """Return the outputs as they are handed out, NaN where nothing was run."""
        count, shape = len(batch.keys), self.signature.outputs
        if not self.signature.sequences:
            if y is not None and batch.seen[-1]:
                return y
            return np.full((count, *shape), np.nan, "float32")
        if y is None or batch.x.shape[1] < len(batch.seen):
            whole = np.full((count, len(batch.seen), *shape), np.nan, "float32")
            if y is not None:
                whole[:, batch.seen] = y
            y = whole
        return y[:, 0] if batch.single else y

    def _extended(self, rows: dict, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of the history after new steps without targets."""
        if not self.history.steps:
            return {}
        columns = {name: np.empty_like(rows[name]) for name in self.history.first_rows()}
        for which, recent in self.history.extended(rows, x):
            kept = self.history.kept(recent.shortened(self.history.steps, self.engine))
            for name, array in kept.items():
                columns[name][which] = array
        return columns
