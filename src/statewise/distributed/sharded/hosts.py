"""Hosts: where a shard of streams lives, and how it is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras

from statewise.streams.shard import Shard


class HostLostError(Exception):
    """A host died, or doesn't answer, before an answer came: nobody knows what it had done."""


class Host(Protocol):
    """Where one shard lives."""

    def ask(self, method: str, *arguments: Any) -> Callable[[], Any]:
        """Begin a method of `Shard`; return what waits for its answer.

        That raises `HostLostError`, or what the method raised.
        """

    def revive(self) -> None:
        """Open the shard again from its store, on a new host.

        Raises:
            Exception: where it can't be opened there.
        """

    def close(self) -> None:
        """Close the shard, and leave the host."""


class Hosts(Protocol):
    """What makes hosts."""

    def opener(self, model: keras.Model, options: dict[str, Any]) -> Callable[[Path | None], Host]:
        """Return what opens a shard, given the path of its store; None for memory alone.

        Args:
            model: as for `Streams`.
            options: of `Streams`.
        """


class InProcess:
    """Shards in this process, one beside the other: without gain, without need of anything.

    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(4)])
    >>> host = InProcess().opener(model, {})(None)
    >>> host.ask("strangers", ["north"])()
    ['north']
    """

    def opener(self, model: keras.Model, options: dict[str, Any]) -> Callable[[Path | None], Host]:
        """Return what opens a shard; see `Hosts.opener`."""
        return lambda store: _InProcessHost(model, store, options)

    def __repr__(self) -> str:
        return "InProcess()"


class _InProcessHost:
    def __init__(self, model: keras.Model, store: Path | None, options: dict[str, Any]):
        self._make = lambda: Shard(model, store, **options)
        self.shard = self._make()

    def ask(self, method: str, *arguments: Any) -> Callable[[], Any]:
        try:
            result = getattr(self.shard, method)(*arguments)
        except Exception as error:
            return _raising(error)
        return lambda: result

    def revive(self) -> None:
        self.shard.close()
        self.shard = self._make()

    def close(self) -> None:
        self.shard.close()


def _raising(error: Exception) -> Callable[[], Any]:
    def wait() -> Any:
        raise error

    return wait
