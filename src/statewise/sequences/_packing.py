"""Which series goes into which lane, and where in it: numbers of steps only, no values.

Whole series of given lengths are to fill lanes as evenly as can be. Going from the longest series
to the shortest and putting each into the lane that is the shortest so far (longest processing
time first, R. L. Graham 1969) leaves the lanes apart by about as much as the shortest series.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# How far shuffling may take the lengths for longer or shorter than they are, one after the other
# until no more chunks are needed than without it. At 0 only series of equal length trade places,
# and the lanes are as long as unshuffled ones: there is always a last way.
_SPREADS = (0.5, 0.25, 0.1, 0.03, 0.0)
# How many of the last series of each lane go longest first, until no more chunks are needed than
# without shuffling.
_TAILS = (4, 16, 64)
TOGETHER = 4  # blocks whose series are shuffled among each other


@dataclass(frozen=True, eq=False)
class Plan:
    """Where each series lies.

    Attributes:
        lengths: the steps of each series, (series,) int64.
        members: for each lane, the positions of its series, in the order in which they follow.
        begins: for each lane, the step of the lane at which each of these begins.
        loads: the steps of each lane, (batch,) int64.
    """

    lengths: np.ndarray
    members: list[np.ndarray]
    begins: list[np.ndarray]
    loads: np.ndarray

    def pieces(self, lane: int, first: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield what lies in a lane from its step ``first`` up to ``stop``.

        Each piece is (series, start, stop, at): the steps start up to stop of a series, laid
        ``at`` steps after ``first``.
        """
        members, begins = self.members[lane], self.begins[lane]
        reach = slice(np.searchsorted(begins, first, "right") - 1, np.searchsorted(begins, stop))
        lengths = self.lengths[members[reach]]
        columns = (members[reach].tolist(), begins[reach].tolist(), lengths.tolist())
        for series, begin, length in zip(*columns, strict=True):
            start, end = max(first, begin), min(stop, begin + length)
            if start < end:
                yield series, start - begin, end - begin, start - first

    def of_lanes(self, rows: slice) -> "Plan":
        """Return where the series of some lanes lie, as if there were no others."""
        return Plan(self.lengths, self.members[rows], self.begins[rows], self.loads[rows])


def plan_in_order(lengths: np.ndarray, lanes: int) -> Plan:
    """Balance the lanes; within a lane the series follow each other as they were given."""
    return _plan(lengths, _pack(lengths, np.argsort(-lengths, kind="stable"), lanes), None)


def plan_shuffled(lengths: np.ndarray, lanes: int, longest: int, rng: np.random.Generator) -> Plan:
    """Balance the lanes with chance in it: other series share a lane, in any order.

    Args:
        lengths: the steps of each series, (series,) int64.
        lanes: how many.
        longest: the steps that a lane may have, at least those of the longest lane in order.
        rng: where chance comes from.
    """
    rank = rng.permutation(len(lengths))
    for spread in _SPREADS:
        taken_for = lengths * (1 + spread * rng.uniform(-1, 1, len(lengths)))
        lane_of = _pack(lengths, np.lexsort((rank, -taken_for)), lanes)
        plan = _plan(lengths, lane_of, rank)
        if plan.loads.max() <= longest:
            break
    return plan


def plan_near(lengths: np.ndarray, lanes: int) -> Plan:
    """Let each series in turn go to the lane that is the shortest so far.

    All lanes then are at series that were given one after the other, which are read together where
    they are stored. That the last ones go longest first evens the ends of the lanes.
    """
    order = _longest_last(np.arange(len(lengths)), lengths, _TAILS[0] * lanes)
    return _plan(lengths, _pack(lengths, order, lanes), None)


def plan_near_shuffled(
    lengths: np.ndarray, lanes: int, longest: int, blocks: np.ndarray, rng: np.random.Generator
) -> Plan:
    """Do so with chance on two levels: in which order blocks come, and series within a few blocks.

    Args:
        lengths, lanes, longest, rng: as for `plan_shuffled`.
        blocks: the number of the block that each series is in, (series,).
    """
    for tail in _TAILS:
        order = near_order(blocks, rng)
        packed = _longest_last(order, lengths, tail * lanes)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        plan = _plan(lengths, _pack(lengths, packed, lanes), rank)
        if plan.loads.max() <= longest:
            return plan
    # As they were given they fit; which lane is which is all that is left to chance.
    packed = _longest_last(np.arange(len(lengths)), lengths, _TAILS[0] * lanes)
    return _plan(lengths, rng.permutation(lanes)[_pack(lengths, packed, lanes)], None)


def near_order(blocks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an order of what lies in blocks: these shuffled, and then what is in a few of them.

    Args:
        blocks: of each item the number of its block, from 0 on, (items,).
        rng: where chance comes from.
    """
    return np.lexsort((rng.random(len(blocks)), shuffled_blocks(blocks, rng)))


def shuffled_blocks(blocks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return for each item the number of its group, of a few blocks that chance brings together."""
    return rng.permutation(int(blocks.max()) + 1)[blocks] // TOGETHER


def blocks_of(lengths: np.ndarray, step_bytes: int, block_bytes: int) -> np.ndarray:
    """Number the blocks of items that follow each other, of about so many bytes each.

    >>> blocks_of(np.array([2, 2, 2, 9]), 4, 16).tolist()
    [0, 0, 1, 1]
    """
    begins = np.cumsum(lengths) - lengths
    return np.unique(begins * step_bytes // block_bytes, return_inverse=True)[1]


def _longest_last(order: np.ndarray, lengths: np.ndarray, count: int) -> np.ndarray:
    """Bring the last ones of an order to the order of their lengths, the longest first."""
    head, tail = order[:-count], order[-count:]
    return np.concatenate([head, tail[np.argsort(-lengths[tail], kind="stable")]])


def _pack(lengths: np.ndarray, order: np.ndarray, lanes: int) -> np.ndarray:
    """Put each series, in ``order``, into the lane that is the shortest so far."""
    heap = [(0, lane) for lane in range(lanes)]
    chosen = []
    for length in lengths[order].tolist():
        load, lane = heap[0]
        heapq.heapreplace(heap, (load + length, lane))
        chosen.append(lane)
    lane_of = np.empty(len(lengths), np.int64)
    lane_of[order] = chosen
    return lane_of


def _plan(lengths: np.ndarray, lane_of: np.ndarray, rank: np.ndarray | None) -> Plan:
    """Lay the series of each lane one after the other, by ``rank`` or as they were given."""
    order = np.argsort(lane_of, kind="stable") if rank is None else np.lexsort((rank, lane_of))
    cuts = np.flatnonzero(np.diff(lane_of[order])) + 1  # no lane is without a series
    members = np.split(order, cuts)
    begins = [np.cumsum(lengths[lane]) - lengths[lane] for lane in members]
    loads = np.array([lengths[lane].sum() for lane in members])
    return Plan(lengths, members, begins, loads)
