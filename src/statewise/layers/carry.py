"""How a state enters and leaves the recurrent layers of a model.

There are two ways, and a layer that is called uses the first that applies:

1. a `Carry` around the call: whoever runs a model as a function ``(inputs, state) -> (outputs,
   state)`` hands every layer its state and collects what they end with. Nothing is kept in the
   layers; it works under ``jax.jit`` and ``jax.grad``.
2. a stateful layer's own `Memory`, Keras's ``stateful=True``: what it ended with in the last call
   is where it begins in the next (see `statewise.layers.memory`).

A layer with neither begins at its initial state, and what it ends with is dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar

import keras
from jax import Array

_current: ContextVar["Carry | None"] = ContextVar("carry", default=None)


class Carry:
    """The states that go into one call of a model, and those that come out of it.

    Args:
        states: for each layer that takes part, the arrays of its state, or None for its initial
            state.
        resets: bool ``(batch, time)``, True where a new sequence begins; None for nowhere.

    Attributes:
        final: for each layer, the arrays it ended with.

    >>> import jax.numpy as jnp
    >>> from statewise.layers import GRU
    >>> layer = GRU(3)
    >>> x = jnp.ones((2, 5, 1))
    >>> with Carry({layer: None}) as first:
    ...     _ = layer(x[:, :2])
    >>> with Carry(first.final) as second:
    ...     in_two_parts = layer(x[:, 2:])
    >>> bool(jnp.allclose(in_two_parts, layer(x), atol=1e-6))
    True
    """

    def __init__(
        self,
        states: Mapping["keras.Layer", Sequence[Array] | None],
        resets: Array | None = None,
    ):
        self._states = {id(layer): arrays for layer, arrays in states.items()}
        self._layers = {id(layer): layer for layer in states}
        self._final: dict[int, list[Array]] = {}
        self._again: set[int] = set()
        self._given: set[int] = set()
        self.resets = resets

    def __enter__(self) -> "Carry":
        self._token = _current.set(self)
        return self

    def __exit__(self, *exception) -> None:
        _current.reset(self._token)

    def __contains__(self, layer: "keras.Layer") -> bool:
        return id(layer) in self._states

    def enter(self, layer: "keras.Layer") -> Sequence[Array] | None:
        """Return the state with which ``layer`` begins; None means its initial state.

        A layer that is called again within the same call goes on from where it ended.
        """
        if id(layer) in self._final:
            self._again.add(id(layer))
            return self._final[id(layer)]
        return self._states[id(layer)]

    def begin_elsewhere(self, layer: "keras.Layer") -> None:
        """Note that ``layer`` begins at a state that the model itself gives it."""
        self._given.add(id(layer))

    def leave(self, layer: "keras.Layer", arrays: Sequence[Array]) -> None:
        """Take the state with which ``layer`` ended."""
        self._final[id(layer)] = list(arrays)

    @property
    def final(self) -> dict["keras.Layer", Sequence[Array] | None]:
        """For each layer the arrays it ended with, or what it was given if it wasn't called."""
        return {
            layer: self._final[key] if key in self._final else self._states[key]
            for key, layer in self._layers.items()
        }

    def ended(self, layers: Iterable["keras.Layer"]) -> list[Sequence[Array] | None]:
        """Return what each of these layers ended with, where that is its state.

        Raises:
            ValueError: if a layer was called more than once, each time at its initial state but for
                this `Carry`; one state can't stand for both. (A stateful layer goes on from call to
                call, so it may be called again.) If the model gives a layer its initial state: then
                it would begin there at every step. (A stateful layer does so in every batch.)
        """
        for layer in layers:
            if id(layer) in self._given and not layer.stateful:
                raise ValueError(
                    f"Layer {layer.name!r} is given its initial state within the model, so it "
                    "can't go on from a carried one. A forecast can show the model windows "
                    "instead: forecast(x, horizon, window=...)."
                )
            if id(layer) in self._again and not layer.stateful:
                raise ValueError(
                    f"Layer {layer.name!r} is called more than once in a call of the model, and "
                    "each of these calls has a state of its own, so the state can't be carried. "
                    "Give each call a layer of its own."
                )
        final = self.final
        return [final[layer] for layer in layers]


def current_carry() -> Carry | None:
    """Return the `Carry` around the running call, if there is one."""
    return _current.get()
