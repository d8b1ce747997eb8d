"""The layout of sharded streams: which shard has which buckets of keys, in memory and in a file."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from statewise._whole_files import written_whole
from statewise.streams.buckets import BUCKETS

_FORMAT = "statewise-shards-1"
_FILE = "layout.json"


class Move(NamedTuple):
    """Buckets that go from one shard to another.

    Attributes:
        source, target: the numbers of the shards.
        buckets: that go.
    """

    source: int
    target: int
    buckets: np.ndarray


def even(shards: int) -> np.ndarray:
    """Return for each bucket its shard, the same number to each but for one, (buckets,).

    >>> np.bincount(even(3)).tolist()
    [1366, 1365, 1365]
    """
    return np.arange(BUCKETS) % shards


def moves_to(shard_of: np.ndarray, shards: int) -> list[Move]:
    """Return the moves that make it even over so many shards; no bucket moves that needn't.

    Args:
        shard_of: for each bucket its shard, (buckets,).
        shards: how many there shall be, the first ones.

    >>> moves = moves_to(even(2), 3)
    >>> [(move.source, move.target, len(move.buckets)) for move in moves]
    [(0, 2, 682), (1, 2, 683)]
    """
    counts = np.bincount(shard_of, minlength=shards)
    share = np.zeros(len(counts), int)
    share[:shards] = len(shard_of) // shards
    # The shards that have the most keep one more.
    fullest = np.argsort(-counts[:shards], kind="stable")[: len(shard_of) % shards]
    share[fullest] += 1
    free = [(i, int(share[i] - counts[i])) for i in range(len(counts)) if counts[i] < share[i]]
    moves = []
    for source in np.flatnonzero(counts > share):
        over = np.flatnonzero(shard_of == source)[share[source] :]
        while len(over):
            target, room = free.pop()
            some, over = over[:room], over[room:]
            moves.append(Move(int(source), target, some))
            if room > len(some):
                free.append((target, room - len(some)))
    return moves


def read_layout(folder: Path) -> np.ndarray | None:
    """Return for each bucket its shard, as the folder's file says; None where there is none.

    Raises:
        ValueError: where the file is damaged, or of another version.
    """
    path = folder / _FILE
    if not path.exists():
        return None
    try:
        said = json.loads(path.read_text("utf-8"))
        shard_of = np.array(said["shard_of"], np.int64)
        whole = (
            said["format"] == _FORMAT
            and said["checksum"] == _checksum(shard_of)
            and shard_of.shape == (BUCKETS,)
            and shard_of.min() >= 0
        )
    except (ValueError, KeyError, TypeError, OverflowError):
        whole = False
    if not whole:
        raise ValueError(
            f"{path} is damaged, or of another version of statewise: it should say which shard has "
            "which keys. Restore the folder from a copy; without it the states of the shards' "
            "files can't be told apart"
        )
    return shard_of


def write_layout(folder: Path, shard_of: np.ndarray) -> None:
    """Write which shard has which buckets: the one moment at which keys change their shard."""
    with written_whole(folder / _FILE) as beside:
        said = {
            "format": _FORMAT,
            "shard_of": shard_of.tolist(),
            "checksum": _checksum(shard_of),
        }
        beside.write_text(json.dumps(said), "utf-8")


def shard_path(folder: Path, shard: int) -> Path:
    """Return the path of a shard's store.

    >>> shard_path(Path("tanks"), 3).name
    'shard-0003.db'
    """
    return folder / f"shard-{shard:04d}.db"


def _checksum(shard_of: np.ndarray) -> str:
    return hashlib.blake2b(shard_of.astype("<i8").tobytes(), digest_size=16).hexdigest()
