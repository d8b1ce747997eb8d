"""Sequences laid end to end into rows of one length: batches of one shape, with no padding between.

A row is as long as the longest sequence that was learned from. Shorter ones share a row; the state
begins anew where one begins (a reset), and what is summed up of each stays within it, so none has a
say in another's result. One compiled program serves sequences of all these lengths; longer ones
that come later have longer rows, by their own length alone.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from statewise.tasks.classification.sequences import Sequences

_GROWTH = 1.25  # of the rows for sequences longer than any that was learned from
_STEPS = 2048  # of a batch in which something is told, about
_ROWS = (2, 64)  # and its rows
_SHORTEST = 4  # steps of a sequence, on average, that a row has places for


class Places(NamedTuple):
    """Where sequences lie in rows, (rows, places) each.

    Attributes:
        begins: the step of the row at which a sequence begins.
        ends: at which it ends; where nothing lies as ``begins``.
        members: which sequence it is; -1 where there is none.
    """

    begins: np.ndarray
    ends: np.ndarray
    members: np.ndarray


def lay(lengths: np.ndarray, order: np.ndarray, time: int, most: int) -> Places:
    """Lay sequences into rows, each into the fullest row that has room for it.

    Args:
        lengths: of all sequences.
        order: the places of those to lay, one after the other.
        time: steps of a row.
        most: sequences in a row, at most.

    >>> lay(np.array([3, 2, 4, 1]), np.arange(4), time=5, most=2).members.tolist()
    [[0, 1], [2, 3]]
    """
    free: list[tuple[int, int]] = []  # steps left, and the row, rising
    rows: list[list[tuple[int, int, int]]] = []
    for i in order.tolist():
        length = int(lengths[i])
        at = bisect_left(free, (length, -1))
        if at == len(free):
            rows.append([(0, length, i)])
            left, row = time - length, len(rows) - 1
        else:
            left, row = free.pop(at)
            rows[row].append((time - left, time - left + length, i))
            left -= length
        if left and len(rows[row]) < most:
            insort(free, (left, row))
    begins = np.zeros((len(rows), most), np.int32)
    ends, members = begins.copy(), begins - 1
    for row, those in enumerate(rows):
        for place, (begin, end, i) in enumerate(those):
            begins[row, place], ends[row, place], members[row, place] = begin, end, i
    return Places(begins, ends, members)


def in_batches(places: Places, rows: int) -> Iterator[Places]:
    """Yield the rows in batches of so many, the last one filled up with empty rows."""
    for start in range(0, len(places.begins), rows):
        begins, ends, members = (part[start : start + rows] for part in places)
        lacking = ((0, rows - len(begins)), (0, 0))
        yield Places(
            np.pad(begins, lacking),
            np.pad(ends, lacking),
            np.pad(members, lacking, constant_values=-1),
        )


class Batch(NamedTuple):
    """Rows in which something is to be told.

    Attributes:
        x: (rows, time, features) float32.
        places: where which sequence lies.
    """

    x: np.ndarray
    places: Places


def row_length(length: int, longest: int) -> int:
    """Return the steps of the row for a sequence: by its own length alone.

    >>> row_length(3, 20), row_length(20, 20), row_length(21, 20), row_length(500, 20)
    (20, 20, 25, 594)
    """
    steps = longest
    while steps < length:
        steps = int(np.ceil(steps * _GROWTH))
    return steps


def batches(sequences: Sequences, longest: int) -> Iterator[Batch]:
    """Yield all sequences in batches, whose shape hangs on nothing but their rows' length.

    Args:
        sequences: of any lengths.
        longest: the steps of the longest that was learned from.
    """
    lengths = sequences.lengths
    rows_of = np.array([row_length(int(n), longest) for n in lengths])
    for time in np.unique(rows_of).tolist():
        rows, most = int(np.clip(_STEPS // time, *_ROWS)), max(1, time // _SHORTEST)
        order = np.flatnonzero(rows_of == time)
        for places in in_batches(lay(lengths, order, time, most), rows):
            x = np.zeros((rows, time, sequences.features), np.float32)
            for row, place in np.argwhere(places.members >= 0):
                one = sequences[places.members[row, place]]
                x[row, places.begins[row, place] : places.ends[row, place]] = one
            yield Batch(x, places)
