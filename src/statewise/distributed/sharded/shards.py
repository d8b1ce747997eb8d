"""`Shards`: the hosts of sharded streams, what they are asked, and how keys move between them."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from statewise.distributed.sharded.errors import ShardLostError
from statewise.distributed.sharded.hosts import Host, HostLostError
from statewise.distributed.sharded.layout import (
    Move,
    even,
    moves_to,
    read_layout,
    shard_path,
    write_layout,
)
from statewise.streams.buckets import BUCKETS
from statewise.streams.tickets import Ticket

Part = TypeVar("Part")
Call = tuple[Any, ...]  # the name of a method of `Shard`, and its arguments

_PIECES = 64  # in which all keys would move
_REVIVALS = 5  # of one shard for one question
_PAUSE = 0.2  # seconds before the next one: a dying process still has its file


class Shards:
    """The shards, numbered from 0.

    Args:
        open_host: opens a shard, of the path of its store.
        folder: of the stores and the layout; None for memory alone.
        count: how many there are in a new folder.
        session: a text that nobody else has, for tickets.

    Attributes:
        shard_of: for each bucket its shard; replaced as a whole, and never written to.

    Raises:
        ValueError: where the folder is no whole one.
    """

    def __init__(
        self,
        open_host: Callable[[Path | None], Host],
        folder: Path | None,
        count: int,
        session: str,
    ):
        self._open_host, self._folder, self._session = open_host, folder, session
        self.shard_of = even(count) if folder is None else _found(folder, count)
        self._hosts: list[Host] = []
        self._locks: list[threading.Lock] = []
        self._numbers: list[int] = []
        self._lost: set[int] = set()
        self._scaling = threading.Lock()
        try:
            for _ in range(int(self.shard_of.max()) + 1):
                self._open_next()
            # What a crash left of keys that had moved away.
            every = np.arange(BUCKETS)
            self.look({i: ("drop", every[self.shard_of != i]) for i in range(len(self))})
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._hosts)

    @contextmanager
    def holding(self, cut: Callable[[np.ndarray], dict[int, Part]]) -> Iterator[dict[int, Part]]:
        """Hold the shards that are to be asked, so that no key of theirs moves meanwhile.

        Args:
            cut: returns by shard what it is to be asked, given which buckets are where.
        """
        while True:
            shard_of = self.shard_of
            parts = cut(shard_of)
            with self._held(*parts):
                if shard_of is self.shard_of:
                    yield parts
                    return

    def change(self, calls: Mapping[int, Call]) -> tuple[dict[int, Any], dict[int, Exception]]:
        """Ask shards that are held for changes, side by side, each to be done once.

        Returns:
            By shard what it answered, and what it raised.
        """
        numbered = {}
        for shard, (method, *arguments) in calls.items():
            self._numbers[shard] += 1
            ticket = Ticket(self._session, self._numbers[shard])
            numbered[shard] = (method, ticket, *arguments)
        return self._ask(numbered)

    def look(self, calls: Mapping[int, Call]) -> dict[int, Any]:
        """Ask shards for what may be asked twice; raise what the first of them raises."""
        answers, errors = self._ask(calls)
        for error in errors.values():
            raise error
        return answers

    def scale(self, count: int) -> None:
        """Make it so many shards, see `ShardedStreams.scale`."""
        with self._scaling:
            while len(self) < count:
                self._open_next()
                self.look({len(self) - 1: ("drop", np.arange(BUCKETS))})
            for move in moves_to(self.shard_of, count):
                pieces = -(-len(move.buckets) * _PIECES // BUCKETS)
                for piece in np.array_split(move.buckets, pieces):
                    self._move(move._replace(buckets=piece))
            while len(self) > count:
                self._close_last()

    def close(self) -> None:
        """Close all shards, and leave their hosts."""
        for host in self._hosts:
            host.close()

    @contextmanager
    def _held(self, *shards: int) -> Iterator[None]:
        with ExitStack() as stack:
            for shard in sorted(shards):  # in one order, so that two never wait for each other
                if shard < len(self._locks):
                    stack.enter_context(self._locks[shard])
            yield

    def _move(self, move: Move) -> None:
        """Let the keys of some buckets change their shard."""
        with self._held(move.source, move.target):
            rows = self._one(move.source, "taken_out", move.buckets)
            self._one(move.target, "put_in", rows, move.buckets)
            shard_of = self.shard_of.copy()
            shard_of[move.buckets] = move.target
            if self._folder is not None:
                write_layout(self._folder, shard_of)
            self.shard_of = shard_of
            self._one(move.source, "drop", move.buckets)

    def _one(self, shard: int, *call: Any) -> Any:
        return self.look({shard: call})[shard]

    def _ask(self, calls: Mapping[int, Call]) -> tuple[dict[int, Any], dict[int, Exception]]:
        waiting = {shard: self._begun(shard, call) for shard, call in calls.items()}
        answers, errors = {}, {}
        for shard, wait in waiting.items():
            try:
                answers[shard] = self._answer(shard, calls[shard], wait)
            except Exception as error:
                errors[shard] = error
        return answers, errors

    def _begun(self, shard: int, call: Call) -> Callable[[], Any]:
        if shard in self._lost:
            return self._refused
        return self._hosts[shard].ask(*call)

    def _refused(self) -> None:
        raise ShardLostError(
            f"Shards {sorted(self._lost)} died, and with them the states of their keys, which were "
            "in memory alone. Make ShardedStreams anew; with store=FOLDER they survive that."
        )

    def _answer(self, shard: int, call: Call, wait: Callable[[], Any]) -> Any:
        """Wait for an answer; where the host dies, revive it and ask again."""
        for attempt in range(_REVIVALS + 1):
            try:
                if attempt:
                    self._hosts[shard].revive()
                    wait = self._hosts[shard].ask(*call)
                return wait()
            except (HostLostError, BlockingIOError) as error:
                if isinstance(error, BlockingIOError) and not attempt:
                    raise
                if self._folder is None:
                    self._lost.add(shard)
                    self._refused()
                last = error
                time.sleep(attempt * _PAUSE)
        raise ShardLostError(
            f"Shard {shard} died {_REVIVALS + 1} times, or couldn't be opened again: {last}. Its "
            f"store is in {self._folder}; nothing that was acknowledged is lost."
        )

    def _open_next(self) -> None:
        folder, number = self._folder, len(self._hosts)
        self._locks.append(threading.Lock())
        self._numbers.append(0)
        self._hosts.append(self._open_host(None if folder is None else shard_path(folder, number)))

    def _close_last(self) -> None:
        number = len(self._hosts) - 1
        with self._held(number):
            self._hosts[number].close()
            if self._folder is not None:
                path = shard_path(self._folder, number)
                for name in (path, Path(f"{path}-wal")):
                    name.unlink(missing_ok=True)
            del self._hosts[number], self._locks[number], self._numbers[number]


def _found(folder: Path, count: int) -> np.ndarray:
    """Return the layout of a folder; make one where there are no shards yet."""
    folder.mkdir(parents=True, exist_ok=True)
    shard_of = read_layout(folder)
    if shard_of is not None:
        return shard_of
    if any(folder.glob("shard-*.db")):
        raise ValueError(
            f"{folder} has shards, but no layout.json, which says which of them has which keys: "
            "restore it from a copy, or begin with another folder"
        )
    shard_of = even(count)
    write_layout(folder, shard_of)
    return shard_of
