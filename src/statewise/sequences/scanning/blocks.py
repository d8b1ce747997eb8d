"""Tables of whole keys, put together or taken apart to blocks of a size."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa

from statewise.sequences.scanning.heads import FILE, starts_of


def in_blocks(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Put tables of whole keys together, or take them apart, to at most so many rows."""
    kept: list[pa.Table] = []
    count = 0
    for table in tables:
        kept.append(table.drop_columns([FILE]))
        count += len(table)
        if count >= rows:
            whole = pa.concat_tables(kept)
            bounds = _bounds(whole.column(0), rows)[:-1]  # the last block may take more
            for begin, end in pairwise(bounds):
                yield whole.slice(begin, end - begin)
            kept = [whole.slice(bounds[-1])]
            count = len(kept[0])
    if count:
        whole = pa.concat_tables(kept)
        for begin, end in pairwise(_bounds(whole.column(0), rows)):
            yield whole.slice(begin, end - begin)


def _bounds(key: pa.ChunkedArray, rows: int) -> list[int]:
    """Return where to cut between keys, from 0 to the end: as rarely as so many rows allow.

    >>> _bounds(pa.chunked_array([["a", "a", "b", "c", "c", "c", "d"]]), 3)
    [0, 3, 6, 7]
    """
    ends = np.append(starts_of(key)[1:], len(key))
    bounds = [0]
    while bounds[-1] < len(key):
        most = np.searchsorted(ends, bounds[-1] + rows, "right") - 1
        least = np.searchsorted(ends, bounds[-1], "right")
        bounds.append(int(ends[max(most, least)]))
    return bounds
