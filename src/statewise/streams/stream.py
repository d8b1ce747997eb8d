"""A handle on one stream: the leanest way to push one step after the other."""

from math import hypot, sqrt
from typing import TYPE_CHECKING

import numpy as np

from statewise._runtime.forks import unpickled
from statewise.models.state import State
from statewise.streams.engines import TAME, NativeEngine
from statewise.streams.keys import plain_key
from statewise.streams.slots import Newest

if TYPE_CHECKING:
    from statewise.streams.streams import Streams

_TAME = sqrt(TAME)


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
        self.key = plain_key(key)
        self._streams = streams
        self._table = streams._states.table
        self._newest = self._table.newest
        signature = streams._signature
        self._features, self._dtype = signature.features, signature.dtype
        self._engine = streams._runner.native
        self._check_joined()

    def push(self, values) -> np.ndarray:
        """Run over what arrived, and return the output, see `Streams.push`.

        One float32 step ``(features,)`` is the quickest.
        """
        engine = self._engine
        if engine is not None:
            x = np.asarray(values)
            if x.shape == self._features and x.dtype is self._dtype and hypot(*x.tolist()) < _TAME:
                newest, key = self._newest, self.key
                now = newest.get(key)
                if now is None or not engine.weights.are_current():
                    now = self._begin(engine)
                if now is not None:
                    state, _, steps = now
                    y, state = engine.run(x[None], state)
                    y = y[0]
                    # The push is done by this one operation: before it, nothing has changed.
                    newest[key] = (state, y.copy(), steps + 1)
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

    def __reduce__(self):
        """Pickle or copy the handle with its streams."""
        return unpickled, (Stream, self._streams, self.key)

    def __repr__(self) -> str:
        return f"<Stream {self.key!r}, {self.steps} steps>"

    def _check_joined(self) -> None:
        self._streams._states.known([self.key])

    def _begin(self, engine: NativeEngine) -> Newest | None:
        """Return the stream's rows, the weights being those of now; None where these are wild."""
        engine.refresh()
        if not engine.tame:
            return None
        try:
            return self._table.newest_of(self.key)
        except KeyError:
            return None  # to be told what is wrong, like the rest
