"""A panel that is read block by block: each block some of its series, whole, on one calendar."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import compute

from statewise.sequences import Columns, DataError, Panel
from statewise.sequences.panel_reading import read_rows
from statewise.sequences.placing import Grid, grid_of, placed
from statewise.sequences.scanning.scan import PanelScan
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.scanned.kinds import ROWS

Keep = Callable[[Panel], np.ndarray]  # tells for each series whether it's to be kept


class ScannedPanel:
    """A panel that is read block by block.

    Args:
        scan: its files, or what else it's read from.
        columns: which columns hold what.
        rows: how many rows are in memory at a time.
        folder: in which its files are; None where they aren't all that is in one.
    """

    def __init__(
        self, scan: PanelScan, columns: Columns, rows: int = ROWS, folder: Path | None = None
    ):
        self.scan, self.columns, self.rows, self.folder = scan, columns, rows, folder
        self._head: pd.DataFrame | None = None
        self._grid: Grid | None = None
        self._time: Any = None

    def whole(self) -> pd.DataFrame | None:
        """Return all of its rows where they fit into one block, None where they don't.

        Raises:
            DataError: where there are none.
        """
        blocks = self.scan.blocks(self.rows)
        first = next(blocks, None)
        if first is None:
            raise DataError(f"{self.scan!r} has no rows")
        whole = next(blocks, None) is None
        return first if whole else None

    def blocks(
        self, progress: Progress, phase: str, *, series: int = 0, skip: int = 0
    ) -> Iterator[Panel]:
        """Yield its series block by block, without a calendar: see `placed`.

        Args:
            progress: called after each block with the phase, how many series there were so far,
                how many there will be, and NaN.
            phase: what goes on.
            series: how many series there will be; 0 where nobody knows.
            skip: how many series are passed over, those of whole blocks.

        Raises:
            DataError: where what is read is no panel.
        """
        passed = 0
        for table in self.scan.tables(self.rows):
            passed += compute.count_distinct(table.column(0)).as_py()
            if passed <= skip:
                continue
            frame = table.to_pandas()
            if self._head is None:
                self._head = frame.head(1)
            rows = read_rows(frame, self.columns)
            self._check_time(rows)
            yield rows
            progress(phase, passed, max(series, passed), math.nan)

    def surveyed(self, progress: Progress, phase: str) -> Iterator[Panel]:
        """Yield its series as `blocks` does, and find out their calendar on the way."""
        stamps: pd.Index | None = None
        for rows in self.blocks(progress, phase):
            unique = rows.time.unique()
            stamps = unique if stamps is None else stamps.union(unique.difference(stamps))
            yield rows
        self._grid = None if stamps is None else grid_of(stamps.sort_values())
        if self._grid is None:
            raise DataError(
                f"the time stamps of {self.scan!r} make no calendar, all series taken together: a "
                "panel that is read block by block must have one. Bring its rows to even steps, or "
                "forecast the series apart"
            )

    def head(self) -> pd.DataFrame:
        """Return its first row, which tells of which types its columns are."""
        return next(self.scan.blocks(self.rows)).head(1) if self._head is None else self._head

    def grid(self) -> Grid:
        """Return the calendar of all series, and its stamps; read once, if they aren't known yet.

        Raises:
            DataError: where they have no calendar together.
        """
        if self._grid is None:
            for _ in self.surveyed(_nothing, ""):
                pass
        assert self._grid is not None
        return self._grid

    def panels(
        self, progress: Progress, phase: str, *, series: int = 0, skip: int = 0, keep: Keep
    ) -> Iterator[tuple[Panel | None, int]]:
        """Yield those of its series that are to be kept, on the calendar of all.

        Args:
            progress, phase, series, skip: as for `blocks`.
            keep: tells which.

        Yields:
            The series of a block, None where none is kept; and how many the block has.
        """
        for rows in self.blocks(progress, phase, series=series, skip=skip):
            kept, count = keep(rows), len(rows)
            if not kept.all():
                rows = rows.select(np.flatnonzero(kept))
            yield placed(rows, self.grid()) if len(rows) else None, count

    def _check_time(self, rows: Panel) -> None:
        """Refuse stamps of another kind than those before: numbers may be read as either."""
        if self._time is None:
            self._time = rows.time[:0]
        kinds = [
            (one.dtype.kind in "iuf", str(getattr(one, "tz", None)))
            for one in (self._time, rows.time)
        ]
        if kinds[0] != kinds[1]:
            raise DataError(
                f"the times of series {rows.keys[0]!r} are {rows.time.dtype}, but those before it "
                f"are {self._time.dtype}: write the column {self.columns.time!r} as time stamps of "
                "one zone, or as numbers from 0 on"
            )


def _nothing(phase: str, done: int, most: int, loss: float) -> None:
    pass
