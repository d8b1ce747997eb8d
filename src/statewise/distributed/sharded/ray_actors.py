"""Shards on actors of a Ray cluster, each a process of its own."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras

from statewise.distributed.executors.worker import thread_limits, version
from statewise.distributed.ray_cluster import connect, refused_version
from statewise.distributed.sharded.hosts import Host, HostLostError
from statewise.sequences.arrays import check_count
from statewise.sequences.tables import counted

_PATIENCE = 30.0  # seconds for an actor to begin, before it's asked whether there's room for it


class RayActors:
    """Hosts that are actors of Ray, one for each shard; see `ShardedStreams`.

    They spread over the cluster's nodes. An actor with a store that dies comes back on its own
    node, where the file is; if that node is gone, so is the shard until the node is back.

    Args:
        address: of a cluster, as for `Ray`.
        cpus: cores of each actor.

    Raises:
        ImportError: where Ray isn't installed.
        ConnectionError: where no cluster is at the address; it takes 10 seconds at most.

    >>> RayActors(cpus=0)
    Traceback (most recent call last):
    ...
    ValueError: cpus must be at least 1, but is 0...
    """

    def __init__(self, address: str | None = None, *, cpus: int = 1):
        self._cpus = check_count(cpus, "cpus")
        self._ray = connect(address)

    def opener(self, model: keras.Model, options: dict[str, Any]) -> Callable[[Path | None], Host]:
        """Return what opens a shard; see `Hosts.opener`."""
        actor = self._ray.remote(
            num_cpus=self._cpus,
            max_restarts=0,  # Ray would begin it anew without its states, and say nothing
            runtime_env={"env_vars": thread_limits(self._cpus)},
        )(_actor())
        kept = [self._ray.put(model)]  # a list: the actor fetches it when its version is known
        hosts: set[_RayHost] = set()
        return lambda store: _RayHost(self._ray, actor, self._cpus, hosts, (kept, store, options))

    def __repr__(self) -> str:
        return f"RayActors(cpus={self._cpus})"


class _RayHost:
    def __init__(
        self,
        ray: Any,
        actor: Any,
        cpus: int,
        hosts: "set[_RayHost]",
        given: tuple[list, Path | None, dict],
    ):
        self._ray, self._actor, self._cpus, self._open = ray, actor, cpus, hosts
        hosts.add(self)
        self._model, store, self._options = given
        # A path is another one where another process stands.
        self._store = None if store is None else str(store.absolute())
        self._node: str | None = None
        self._begin()

    def ask(self, method: str, *arguments: Any) -> Callable[[], Any]:
        reference = self._handle.ask.remote(method, *arguments)
        return lambda: self._got(reference)

    def revive(self) -> None:
        self._ray.kill(self._handle)  # one that is only out of reach would keep the file
        self._begin()

    def close(self) -> None:
        if self._answered:
            with suppress(self._ray.exceptions.RayError):  # where it's gone already
                self._ray.get(self._handle.ask.remote("close"))
        self._ray.kill(self._handle)
        self._open.discard(self)

    def _begin(self) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._answered = False
        where: Any = "SPREAD"
        if self._node is not None:
            where = NodeAffinitySchedulingStrategy(self._node, soft=False)
        self._handle = self._actor.options(scheduling_strategy=where).remote(
            version(), self._model, self._store, self._options
        )
        if self._store is not None and self._node is None:
            self._found = self._handle.node.remote()

    def _got(self, reference: Any) -> Any:
        errors = self._ray.exceptions
        try:
            self._wait_for(reference)
            if self._store is not None and self._node is None:
                self._node = self._ray.get(self._found)
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            cause = getattr(error, "cause", None)
            raise (cause if isinstance(cause, Exception) else error) from None
        except errors.RayActorError as error:
            raise HostLostError(str(error)) from None

    def _wait_for(self, reference: Any) -> None:
        """Wait for an answer, but not for ever for an actor that there is no room for."""
        while not self._answered:
            ready, _ = self._ray.wait([reference], timeout=_PATIENCE)
            there = self._ray.cluster_resources().get("CPU", 0)
            if not ready and there < self._cpus * len(self._open):
                shards = counted(len(self._open), "shard")
                raise RuntimeError(
                    f"the Ray cluster has no room for {shards}: it has {there:g} cores, and a "
                    f"shard takes {self._cpus}: take fewer shards, or more nodes"
                )
            self._answered = bool(ready)


def _actor() -> type:
    """Return the class of the actors, which Ray sends along: see `Ray`'s tasks."""
    words = refused_version()

    class StatewiseShard:
        def __init__(self, wanted: str, model: list, store: str | None, options: dict):
            self._given, self._wanted, self._shard = (model, store, options), wanted, None

        def node(self) -> str:
            import ray

            return ray.get_runtime_context().get_node_id()

        def pid(self) -> int:
            return os.getpid()

        def ask(self, method: str, *arguments: Any) -> Any:
            if self._shard is None:  # not in the beginning: what that raises, Ray keeps to itself
                self._shard = self._opened()
            return getattr(self._shard, method)(*arguments)

        def _opened(self) -> Any:
            try:
                from statewise._version import __version__ as have
            except ImportError:
                have = "none"
            if have != self._wanted:
                raise RuntimeError(words.format(have=have, wanted=self._wanted))
            import ray

            from statewise.streams.shard import Shard

            model, store, options = self._given
            return Shard(ray.get(model[0]), store, **options)

    return StatewiseShard
