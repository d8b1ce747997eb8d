"""The last steps of each stream, kept so that a gradient reaches back over them."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from statewise.streams.engines import Engine
from statewise.streams.signature import Signature

_PREFIX = "history:"


class RecentSteps(NamedTuple):
    """The same number of time steps of some streams.

    Attributes:
        begin: the arrays of the state before the first of these steps, ``(streams, ...)`` each.
        x: ``(streams, time, features)``.
        y: targets ``(streams, time, ...)``; zeros where none is known.
        known: where there is a target, bool ``(streams, time)``.
    """

    begin: list[np.ndarray]
    x: np.ndarray
    y: np.ndarray
    known: np.ndarray

    def shortened(self, time: int, engine: Engine) -> "RecentSteps":
        """Return the last ``time`` steps; the state runs over those before."""
        over = self.x.shape[1] - time
        if over <= 0:
            return self
        begin = engine.step(self.x[:, :over], self.begin)[1]
        return RecentSteps(begin, self.x[:, over:], self.y[:, over:], self.known[:, over:])


class History:
    """How each stream's last steps lie in the columns of a slot table, and are read from there.

    Args:
        steps: how many are kept.
        signature: of the model.
        target: the shape of one step's target.
    """

    def __init__(self, steps: int, signature: Signature, target: tuple[int, ...]):
        self.steps = steps
        self.target = target
        self._names = list(signature.state)
        self._first = {
            **{_PREFIX + name: row for name, row in signature.state.items()},
            _PREFIX + "x": np.zeros((steps, *signature.features), signature.dtype),
            _PREFIX + "y": np.zeros((steps, *target), "float32"),
            _PREFIX + "known": np.zeros(steps, bool),
            _PREFIX + "length": np.zeros((), "int64"),
        }

    def first_rows(self) -> dict[str, np.ndarray]:
        """Return the columns, as they are for a key that begins; none where nothing is kept."""
        return dict(self._first) if self.steps else {}

    def anew(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the columns for streams of which nothing but the state is known."""
        if not self.steps:
            return {}
        count = len(rows[self._names[0]])
        empty = {
            name: np.broadcast_to(row, (count, *row.shape)) for name, row in self._first.items()
        }
        return empty | {_PREFIX + name: rows[name] for name in self._names}

    def extended(
        self, rows: Mapping[str, np.ndarray], x: np.ndarray, y=None, known=None
    ) -> Iterator[tuple[np.ndarray, RecentSteps]]:
        """Yield what is kept with new steps after it, for streams of the same length together.

        Args:
            rows: the columns of a slot table for some streams.
            x: ``(streams, time, features)``, the new steps.
            y: their targets ``(streams, time, ...)``; None for none.
            known: where there is a target, bool ``(streams, time)``.

        Yields:
            ``(which, recent)``: the numbers of the streams, and what there is of them.
        """
        y = np.zeros((*x.shape[:2], *self.target), "float32") if y is None else y
        known = np.zeros(x.shape[:2], bool) if known is None else known
        if not self.steps:
            yield np.arange(len(x)), RecentSteps([rows[name] for name in self._names], x, y, known)
            return
        lengths = rows[_PREFIX + "length"]
        for length in np.unique(lengths):
            which = np.flatnonzero(lengths == length)

            def joined(name, new, which=which, length=length):
                return np.concatenate([rows[_PREFIX + name][which, :length], new[which]], axis=1)

            begin = [rows[_PREFIX + name][which] for name in self._names]
            recent = RecentSteps(begin, joined("x", x), joined("y", y), joined("known", known))
            yield which, recent

    def kept(self, recent: RecentSteps) -> dict[str, np.ndarray]:
        """Return the columns for steps that are no more than are kept."""
        if not self.steps:
            return {}
        count, length = recent.known.shape

        def filled(array):
            whole = np.zeros((count, self.steps, *array.shape[2:]), array.dtype)
            whole[:, :length] = array
            return whole

        begin = zip(self._names, recent.begin, strict=True)
        return {
            **{_PREFIX + name: array for name, array in begin},
            _PREFIX + "x": filled(recent.x),
            _PREFIX + "y": filled(recent.y),
            _PREFIX + "known": filled(recent.known),
            _PREFIX + "length": np.full(count, length, "int64"),
        }
