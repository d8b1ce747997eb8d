"""`ShardedStreams`: the states of many streams, spread by key over actors of a Ray cluster."""

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import keras

from statewise.distributed.sharded.errors import PartlyPushedError
from statewise.distributed.sharded.hosts import Hosts
from statewise.distributed.sharded.routing import keys_by_shard, outputs_by_key, parts_of
from statewise.distributed.sharded.shards import Shards
from statewise.models.state import State
from statewise.sequences.arrays import check_count
from statewise.streams.arguments import checked_choice
from statewise.streams.arrivals import Batch, batches_of
from statewise.streams.keys import Key, by_given_key, by_plain_key, plain_key, plain_keys
from statewise.streams.signature import signature_of

_DEFAULT, _MOST = 2, 1024  # shards


class ShardedStreams:
    """`Streams` spread by key over several shards, each with its own states and its own store.

    A key's shard follows from the key, so a push goes to the shards of its keys side by side, and
    comes back as one. `scale` changes how many shards there are while pushes go on.

    Every change is done once. Each is numbered; a shard notes in one transaction with the states
    which it did last and what that gave. If an actor dies (``kill -9``), its shard is opened again
    from its store and asked again: it does what it hasn't done, and says what it has. Without a
    store a shard's states die with it, and a `ShardLostError` says so.

    A push that one shard refuses, after all was checked that can be checked before, has happened
    for the keys of the others: a `PartlyPushedError` tells for which.

    May be used from several threads at once. One `ShardedStreams` at a time has a folder. The
    weights are those of the model when it was given; there is no ``learn``.

    Args:
        model: as for `Streams`; each shard has a copy.
        store: the folder of the shards' files (made where there is none), on a disk that the
            shards' machines see; None for memory alone.
        shards: how many; None for those that the folder has, or 2.
        hosts: where they live: `RayActors`, or `InProcess`; None for actors of the Ray that this
            process is connected to, or else of a local one.
        unknown, missing: as for `Streams`.

    Raises:
        ImportError: where Ray is needed and isn't installed.
        TypeError, ValueError: as `Streams`; where the folder is no whole one.
        BlockingIOError: where it's open elsewhere.

    >>> from statewise import Sequential, layers
    >>> from statewise.distributed import InProcess
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(4)])
    >>> streams = ShardedStreams(model, shards=2, hosts=InProcess())
    >>> outputs = streams.push({f"tank {i}": [0.5, 1.0] for i in range(100)})
    >>> streams.scale(3)
    >>> streams.shards, len(streams), streams.steps("tank 7")
    (3, 100, 1)
    """

    def __init__(
        self,
        model: keras.Model,
        store: str | os.PathLike | None = None,
        *,
        shards: int | None = None,
        hosts: Hosts | None = None,
        unknown: Literal["join", "raise"] = "join",
        missing: Literal["raise", "carry"] = "raise",
    ):
        self._joins = checked_choice("unknown", unknown, ("join", "raise")) == "join"
        self._missing = checked_choice("missing", missing, ("raise", "carry"))
        shards = None if shards is None else _checked_shards(shards)
        self.model, self._signature = model, signature_of(model)
        self._folder = None if store is None else Path(store)
        if hosts is None:
            from statewise.distributed.sharded.ray_actors import RayActors

            hosts = RayActors()
        opened = hosts.opener(model, {"unknown": unknown, "missing": missing})
        self._shards = Shards(opened, self._folder, shards or _DEFAULT, secrets.token_hex(8))
        if shards is not None:
            self.scale(shards)

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return len(self._shards)

    def push(self, values: Mapping) -> dict:
        """Run the model over what arrived for some keys, and keep their states.

        Args:
            values: as for `Streams.push`.

        Returns:
            As `Streams.push`.

        Raises:
            PartlyPushedError: where some shards refused, or were lost, and others have pushed.
            ShardLostError: where a shard died and can't be opened again.
            KeyError, TypeError, ValueError, FloatingPointError, OSError: as `Streams.push`; then
                nothing has changed.
        """
        plain = by_plain_key(values)
        batches = batches_of(plain, self._signature, self._missing)
        with self._shards.holding(lambda shard_of: parts_of(batches, shard_of)) as parts:
            if not self._joins:
                self._refuse_strangers({shard: _keys_of(part) for shard, part in parts.items()})
            calls = {shard: ("push", part) for shard, part in parts.items()}
            answers, errors = self._shards.change(calls)
        outputs = outputs_by_key(parts, answers)
        if errors:
            self._raise(errors, outputs, [k for shard in errors for k in _keys_of(parts[shard])])
        return by_given_key(outputs, plain, values)

    def peek(self, values: Mapping) -> dict:
        """Return what `push` would return, and change nothing."""
        plain = by_plain_key(values)
        batches = batches_of(plain, self._signature, self._missing)
        with self._shards.holding(lambda shard_of: parts_of(batches, shard_of)) as parts:
            answers = self._shards.look({s: ("peek", part) for s, part in parts.items()})
        return by_given_key(outputs_by_key(parts, answers), plain, values)

    def forecast(
        self, keys: Iterable | str | int, horizon: int, *, feed_back: Callable | None = None
    ) -> dict:
        """Look ahead in closed loop, see `Streams.forecast`; ``feed_back`` must be picklable."""
        check_count(horizon, "horizon")
        keys = plain_keys(keys)
        with self._by_shard(keys) as own:
            calls = {s: ("forecast", part, horizon, feed_back) for s, part in own.items()}
            answers = self._shards.look(calls)
        ahead: dict = {}
        for shard, (answer,) in answers.items():
            ahead.update(zip(own[shard], answer, strict=True))
        return {key: ahead[key] for key in keys}

    def join(self, keys: Iterable | str | int) -> None:
        """Let new keys begin at the initial state, see `Streams.join`."""
        self._change_keys("join", plain_keys(keys), known=False)

    def forget(self, keys: Iterable | str | int) -> None:
        """Let keys leave; their states are gone, see `Streams.forget`."""
        self._change_keys("forget", plain_keys(keys))

    def reset(self, keys: Iterable | str | int | None = None) -> None:
        """Take keys back to the initial state, see `Streams.reset`; None for all keys."""
        self._change_keys("reset", self.keys() if keys is None else plain_keys(keys))

    def state(self, key: str | int) -> State:
        """Return a copy of a key's state, see `Streams.state`."""
        return self._of_one("state", key)

    def set_state(self, key: str | int, state: State) -> None:
        """Replace a key's state, see `Streams.set_state`."""
        with self._by_shard([plain_key(key)]) as own:
            calls = {shard: ("set_state", part[0], state) for shard, part in own.items()}
            _, errors = self._shards.change(calls)
        self._raise(errors)

    def steps(self, key: str | int) -> int:
        """Return how many time steps have arrived for a key, see `Streams.steps`."""
        return self._of_one("steps", key)

    def keys(self) -> list[Key]:
        """Return the keys of all shards."""
        with self._shards.holding(lambda _: dict.fromkeys(range(self.shards))) as every:
            found = self._shards.look({shard: ("keys",) for shard in every})
        return [key for keys in found.values() for key in keys]

    def scale(self, shards: int) -> None:
        """Change how many shards there are, while pushes from other threads go on.

        Only those keys move that must, in pieces: while one moves, pushes to its two shards wait.
        A piece is copied to where it goes, then the layout's file says that it is there, then it
        goes from where it was: after a crash at any moment each key is in one shard.

        Args:
            shards: from 1 to 1024.

        Raises:
            ShardLostError, OSError: where a shard dies or can't write; keys that haven't moved are
                where they were, and `scale` may be called again.
        """
        self._shards.scale(_checked_shards(shards))

    def close(self) -> None:
        """Close all shards, and leave their hosts."""
        self._shards.close()

    def __contains__(self, key: object) -> bool:
        try:
            own_key = plain_key(key)
        except (TypeError, ValueError):  # True and 1.0 are no keys, equal to 1 as they are
            return False
        return not self._of_one("strangers", own_key, several=True)

    def __len__(self) -> int:
        return len(self.keys())

    def __enter__(self) -> "ShardedStreams":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "memory" if self._folder is None else str(self._folder)
        return f"<ShardedStreams of {self.model.name!r}: {self.shards} shards in {where}>"

    def _by_shard(self, keys: list[Key]):
        return self._shards.holding(lambda shard_of: keys_by_shard(keys, shard_of))

    def _of_one(self, method: str, key: Any, *, several: bool = False) -> Any:
        """Ask the shard of one key."""
        with self._by_shard([plain_key(key)]) as own:
            calls = {s: (method, part if several else part[0]) for s, part in own.items()}
            (answer,) = self._shards.look(calls).values()
        return answer

    def _change_keys(self, method: str, keys: list[Key], *, known: bool = True) -> None:
        """Let the shards of some keys change these; none, where one isn't there and must be."""
        with self._by_shard(keys) as own:
            if known:
                self._refuse_strangers(own)
            _, errors = self._shards.change({s: (method, part) for s, part in own.items()})
        self._raise(errors)

    def _refuse_strangers(self, own: Mapping[int, list[Key]]) -> None:
        found = self._shards.look({shard: ("strangers", keys) for shard, keys in own.items()})
        strangers = [key for some in found.values() for key in some]
        if strangers:
            more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
            raise KeyError(
                f"No such key: {', '.join(map(repr, strangers[:3]))}{more}. join(keys) lets new "
                "ones begin."
            )

    def _raise(
        self, errors: Mapping[int, Exception], outputs: dict | None = None, not_pushed: Any = ()
    ) -> None:
        """Raise what shards raised; where others have pushed, as a `PartlyPushedError`."""
        for error in errors.values():
            if not outputs:
                raise error
            raise PartlyPushedError(outputs, list(not_pushed), dict(errors)) from error


def _keys_of(part: list[Batch]) -> list[Key]:
    return [key for batch in part for key in batch.keys]


def _checked_shards(shards: int) -> int:
    if check_count(shards, "shards") > _MOST:
        raise ValueError(f"shards must be at most {_MOST}, but is {shards}")
    return int(shards)
