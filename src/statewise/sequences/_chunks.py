"""A chunk of lanes: its arrays, and how the steps of series are laid into them."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from statewise.sequences._packing import Plan
from statewise.sequences._sources import Source
from statewise.sequences._targets import Targets, read_pair


class Chunk(NamedTuple):
    """What one batch takes from the lanes; no other chunk has the same memory.

    Attributes:
        x: inputs, (batch, time, features), with the dtype of the series; 0 where not valid.
        y: targets, (batch, time, target features); ``None`` where the lanes have none.
        resets: bool (batch, time), True where a series begins.
        valid: bool (batch, time), False at the very end of a lane, where no step is left.
        where: int64 (batch, time, 2): which series each step is from (its position in
            ``Lanes.keys``), and which of its steps it is; -1 where not valid.
    """

    x: np.ndarray
    y: np.ndarray | None
    resets: np.ndarray
    valid: np.ndarray
    where: np.ndarray


def allocate(source: Source, targets: Targets | None, shape: tuple[int, ...]) -> Chunk:
    """Return a chunk of this shape, such as (batch, time), whose values are yet to be written."""
    y = None
    if targets is not None:
        y = np.empty((*shape, len(targets.columns)), targets.source.dtype)
    return Chunk(
        x=np.empty((*shape, source.features), source.dtype),
        y=y,
        resets=np.empty(shape, bool),
        valid=np.empty(shape, bool),
        where=np.empty((*shape, 2), np.int64),
    )


def cut(block: Chunk, index: int | slice) -> Chunk:
    """Return a part of a block as a view, along the first axis of all its arrays."""
    return Chunk(
        x=block.x[index],
        y=None if block.y is None else block.y[index],
        resets=block.resets[index],
        valid=block.valid[index],
        where=block.where[index],
    )


def lay_block(
    source: Source, targets: Targets | None, plan: Plan, first: int, block: Chunk
) -> Chunk:
    """Write the steps of all lanes from their step ``first`` on into a block of chunks.

    Args:
        source: the series.
        targets: what the steps are to tell, if anything.
        plan: where the series lie.
        first: the step of the lanes at which the block begins.
        block: arrays (chunks, batch, time, ...); every cell is written.

    Returns:
        The block.
    """
    chunks, batch, steps = block.valid.shape
    row = allocate(source, targets, (chunks * steps,))
    for lane in range(batch):
        _lay_lane(source, targets, plan.pieces(lane, first, first + chunks * steps), row)
        for array, values in zip(block, row, strict=True):
            if array is not None and values is not None:
                array[:, lane] = values.reshape(chunks, steps, *values.shape[1:])
    return block


def _lay_lane(
    source: Source, targets: Targets | None, pieces: Iterable[tuple[int, int, int, int]], row: Chunk
) -> None:
    """Write pieces of series into a row of cells, (time, ...), and what lies behind them."""
    row.resets[:] = False
    used = 0
    for series, start, stop, at in pieces:
        used = at + stop - start
        row.x[at:used], y = read_pair(source, targets, series, start, stop)
        if row.y is not None:
            row.y[at:used] = y
        row.resets[at] = start == 0
        row.where[at:used, 0] = series
        row.where[at:used, 1] = np.arange(start, stop)
    row.valid[:used], row.valid[used:] = True, False
    row.x[used:] = 0
    row.where[used:] = -1
    if row.y is not None:
        row.y[used:] = 0
