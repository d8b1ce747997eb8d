"""Panels out of wide tables: a column for each series."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences.columns import ask_about_markers, read_numbers, time_of
from statewise.sequences.index_time import time_of_index
from statewise.sequences.panel import Columns, Panel
from statewise.sequences.panel_reading import as_table, read_panel
from statewise.sequences.tables import DataError, free_name


def read_wide(source: Any, time: str | None = None, *, targets: Sequence[str] = ()) -> Panel:
    """Read many series out of a wide table: a column of stamps (or none), and one for each series.

    Args:
        source: what `read_panel` takes.
        time: the column of time stamps; without it the one that holds dates, if there is one; else
            a pandas index of rising numbers, or text of dates.
        targets: the columns that are series; by default all others.

    Raises:
        DataError: as `read_panel`, and where there is no column of numbers.

    Example:
        >>> read_wide(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [3.0, 2.0, 1.0]})).keys.tolist()
        ['a', 'b']
    """
    source, time = time_of_index(source, time)
    table = as_table(source)
    time = time if time is not None and time in table.frame.columns else None
    time, table = time_of(table, time, but=targets)
    names = list(targets) or [name for name in table.frame.columns if name != time]
    if not names:
        raise DataError(f"{table.name} has no column of numbers besides the time")
    read = {name: read_numbers(table, name) for name in names}
    ask_about_markers(table, read)
    values = np.column_stack(list(read.values()))
    rows, count = len(table.frame), len(names)
    label = time if time is not None else free_name(Columns.time, names)
    # The names of the series are keys here, but for that of time no column may be lost.
    columns = Columns(
        key=free_name(Columns.key, [label]), time=label, target=free_name(Columns.target, [label])
    )
    frame = pd.DataFrame(
        {
            columns.key: np.repeat(np.arange(count), rows),
            label: np.tile(np.arange(rows), count)
            if time is None
            else pd.concat([table.frame[time]] * count, ignore_index=True),
            columns.target: values.T.ravel(),
        }
    )
    keys = np.empty(count, object)
    keys[:] = names  # not np.array(names): tuples are keys too
    return replace(read_panel(frame, columns), keys=keys)
