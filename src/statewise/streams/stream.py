"""A handle on one stream: the leanest way to push one step after the other."""

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from statewise.models.state import State

if TYPE_CHECKING:
    from statewise.streams.streams import Streams


class Stream:
    """One of the streams, made by ``streams[key]``; it stays good while the key is there.

    Args:
        streams: all of them.
        key: which one.

    Raises:
        KeyError: if there is no such key; also later, from any method, once it's forgotten.

    >>> import numpy as np
    >>> from statewise import Sequential, layers
    >>> from statewise.streams import Streams
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(4), layers.Dense(1)])
    >>> streams = Streams(model)
    >>> streams.join("north")
    >>> north = streams["north"]
    >>> north.push(np.array([1.0, 2.0], "float32")).shape
    (1,)
    """

    def __init__(self, streams: "Streams", key: str | int):
        self.key = key
        self._streams = streams
        self._table = streams._keeper.table
        signature = streams._signature
        self._features, self._dtype = signature.features, signature.dtype
        self._weights = streams._engine.weights if streams._in_place else None
        self._generation = -1
        self._bind()

    def push(self, values) -> np.ndarray:
        """Run over what arrived, and return the output, see `Streams.push`.

        One float32 step ``(features,)`` is the quickest.
        """
        if self._weights is not None:
            x = np.asarray(values)
            if x.shape == self._features and x.dtype == self._dtype and isfinite(sum(x.tolist())):
                if self._generation != self._table.generation or not self._weights.are_current():
                    self._bind()
                y = self._update(x[None], self._state)[0]
                self._output[:] = y
                self._steps[0] += 1
                return y
        self._check_joined()
        return self._streams.push({self.key: values})[self.key]

    def forecast(self, horizon: int, *, feed_back=None) -> np.ndarray:
        """Look ahead, ``(horizon, outputs)``; the state stays. See `Streams.forecast`."""
        return self._streams.forecast(self.key, horizon, feed_back=feed_back)[self.key]

    @property
    def state(self) -> State:
        """A copy of the stream's state."""
        return self._streams.state(self.key)

    @property
    def steps(self) -> int:
        """How many time steps have arrived."""
        return self._streams.steps(self.key)

    def reset(self) -> None:
        """Go back to the initial state."""
        self._streams.reset(self.key)

    def __repr__(self) -> str:
        return f"<Stream {self.key!r}, {self.steps} steps>"

    def _check_joined(self) -> None:
        self._streams._joined([self.key])

    def _bind(self) -> None:
        """Find the stream's own rows; they are views, so the native step writes in place."""
        self._check_joined()
        slot = self._table[self.key]
        columns = self._table.columns
        signature = self._streams._signature
        self._state = tuple(columns[name][slot : slot + 1] for name in signature.state)
        self._output, self._steps = columns["output"][slot], columns["steps"][slot : slot + 1]
        self._generation = self._table.generation
        if self._weights is not None:
            self._update = self._streams._engine.live.update
